"""Status pages: the selection of an owner's targets that is public, and its presentation."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from typing import Final

from chalicelib.monitoring.staleness import ReportedStatus

MAX_TARGETS: Final = 100
"""The limit of targets on a page, whether named or selected by tag."""
SLUG_PATTERN: Final = r"^[a-z0-9]+(-[a-z0-9]+)*$"
SLUG_LENGTH: Final = 60
RESERVED: Final = frozenset(
    {"admin", "api", "badge", "confirm", "dashboard", "docs", "feed", "health", "healthz", "help"}
    | {"index", "login", "logout", "metrics", "monitum", "new", "null", "page", "pages", "ping"}
    | {"static", "status", "support", "system", "undefined", "v1", "www"}
)
"""Slugs that no page can have, because Monitum uses or may use these paths itself."""


@dataclass(frozen=True, slots=True)
class Section:
    """A section of a page: the named targets, in order, then those with one of the tags.

    The section at the top of the page has no name.
    """

    name: str = ""
    target_ids: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PageDraft:
    """The fields of a page that its owner sets.

    `name` is for the owner, `title` for visitors. `top` comes before the sections.
    """

    name: str
    slug: str
    title: str | None = None
    description: str | None = None
    top: Section = Section()
    sections: tuple[Section, ...] = ()
    published: bool = False
    show_response_times: bool = True
    history_days: int = 90


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(PageDraft):
    """A stored page. Times are epoch seconds; `version` grows with every change."""

    owner: str
    id: str
    version: int = 1
    created_at: int
    updated_at: int

    def with_draft(self, draft: PageDraft) -> "Page":
        """Return the page with the owner's fields replaced."""
        return replace(self, **{one.name: getattr(draft, one.name) for one in fields(PageDraft)})

    @property
    def parts(self) -> tuple[Section, ...]:
        """All sections in the order of the page."""
        return (self.top, *self.sections)

    @property
    def target_ids(self) -> list[str]:
        """The distinct named targets."""
        return list(dict.fromkeys(one for part in self.parts for one in part.target_ids))

    @property
    def tags(self) -> frozenset[str]:
        return frozenset(tag for part in self.parts for tag in part.tags)


PLAIN_FIELDS: Final = (
    *("name", "slug", "title", "description", "published", "show_response_times"),
    "history_days",
)
"""The fields of a draft other than its sections, which the API and the storage share."""


class Condition(StrEnum):
    """The public status of a target."""

    UP = "UP"
    DOWN = "DOWN"
    DEGRADED = "DEGRADED"
    MAINTENANCE = "MAINTENANCE"
    UNKNOWN = "UNKNOWN"
    PENDING = "PENDING"
    PAUSED = "PAUSED"

    @classmethod
    def of(cls, status: ReportedStatus, *, in_maintenance: bool) -> "Condition":
        """Maintenance hides every status except PAUSED."""
        if in_maintenance and status is not ReportedStatus.PAUSED:
            return cls.MAINTENANCE
        return cls(status.value)


class Overall(StrEnum):
    """The public status of a whole page."""

    OPERATIONAL = "operational"
    DEGRADED = "degraded"
    PARTIAL_OUTAGE = "partial_outage"
    MAJOR_OUTAGE = "major_outage"
    MAINTENANCE = "maintenance"
    UNKNOWN = "unknown"


def overall(conditions: Iterable[Condition]) -> Overall:
    """Return the worst condition. A major outage is one in which everything monitored is down.

    Targets that are paused or have not been checked yet are ignored. A page is not operational
    while a target on it has no current data.
    """
    shown = set(conditions) - {Condition.PAUSED, Condition.PENDING}
    if Condition.DOWN in shown:
        return Overall.MAJOR_OUTAGE if shown == {Condition.DOWN} else Overall.PARTIAL_OUTAGE
    if Condition.DEGRADED in shown:
        return Overall.DEGRADED
    if Condition.UNKNOWN in shown or not shown:
        return Overall.UNKNOWN
    return Overall.MAINTENANCE if Condition.MAINTENANCE in shown else Overall.OPERATIONAL


def is_slug(text: str) -> bool:
    """Whether the text matches SLUG_PATTERN."""
    parts = text.split("-")
    return len(text) <= SLUG_LENGTH and all(
        part.isascii() and part.isalnum() and part == part.lower() for part in parts
    )


def public_id(page_id: str, *parts: str) -> str:
    """Return a hash that identifies something on a page without revealing the owner's ids."""
    return hashlib.sha256("\0".join((page_id, *parts)).encode()).hexdigest()[:12]


def arrange(
    page: Page, tags_of: Mapping[str, Sequence[str]], tagged: Iterable[str]
) -> Iterator[tuple[str, list[str]]]:
    """Yield the names of the sections with the ids of their targets, each where it first occurs.

    `tags_of` maps the existing targets to their tags; `tagged` orders the tagged ones by name.
    Sections without targets are omitted.
    """
    seen: set[str] = set()
    by_name = list(tagged)
    for part in page.parts:
        tags = set(part.tags)
        matching = [one for one in by_name if not tags.isdisjoint(tags_of.get(one, ()))]
        candidates = dict.fromkeys(one for one in (*part.target_ids, *matching) if one in tags_of)
        shown = [one for one in candidates if one not in seen][: MAX_TARGETS - len(seen)]
        seen.update(shown)
        if shown:
            yield part.name, shown
