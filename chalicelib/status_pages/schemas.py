"""The HTTP schemas of status pages, for their owners and for visitors."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from chalicelib.api.schemas import Line, Model, Moment, Name, Page, Root, Schema, Tag, any_partial
from chalicelib.status_pages import page as pages
from chalicelib.status_pages.page import (
    MAX_TARGETS,
    PLAIN_FIELDS,
    RESERVED,
    SLUG_LENGTH,
    SLUG_PATTERN,
    PageDraft,
    Section,
    is_slug,
)


def _distinct(values: list[str]) -> list[str]:
    return list(dict.fromkeys(values))


def _check_slug(slug: str) -> str:
    if not is_slug(slug):
        raise ValueError("must be lower-case letters and digits, joined by single hyphens")
    if slug in RESERVED:
        raise ValueError("is reserved; choose another")
    return slug


Id = Annotated[str, Field(min_length=1, max_length=36)]
Ids = Annotated[list[Id], Field(max_length=MAX_TARGETS), AfterValidator(_distinct)]
Tags = Annotated[list[Tag], Field(max_length=20), AfterValidator(_distinct)]
Slug = Annotated[
    str,
    Field(
        min_length=1,
        max_length=SLUG_LENGTH,
        json_schema_extra={"pattern": SLUG_PATTERN, "not": {"enum": sorted(RESERVED)}},
    ),
    AfterValidator(_check_slug),
]


class SectionIn(Schema):
    """A section with a heading: the targets in this order, then those with one of the tags."""

    name: Name
    target_ids: Ids = []
    tags: Tags = []


class PageIn(Schema):
    """A status page as its owner defines it."""

    name: Name
    slug: Slug
    title: Name | None = None
    description: Annotated[Line, Field(min_length=1, max_length=500)] | None = None
    target_ids: Ids = []
    tags: Tags = []
    sections: Annotated[list[SectionIn], Field(max_length=20)] = []
    published: bool = False
    show_response_times: bool = True
    history_days: Annotated[int, Field(ge=7, le=90)] = 90

    def draft(self) -> PageDraft:
        top = Section("", tuple(self.target_ids), tuple(self.tags))
        sections = (
            Section(one.name, tuple(one.target_ids), tuple(one.tags)) for one in self.sections
        )
        fields = {name: getattr(self, name) for name in PLAIN_FIELDS}
        return PageDraft(**fields, top=top, sections=tuple(sections))


class PagePatch(Root[dict[str, Any]]):
    """The fields to replace, each as a whole; null restores the default."""

    @classmethod
    def __get_pydantic_json_schema__(
        cls, _core: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return any_partial(cls, handler, (PageIn,))


class SectionOut(Model):
    """A section with a heading."""

    name: str
    target_ids: list[str]
    tags: list[str]


class PageOut(Model):
    """A status page as its owner sees it; visitors find it at `/status/{slug}`."""

    id: str
    name: str
    slug: str
    title: str | None
    description: str | None
    target_ids: list[str]
    tags: list[str]
    sections: list[SectionOut]
    published: bool
    show_response_times: bool
    history_days: int
    created_at: Moment
    updated_at: Moment

    @classmethod
    def of(cls, page: pages.Page) -> "PageOut":
        times = {"created_at": page.created_at, "updated_at": page.updated_at}
        return cls.model_validate({"id": page.id, **describe(page), **times})


PagesPage = Page[PageOut]


def describe(page: pages.Page) -> dict[str, Any]:
    """Return the fields of PageIn."""
    return {
        **{name: getattr(page, name) for name in PLAIN_FIELDS},
        **_targets(page.top),
        "sections": [{"name": part.name, **_targets(part)} for part in page.sections],
    }


def _targets(part: Section) -> dict[str, Any]:
    return {"target_ids": list(part.target_ids), "tags": list(part.tags)}


class _View(Model, from_attributes=True):
    """The base of schemas that are read from the classes in `view.py`."""


class ShownDayOut(_View):
    """One day in UTC. `uptime_ratio` is null if nothing is known: a gap is neither up nor down.

    `response_ms` is the median, or null if the page does not show response times.
    """

    date: str = Field(json_schema_extra={"format": "date"})
    uptime_ratio: float | None
    downtime_s: int
    maintenance_s: int
    response_ms: int | None


class ShownTargetOut(_View):
    """A target on the page. `id` is valid for this page only, for badges: `/badge/{slug}.{id}/…`.

    `uptime_ratio` covers all `days`, the others the last 7 and 30 of them. `stale`, with the status
    UNKNOWN: there is no current data, and the last was received at `since`.
    """

    id: str
    name: str
    status: Literal["UP", "DOWN", "DEGRADED", "MAINTENANCE", "UNKNOWN", "PENDING", "PAUSED"]
    since: Moment
    last_checked_at: Moment | None
    stale: bool
    uptime_ratio: float | None
    uptime_ratio_7d: float | None
    uptime_ratio_30d: float | None
    response_ms: int | None
    days: list[ShownDayOut]


class ShownSectionOut(_View):
    """A section of the page; the first one may have no name."""

    name: str | None
    targets: list[ShownTargetOut]


class ShownIncidentOut(_View):
    """An outage of a target on the page, open while `closed_at` is null.

    It began at `first_failed_at`, its first failing check.
    """

    id: str
    target: str
    first_failed_at: Moment
    opened_at: Moment
    closed_at: Moment | None
    acknowledged_at: Moment | None


class ShownMaintenanceOut(_View):
    """Planned maintenance of targets on the page."""

    id: str
    name: str
    targets: list[str]
    starts_at: Moment
    ends_at: Moment
    active: bool


class StatusPageOut(_View):
    """A published status page, as HTML or, with `.json`, as this."""

    title: str
    description: str | None
    status: Literal[
        "operational", "degraded", "partial_outage", "major_outage", "maintenance", "unknown"
    ]
    uptime_ratio: float | None
    sections: list[ShownSectionOut]
    incidents: list[ShownIncidentOut]
    maintenance: list[ShownMaintenanceOut]
    made_at: Moment
