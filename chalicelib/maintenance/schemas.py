"""Request and response schemas of maintenance windows."""

from dataclasses import asdict
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from chalicelib.api.schemas import (
    GivenMoment,
    Line,
    Model,
    Moment,
    Name,
    Page,
    Root,
    Schema,
    Tag,
    any_partial,
)
from chalicelib.maintenance.occurrences import next_occurrence
from chalicelib.maintenance.service import MAX_RECURRING_S, MIN_DURATION_S
from chalicelib.maintenance.window import Mode, Rule, Window, WindowDraft

Id = Annotated[str, Field(min_length=1, max_length=36)]


def _distinct(values: list[str]) -> list[str]:
    return list(dict.fromkeys(values))


class WindowIn(Schema):
    """A window that occurs once or by `cron`, for targets, tags, or both."""

    name: Name
    mode: Literal["mute", "skip"] = "mute"
    counts_in_uptime: bool = False
    target_ids: Annotated[list[Id], Field(max_length=200), AfterValidator(_distinct)] = []
    tags: Annotated[list[Tag], Field(max_length=20), AfterValidator(_distinct)] = []
    starts_at: GivenMoment | None = None
    ends_at: GivenMoment | None = None
    cron: Annotated[Line, Field(max_length=100)] | None = None
    timezone: Annotated[Line, Field(max_length=50)] | None = None
    duration_s: Annotated[int, Field(ge=MIN_DURATION_S, le=MAX_RECURRING_S)] | None = None

    def draft(self) -> WindowDraft:
        default_zone = "UTC" if self.cron and self.starts_at is None else None
        return WindowDraft(
            name=self.name,
            mode=Mode(self.mode),
            counts_in_uptime=self.counts_in_uptime,
            target_ids=tuple(self.target_ids),
            tags=tuple(self.tags),
            rule=Rule(
                starts_at=self.starts_at,
                ends_at=self.ends_at,
                cron=self.cron,
                timezone=self.timezone or default_zone,
                duration_s=self.duration_s,
            ),
        )


class WindowPatch(Root[dict[str, Any]]):
    """The fields to replace, each as a whole; null restores the default."""

    @classmethod
    def __get_pydantic_json_schema__(
        cls, _core: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return any_partial(cls, handler, (WindowIn,))


class TimeOut(Model):
    """One occurrence of a window."""

    starts_at: Moment
    ends_at: Moment


class WindowOut(Model):
    """A window, whether it is `active` now, and its current or else next occurrence."""

    id: str
    name: str
    mode: Literal["mute", "skip"]
    counts_in_uptime: bool
    target_ids: list[str]
    tags: list[str]
    starts_at: Moment | None
    ends_at: Moment | None
    cron: str | None
    timezone: str | None
    duration_s: int | None
    active: bool
    next: TimeOut | None
    created_at: Moment
    updated_at: Moment

    @classmethod
    def of(cls, window: Window, now: int) -> "WindowOut":
        occurrence = next_occurrence(window, now)
        return cls(
            id=window.id,
            name=window.name,
            mode=window.mode.value,
            counts_in_uptime=window.counts_in_uptime,
            target_ids=list(window.target_ids),
            tags=list(window.tags),
            **asdict(window.rule),
            active=occurrence is not None and occurrence[0] <= now,
            next=occurrence and TimeOut(starts_at=occurrence[0], ends_at=occurrence[1]),
            created_at=window.created_at,
            updated_at=window.updated_at,
        )


WindowsPage = Page[WindowOut]
