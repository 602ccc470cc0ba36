"""Status pages: which of an owner's targets are shown to everybody, and in which words."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from chalicelib.monitoring.state import Status

MOST_TARGETS: Final = 100
"""Targets on one page, named ones and those with its tags together."""
SLUG_PATTERN: Final = r"^[a-z0-9]+(-[a-z0-9]+)*$"
SLUG_LENGTH: Final = 60
RESERVED: Final = frozenset(
    {"admin", "api", "badge", "confirm", "dashboard", "docs", "feed", "health", "healthz", "help"}
    | {"index", "login", "logout", "metrics", "monitum", "new", "null", "page", "pages", "ping"}
    | {"static", "status", "support", "system", "undefined", "v1", "www"}
)
"""What no page may be called: it is, or may become, an address of Monitum's own."""


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a page: the targets that are named, in order, then those with one of the tags.

    Without a name it stands at the top.
    """

    name: str = ""
    target_ids: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One status page of one owner. Times are epoch seconds; `version` grows with every change.

    `name` is the owner's own, `title` what visitors read. `top` comes before the sections.
    """

    owner: str
    id: str
    name: str
    slug: str
    title: str | None = None
    description: str | None = None
    top: Section = Section()
    sections: tuple[Section, ...] = ()
    published: bool = False
    show_response_times: bool = True
    history_days: int = 90
    version: int = 1
    created_at: int
    updated_at: int

    @property
    def parts(self) -> tuple[Section, ...]:
        """All sections, in the order in which they are shown."""
        return (self.top, *self.sections)

    @property
    def target_ids(self) -> list[str]:
        """The targets that are named, each once."""
        return list(dict.fromkeys(one for part in self.parts for one in part.target_ids))

    @property
    def tags(self) -> frozenset[str]:
        return frozenset(tag for part in self.parts for tag in part.tags)


class Condition(StrEnum):
    """What visitors are told of a target: its status, or that it is in maintenance."""

    UP = "UP"
    DOWN = "DOWN"
    DEGRADED = "DEGRADED"
    MAINTENANCE = "MAINTENANCE"
    PENDING = "PENDING"
    PAUSED = "PAUSED"

    @classmethod
    def of(cls, status: Status, *, in_maintenance: bool) -> "Condition":
        """Paused stays paused; nothing else is said of what is being worked on."""
        if in_maintenance and status is not Status.PAUSED:
            return cls.MAINTENANCE
        return cls(status.value)


class Overall(StrEnum):
    """What a page says of all its targets together."""

    OPERATIONAL = "operational"
    DEGRADED = "degraded"
    PARTIAL_OUTAGE = "partial_outage"
    MAJOR_OUTAGE = "major_outage"
    MAINTENANCE = "maintenance"
    UNKNOWN = "unknown"


def overall(conditions: Iterable[Condition]) -> Overall:
    """The worst that is true; a major outage is one of everything that is watched.

    What is paused or was not checked yet says nothing.
    """
    known = set(conditions) - {Condition.PAUSED, Condition.PENDING}
    if Condition.DOWN in known:
        return Overall.MAJOR_OUTAGE if known == {Condition.DOWN} else Overall.PARTIAL_OUTAGE
    if Condition.DEGRADED in known:
        return Overall.DEGRADED
    if Condition.MAINTENANCE in known:
        return Overall.MAINTENANCE
    return Overall.OPERATIONAL if known else Overall.UNKNOWN


def is_slug(text: str) -> bool:
    """Whether a page can be called so, beside what is reserved."""
    parts = text.split("-")
    return len(text) <= SLUG_LENGTH and all(
        part.isascii() and part.isalnum() and part == part.lower() for part in parts
    )


def public_id(page_id: str, *parts: str) -> str:
    """What something is called on a page: ids that are the owner's own stay with the owner."""
    return hashlib.sha256("\0".join((page_id, *parts)).encode()).hexdigest()[:12]


def arranged(
    page: Page, tags_of: Mapping[str, Sequence[str]], tagged: Iterable[str]
) -> Iterator[tuple[str, list[str]]]:
    """The names of the parts with the ids of their targets; each is shown once, where it is first.

    `tags_of` are those of the targets that there are; `tagged` are some of them in the order of
    their names. Parts without any targets are left out.
    """
    seen: set[str] = set()
    by_name = list(tagged)
    for part in page.parts:
        tags = set(part.tags)
        own = [one for one in by_name if not tags.isdisjoint(tags_of.get(one, ()))]
        wanted = dict.fromkeys(one for one in (*part.target_ids, *own) if one in tags_of)
        shown = [one for one in wanted if one not in seen][: MOST_TARGETS - len(seen)]
        seen.update(shown)
        if shown:
            yield part.name, shown
