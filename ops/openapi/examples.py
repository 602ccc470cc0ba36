"""Generates example responses from the schemas, with values chosen by the fields' names.

So every response has an example with all fields. Tests validate them against the schemas.
"""

from collections.abc import Mapping
from typing import Any, Final

Json = dict[str, Any]
_ID: Final = "0190c1de-7a3b-7c4d-8e5f-0a1b2c3d4e5f"
_TIME: Final = "2026-11-22T06:40:04Z"
_CURSOR: Final = "IjAxOTBjMWRlIg.x0Wq3Yc2pZ5nV8s1"
# The values of a field by its name; the first that fits the schema is used.
_VALUES: Final[Mapping[str, tuple[Any, ...]]] = {
    "id": (_ID,), "name": ("Shop",), "title": ("Shop status", "Unprocessable Content"),
    "url": ("https://shop.example/health",),
    "status": ("ok", "UP", "open", "sent", "operational", 201), "verdict": ("DOWN",),
    "check_verdict": ("UP",), "kind": ("http", "webhook"), "method": ("GET",), "since": (_TIME,),
    "last_checked_at": (_TIME,), "last_used_at": (_TIME,), "date": ("2026-11-22",),
    "description": ("How the shop is doing.",), "silent": ([],), "delay_s": (0,), "degraded": (0,),
    "unknown": (0,), "maintenance_s": (0,), "flapping": (False,), "lateness_s": (0,),
    "response_ms": (183,), "interval_s": (60,), "timeout_s": (10,), "failure_threshold": (2,),
    "recovery_threshold": (1,), "consecutive_failures": (0,), "enabled": (True,),
    "published": (True,), "verify_tls": (True,), "follow_redirects": (True,), "admin": (False,),
    "disabled": (False,), "tags": (["prod"],), "target_ids": ([_ID],), "channel_ids": ([],),
    "headers": ({"Authorization": "***"}, {}), "body": (None,), "status_codes": (["200-299"],),
    "json": ([{"path": "$.ok", "equals": True}],), "status_code": (503,), "reason": ("status",),
    "error": ("expected 200-299, got 503",), "region": ("us-east-1",), "attempts": (1,),
    "first_byte": (152,), "checks": (1_440,), "up": (1_437,), "down": (3,),
    "uptime_ratio": (0.9979,), "downtime_s": (180,), "known_s": (86_400,), "mttr_s": (180,),
    "mtbf_s": (86_220,), "bucket_s": (3_600,), "p50": (180,), "p95": (310,), "p99": (620,),
    "avg": (195.4,), "max": (1_204,), "targets": (1,), "incidents": (1,), "incident_id": (_ID,),
    "target_name": ("Shop",), "duration_s": (180, 7_200), "what": ("opened",), "event": ("down",),
    "events": (["down", "recovered"],), "token": ("mon_…",), "secret": ("whsec_…",),
    "hint": ("mon_…4IyT",), "scopes": (["read", "write"],), "by": ("alice",), "user": ("alice",),
    "token_name": ("first token",), "action": ("target.changed",), "thing_name": ("Shop",),
    "fields": (["interval_s"],), "request_id": ("4f2b7c0e-5a0e-4c55-9d4f-6d3c1e0b9a11",),
    "limit": (10_000,), "used": (12,), "per_minute": (300,), "burst": (60,), "slug": ("shop",),
    "month": ("2026-11",), "mode": ("mute",), "cron": ("0 3 * * SUN",),
    "timezone": ("Europe/Berlin",), "next_cursor": (_CURSOR,), "history_days": (90,),
}  # fmt: skip
_TYPES: Final[Mapping[str, tuple[type, ...]]] = {
    "string": (str,), "integer": (int,), "number": (int, float), "boolean": (bool,),
    "array": (list,), "object": (dict,), "null": (type(None),),
}  # fmt: skip
_NEVER_NULL: Final = frozenset({"target", "token", "secret"})
"""Nullable fields whose examples have a value."""


def example(schema: Json, schemas: Mapping[str, Json], name: str = "") -> Any:
    """An example value of the schema, for a field of that name."""
    if "$ref" in schema:
        return example(schemas[schema["$ref"].rpartition("/")[2]], schemas, name)
    known = [value for value in _VALUES.get(name, ()) if _fits(value, schema, schemas)]
    allowed = [schema["const"]] if "const" in schema else schema.get("enum", [])
    if "default" in schema and name not in _NEVER_NULL:
        allowed = [schema["default"]]
    if known or allowed:
        return [*known, *allowed][0]
    choices = schema.get("anyOf") or schema.get("oneOf") or ()
    if {"type": "null"} in choices and name not in _NEVER_NULL:
        return None
    return example(choices[0], schemas, name) if choices else _plain(schema, schemas, name)


def _plain(schema: Json, schemas: Mapping[str, Json], name: str) -> Any:
    kind = schema.get("type", "object")
    if kind == "object":
        fields = schema.get("properties", {})
        if fields:
            return {one: example(field, schemas, one) for one, field in fields.items()}
        rest = schema.get("additionalProperties")
        key = {"by_status": "UP", "by_tag": "prod", "queues": "checks"}.get(name, "targets")
        inner = "by_status" if name == "by_tag" else ""
        return {key: example(rest, schemas, inner)} if isinstance(rest, dict) else {}
    if kind == "array":
        return [example(schema["items"], schemas)]
    if kind == "string":
        return _TIME if schema.get("format") == "date-time" else _ID if "id" in name else "text"
    return {"integer": schema.get("minimum", 1), "number": 1.5, "boolean": False}.get(kind)


def _fits(value: Any, schema: Json, schemas: Mapping[str, Json]) -> bool:
    """Whether a value has a type of the schema, without checking its bounds."""
    if "$ref" in schema:
        return _fits(value, schemas[schema["$ref"].rpartition("/")[2]], schemas)
    if choices := schema.get("anyOf") or schema.get("oneOf"):
        return any(_fits(value, choice, schemas) for choice in choices)
    if "const" in schema or "enum" in schema:
        return value in schema.get("enum", [schema.get("const")])
    if isinstance(value, dict) and "properties" in schema:
        return set(value) <= set(schema["properties"])
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    found = any(isinstance(value, _TYPES[kind]) for kind in kinds)
    return found and (not isinstance(value, bool) or "boolean" in kinds)
