"""Maintenance windows as they come in and go out."""

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
    render_time,
)
from chalicelib.maintenance.occurrences import next_time
from chalicelib.maintenance.service import LONGEST_RECURRING_S, SHORTEST_S, WindowDraft
from chalicelib.maintenance.window import Mode, Rule, Window

Id = Annotated[str, Field(min_length=1, max_length=36)]


def _distinct(values: list[str]) -> list[str]:
    return list(dict.fromkeys(values))


class WindowIn(Schema):
    """A window as its owner describes it: once or by `cron`; for targets, tags, or both."""

    name: Name
    mode: Literal["mute", "skip"] = "mute"
    counts_in_uptime: bool = False
    target_ids: Annotated[list[Id], Field(max_length=200), AfterValidator(_distinct)] = []
    tags: Annotated[list[Tag], Field(max_length=20), AfterValidator(_distinct)] = []
    starts_at: GivenMoment | None = None
    ends_at: GivenMoment | None = None
    cron: Annotated[Line, Field(max_length=100)] | None = None
    timezone: Annotated[Line, Field(max_length=50)] | None = None
    duration_s: Annotated[int, Field(ge=SHORTEST_S, le=LONGEST_RECURRING_S)] | None = None

    def draft(self) -> WindowDraft:
        zone = "UTC" if self.cron and self.starts_at is None else None
        return WindowDraft(
            name=self.name,
            mode=Mode(self.mode),
            counts_in_uptime=self.counts_in_uptime,
            target_ids=self.target_ids,
            tags=self.tags,
            rule=Rule(
                starts_at=self.starts_at,
                ends_at=self.ends_at,
                cron=self.cron,
                timezone=self.timezone or zone,
                duration_s=self.duration_s,
            ),
        )


class WindowPatch(Root[dict[str, Any]]):
    """The fields to replace, each as a whole; null puts the default back."""

    @classmethod
    def __get_pydantic_json_schema__(
        cls, _core: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return any_partial(cls, handler, (WindowIn,))

    def over(self, window: Window) -> dict[str, Any]:
        """The window's description with these fields instead of its own."""
        merged = {**describe(window), **self.root}
        return {name: value for name, value in merged.items() if value is not None}


class TimeOut(Model):
    """One time of a window."""

    starts_at: Moment
    ends_at: Moment


class WindowOut(Model):
    """A window as it is shown: `active` now or not, with its present or else its next time."""

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
        coming = next_time(window, now)
        return cls(
            id=window.id,
            name=window.name,
            mode=window.mode.value,
            counts_in_uptime=window.counts_in_uptime,
            target_ids=list(window.target_ids),
            tags=list(window.tags),
            starts_at=window.rule.starts_at,
            ends_at=window.rule.ends_at,
            cron=window.rule.cron,
            timezone=window.rule.timezone,
            duration_s=window.rule.duration_s,
            active=coming is not None and coming[0] <= now,
            next=None if coming is None else TimeOut(starts_at=coming[0], ends_at=coming[1]),
            created_at=window.created_at,
            updated_at=window.updated_at,
        )


WindowsPage = Page[WindowOut]


def describe(window: Window) -> dict[str, Any]:
    """What of a window its owner gave."""
    rule = window.rule
    return {
        "name": window.name,
        "mode": window.mode.value,
        "counts_in_uptime": window.counts_in_uptime,
        "target_ids": list(window.target_ids),
        "tags": list(window.tags),
        "starts_at": None if rule.starts_at is None else render_time(rule.starts_at),
        "ends_at": None if rule.ends_at is None else render_time(rule.ends_at),
        "cron": rule.cron,
        "timezone": rule.timezone,
        "duration_s": rule.duration_s,
    }
