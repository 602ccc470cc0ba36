"""The schema of a manifest: its sections, and the fields and defaults of each kind of resource.

It mirrors the API, except that resources are referenced by name instead of ID. A test compares it
with the API's schemas.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from monitum_cli.errors import FieldPath

VERSION: Final = 1
REQUIRED: Final = object()
"""In place of a default: the API rejects a resource without this field."""
MASK: Final = "***"
"""What the API returns in place of a secret; sent back, it keeps the stored secret."""
SECRET_FIELDS: Final = frozenset({"send"})
"""Fields that are secret as a whole, unlike header values and parts of URLs."""
Fields = Mapping[str, Any]

_SPEED_EXPECTATIONS: Fields = {"max_response_ms": None}
_BODY_EXPECTATIONS: Fields = {
    **_SPEED_EXPECTATIONS,
    "body_contains": None,
    "body_not_contains": None,
    "body_matches": None,
}
EXPECTATIONS: Mapping[str, Fields] = {
    "http": {
        **_BODY_EXPECTATIONS,
        "status_codes": ["200-299"],
        "json": [],
        "headers": {},
        "tls_days_left": None,
    },
    "tcp": _BODY_EXPECTATIONS,
    "tls": {**_SPEED_EXPECTATIONS, "tls_days_left": 14},
    "dns": _SPEED_EXPECTATIONS,
}
"""The expectations of each kind of target, with their defaults."""
UNFOLLOWED_STATUS_CODES = ["200-399"]
"""The default status codes of a target that does not follow redirects."""
TIME_FIELDS = {"starts_at", "ends_at"}
_TARGET: Fields = {
    "kind": REQUIRED,
    "interval_s": 60,
    "timeout_s": 10,
    "failure_threshold": 2,
    "recovery_threshold": 1,
    "tags": [],
    "channels": [],
    "enabled": True,
    "expect": {},
}
_CHANNEL: Fields = {
    "kind": REQUIRED,
    "events": ["down", "recovered", "degraded", "tls_expiring", "up", "reminder"],
    "delay_s": 0,
    "repeat_s": None,
    "tags": [],
}


@dataclass(frozen=True, slots=True)
class Section:
    """A section of a manifest: a type of resource, its path in the API, its kinds and fields.

    Resources without kinds have the single kind "". `references` maps a field with names to the
    API's field with IDs and the section that the names belong to. `unordered` are lists whose order
    does not matter. `parts` are fields with lists of maps, which have a schema too.
    """

    name: str
    noun: str
    path: str
    kinds: Mapping[str, Fields]
    references: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    unordered: frozenset[str] = frozenset()
    parts: Mapping[str, "Section"] = field(default_factory=dict)

    def fields_of(self, resource: Mapping[str, Any]) -> Fields | None:
        """Return the fields of a resource's kind with their defaults, None for an unknown kind."""
        if "" in self.kinds:
            return self.kinds[""]
        kind = resource.get("kind")
        return self.kinds.get(kind) if isinstance(kind, str) else None


CHANNELS = Section(
    name="channels",
    noun="channel",
    path="/v1/channels",
    kinds={
        "webhook": {**_CHANNEL, "url": REQUIRED},
        "email": {**_CHANNEL, "address": REQUIRED},
        "apprise": {**_CHANNEL, "url": REQUIRED},
    },
    unordered=frozenset({"events", "tags"}),
)
TARGETS = Section(
    name="targets",
    noun="target",
    path="/v1/targets",
    kinds={
        "http": {
            **_TARGET,
            "url": REQUIRED,
            "method": "GET",
            "headers": {},
            "body": None,
            "follow_redirects": True,
            "verify_tls": True,
            "max_body_bytes": None,
        },
        "tcp": {**_TARGET, "host": REQUIRED, "port": REQUIRED, "send": None},
        "tls": {**_TARGET, "host": REQUIRED, "port": 443, "verify_tls": True},
        "dns": {
            **_TARGET,
            "host": REQUIRED,
            "record_type": "A",
            "expected": [],
            "exact": False,
            "resolver": None,
        },
    },
    references={"channels": ("channel_ids", "channels")},
    unordered=frozenset({"tags", "channels"}),
)
MAINTENANCE = Section(
    name="maintenance",
    noun="maintenance window",
    path="/v1/maintenance",
    kinds={
        "": {
            "mode": "mute",
            "counts_in_uptime": False,
            "targets": [],
            "tags": [],
            "starts_at": None,
            "ends_at": None,
            "cron": None,
            "timezone": None,
            "duration_s": None,
        }
    },
    references={"targets": ("target_ids", "targets")},
    unordered=frozenset({"targets", "tags"}),
)
_SELECTION: Fields = {"targets": [], "tags": []}
PAGES = Section(
    name="pages",
    noun="status page",
    path="/v1/pages",
    kinds={
        "": {
            "slug": REQUIRED,
            "title": None,
            "description": None,
            **_SELECTION,
            "sections": [],
            "published": False,
            "show_response_times": True,
            "history_days": 90,
        }
    },
    references={"targets": ("target_ids", "targets")},
    unordered=frozenset({"tags"}),
    parts={
        "sections": Section(
            name="sections",
            noun="section",
            path="",
            kinds={"": {"name": REQUIRED, **_SELECTION}},
            references={"targets": ("target_ids", "targets")},
            unordered=frozenset({"tags"}),
        )
    },
)
SECTIONS = (CHANNELS, TARGETS, MAINTENANCE, PAGES)
"""In the order of creation: referenced resources come first."""
SECTIONS_BY_NAME = {section.name: section for section in SECTIONS}


def iter_references(
    section: Section, resource: Mapping[str, Any], path: FieldPath = ()
) -> Iterator[tuple[FieldPath, str, Any]]:
    """Yield each list of names in a resource: its path, the section referenced, the names."""
    for name, (_, other) in section.references.items():
        yield (*path, name), other, resource.get(name)
    for name, part in section.parts.items():
        for index, item in enumerate(resource.get(name) or []):
            yield from iter_references(part, item, (*path, name, index))


def iter_masks(resource: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    """Yield the path of each field in which MASK stands for a stored secret."""
    url = resource.get("url")
    if isinstance(url, str) and (url.endswith(f"://{MASK}") or f"://{MASK}@" in url):
        yield ("url",)
    yield from ((name,) for name in SECRET_FIELDS if resource.get(name) == MASK)
    headers = resource.get("headers")
    if isinstance(headers, dict):
        yield from (("headers", name) for name, value in headers.items() if value == MASK)
