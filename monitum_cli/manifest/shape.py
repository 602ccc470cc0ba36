"""What a file may say: the sections, and of each kind the fields with their defaults.

It is what the API takes, but for references: things are named, not numbered. A test holds it to the
API's own schemas.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

REQUIRED: Final = object()
"""In place of a default: the API refuses a thing without this field."""
MASK: Final = "***"
"""What the API shows in place of a secret; given back, it stands for the one that is stored."""
SECRET_TEXTS: Final = frozenset({"send"})
"""Fields that are secrets as a whole; header values and what URLs hold are told apart elsewhere."""
Fields = Mapping[str, Any]
Place = tuple[str | int, ...]
"""The way to a field."""
Naming = tuple[Place, str, Any]

_SPEED: Fields = {"max_response_ms": None}
_BODY: Fields = {
    **_SPEED,
    "body_contains": None,
    "body_not_contains": None,
    "body_matches": None,
}
EXPECT: Mapping[str, Fields] = {
    "http": {
        **_BODY,
        "status_codes": ["200-299"],
        "json": [],
        "headers": {},
        "tls_days_left": None,
    },
    "tcp": _BODY,
    "tls": {**_SPEED, "tls_days_left": 14},
    "dns": _SPEED,
}
TIMES = {"starts_at", "ends_at"}
UNFOLLOWED = ["200-399"]
"""The status codes that are expected where redirects are not followed."""
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
    """One part of a file: what one thing in it is called, where the API has it, its kinds.

    `references` leads from a field of the file to the API's and the section that it names. `parts`
    are fields that are lists of things with fields of their own.
    """

    name: str
    word: str
    path: str
    kinds: Mapping[str, Fields]
    references: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    unordered: frozenset[str] = frozenset()
    parts: Mapping[str, "Section"] = field(default_factory=dict)

    def fields(self, given: Mapping[str, Any]) -> Fields | None:
        """The fields of what is given, None where there is no such kind."""
        if "" in self.kinds:
            return self.kinds[""]
        kind = given.get("kind")
        return self.kinds.get(kind) if isinstance(kind, str) else None


CHANNELS = Section(
    name="channels",
    word="channel",
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
    word="target",
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
    word="maintenance window",
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
_SHOWN: Fields = {"targets": [], "tags": []}
PAGES = Section(
    name="pages",
    word="status page",
    path="/v1/pages",
    kinds={
        "": {
            "slug": REQUIRED,
            "title": None,
            "description": None,
            **_SHOWN,
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
            word="section",
            path="",
            kinds={"": {"name": REQUIRED, **_SHOWN}},
            references={"targets": ("target_ids", "targets")},
            unordered=frozenset({"tags"}),
        )
    },
)
SECTIONS = (CHANNELS, TARGETS, MAINTENANCE, PAGES)
"""In the order in which they are made: what is referred to comes first."""
BY_NAME = {section.name: section for section in SECTIONS}


def named(section: Section, given: Mapping[str, Any], place: Place = ()) -> Iterator[Naming]:
    """The way to each list of names in what is given, the section that it names, and the names."""
    for name, (_, other) in section.references.items():
        yield (*place, name), other, given.get(name)
    for name, part in section.parts.items():
        for number, one in enumerate(given.get(name) or []):
            yield from named(part, one, (*place, name, number))
