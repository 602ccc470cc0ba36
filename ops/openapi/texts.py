"""The texts, links and request examples of the OpenAPI document."""

from typing import Any

Json = dict[str, Any]
_ID = "0190c1de-7a3b-7c4d-8e5f-0a1b2c3d4e5f"

INFO: Json = {
    "title": "Monitum",
    "version": "1",
    "summary": "An uptime monitor that its users own.",
    "description": (
        "JSON in and out, times as RFC 3339 in UTC, durations in the unit that a name ends in."
        " Lists continue with `cursor` until `next_cursor` is null. Errors are RFC 9457 problems."
    ),
}
TAGS = {
    "targets": "The monitored services.",
    "summary": "The current status of all targets.",
    "stats": "Uptime and response times.",
    "reports": "Uptime by month.",
    "metrics": "Metrics for Prometheus.",
    "incidents": "Outages, from the first failure to the recovery.",
    "channels": "Destinations of alerts.",
    "maintenance": "Periods in which alerts are muted or checks are skipped.",
    "pages": "Status pages.",
    "status": "Public content: published status pages and badges.",
    "me": "The user of the token.",
    "tokens": "Access tokens.",
    "audit": "The log of changes.",
    "users": "Management of users, for admins.",
    "openapi": "This document.",
    "site": "The dashboard, these pages, and the health of the installation.",
}


def _id(noun: str) -> Json:
    return {"schema": {"type": "string", "format": "uuid"}, "description": f"The {noun}'s id."}


PARAMETERS: dict[str, Json] = {
    "target_id": _id("target"),
    "channel_id": _id("channel"),
    "delivery_id": _id("delivery"),
    "incident_id": _id("incident"),
    "token_id": _id("token"),
    "user_id": _id("user"),
    "window_id": _id("maintenance window"),
    "page_id": _id("status page"),
    "slug": {
        "schema": {"type": "string"},
        "description": "The page's slug; with the suffix `.json`, the response is JSON.",
        "example": "shop",
    },
    "badge": {
        "schema": {"type": "string"},
        "description": "A page's slug; for one of its targets followed by a dot and its public id.",
        "example": "shop.0a1b2c3d4e5f",
    },
    "picture": {
        "schema": {"type": "string", "enum": ["uptime.svg", "status.svg", "response.svg"]},
        "description": "What the badge shows.",
    },
    "token": {
        "schema": {"type": "string"},
        "description": "The last part of the link in the email.",
    },
}
REQUEST_HEADERS: dict[str, Json] = {
    "Idempotency-Key": {
        "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
        "description": "A request repeated within a day with this key has the same response.",
        "example": "deploy-2026-11-22-shop",
    },
    "If-Match": {
        "schema": {"type": "string", "maxLength": 1000, "pattern": '^"[0-9]+"$'},
        "description": "The ETag of the version to change; another version is not changed.",
        "example": '"3"',
    },
}
RESPONSE_HEADERS: dict[str, Json] = {
    "Location": {
        "schema": {"type": "string"},
        "description": "The URL of the resource, relative to that of the request.",
    },
    "Cache-Control": {
        "schema": {"type": "string"},
        "description": "How long, and by whom, the response may be cached.",
    },
    "ETag": {"schema": {"type": "string"}, "description": "The version, for If-Match."},
    "Link": {"schema": {"type": "string"}, "description": 'The next page, with rel="next".'},
    "Idempotent-Replayed": {
        "schema": {"type": "string", "const": "true"},
        "description": "Present if the response is that of an earlier request with this key.",
    },
    "RateLimit-Policy": {
        "schema": {"type": "string"},
        "description": "The allowed number of requests (`q`) per window in seconds (`w`).",
    },
    "RateLimit": {
        "schema": {"type": "string"},
        "description": "The remaining requests (`r`), and seconds until all are available (`t`).",
    },
    "Retry-After": {
        "schema": {"type": "integer"},
        "description": "The number of seconds to wait before a retry.",
    },
}


def _links(parameter: str, *operations: str) -> Json:
    """Links from a created resource to the operations on it, which take its id."""
    return {
        operation: {
            "operationId": operation,
            "parameters": {parameter: "$response.body#/id"},
            "description": f"Its `id` is the `{parameter}` there.",
        }
        for operation in operations
    }


LINKS: dict[str, Json] = {
    "create_target": _links(
        "target_id", "get_target", "change_target", "pause_target", "resume_target", "list_checks",
        "get_target_stats", "list_incidents_of_target", "delete_target",
    ),
    "create_channel": _links(
        "channel_id", "get_channel", "change_channel", "test_channel", "list_deliveries",
        "rotate_channel_secret", "delete_channel",
    ),
    "create_window": _links("window_id", "get_window", "change_window", "delete_window"),
    "create_page": _links("page_id", "get_page", "change_page", "delete_page"),
    "create_token": _links("token_id", "revoke_token"),
    "create_user": _links("user_id", "get_user", "change_user"),
}  # fmt: skip
_TARGET = {"name": "Shop", "kind": "http", "url": "https://shop.example/health", "interval_s": 60}
EXAMPLES: dict[str, dict[str, Any]] = {
    "create_target": {
        "http": {
            **_TARGET,
            "expect": {"status_codes": ["200-299"], "json": [{"path": "$.ok", "equals": True}]},
            "tags": ["prod"],
        },
        "tcp": {"name": "Mail", "kind": "tcp", "host": "mail.example", "port": 993},
        "tls": {"name": "Certificate", "kind": "tls", "host": "shop.example"},
        "dns": {
            "name": "Mail exchange",
            "kind": "dns",
            "host": "shop.example",
            "record_type": "MX",
            "expected": ["10 mx.shop.example"],
        },
    },
    "create_targets": {"two": {"items": [_TARGET, {**_TARGET, "name": "Shop, slowly"}]}},
    "change_target": {"slower": {"interval_s": 300, "tags": ["prod", "slow"]}},
    "create_channel": {
        "webhook": {
            "name": "On call",
            "kind": "webhook",
            "url": "https://example.com/hooks/monitum",
        },
        "email": {"name": "Ops", "kind": "email", "address": "ops@shop.example"},
        "apprise": {"name": "Chat", "kind": "apprise", "url": "discord://4174216298/JHMHI8qBe7bk"},
    },
    "change_channel": {"later": {"delay_s": 300}},
    "create_window": {
        "once": {
            "name": "Upgrade",
            "tags": ["prod"],
            "starts_at": "2026-11-22T22:00:00Z",
            "ends_at": "2026-11-23T01:00:00Z",
        },
        "every_sunday": {
            "name": "Sunday nights",
            "tags": ["prod"],
            "mode": "skip",
            "cron": "0 3 * * SUN",
            "timezone": "Europe/Berlin",
            "duration_s": 7_200,
        },
    },
    "change_window": {"longer": {"ends_at": "2026-11-23T02:00:00Z"}},
    "create_page": {
        "by_tag": {"name": "Shop", "slug": "shop", "tags": ["prod"], "published": True},
        "in_sections": {
            "name": "Shop",
            "slug": "shop",
            "title": "Shop status",
            "sections": [
                {"name": "Website", "target_ids": [_ID]},
                {"name": "Mail", "tags": ["mail"]},
            ],
        },
    },
    "change_page": {"publish": {"published": True}},
    "acknowledge_incident": {"note": {"note": "Looking into it"}},
    "create_token": {"reading": {"name": "dashboard", "scopes": ["read"]}},
    "create_user": {"user": {"name": "bob"}},
    "change_user": {
        "disable": {"disabled": True},
        "limits": {"limits": {"rate_per_minute": 600, "targets": 20_000}},
    },
}
