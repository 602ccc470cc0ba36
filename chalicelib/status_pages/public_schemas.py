"""Status pages as everybody may see them."""

from datetime import UTC, datetime
from typing import Literal

from pydantic import Field

from chalicelib.api.schemas import Model, Moment
from chalicelib.status_pages.daily_uptime import uptime
from chalicelib.status_pages.page import Condition, Overall
from chalicelib.status_pages.view import (
    Day,
    ShownIncident,
    ShownMaintenance,
    ShownTarget,
    StatusPage,
)


class ShownDayOut(Model):
    """One day in UTC. `uptime_ratio` is null where nothing is known: a gap is neither up nor down.

    `response_ms` is the median, null too where the page does not show it.
    """

    date: str = Field(json_schema_extra={"format": "date"})
    uptime_ratio: float | None
    downtime_s: int
    maintenance_s: int
    response_ms: int | None

    @classmethod
    def of(cls, day: Day) -> "ShownDayOut":
        return cls(
            date=f"{datetime.fromtimestamp(day.start, UTC):%Y-%m-%d}",
            uptime_ratio=uptime([day]),
            downtime_s=day.down_s,
            maintenance_s=day.maintenance_s,
            response_ms=day.response_ms,
        )


class ShownTargetOut(Model):
    """A target on the page. `id` is of this page only, for badges: `/badge/{slug}.{id}/…`.

    `uptime_ratio` is over all `days`, the others over the last 7 and 30 of them.
    """

    id: str
    name: str
    status: Literal["UP", "DOWN", "DEGRADED", "MAINTENANCE", "PENDING", "PAUSED"]
    since: Moment
    uptime_ratio: float | None
    uptime_ratio_7d: float | None
    uptime_ratio_30d: float | None
    response_ms: int | None
    days: list[ShownDayOut]

    @classmethod
    def of(cls, target: ShownTarget) -> "ShownTargetOut":
        return cls(
            id=target.id,
            name=target.name,
            status=Condition(target.condition).value,
            since=target.since,
            uptime_ratio=target.uptime,
            uptime_ratio_7d=uptime(target.days[-7:]),
            uptime_ratio_30d=uptime(target.days[-30:]),
            response_ms=target.response_ms,
            days=[ShownDayOut.of(day) for day in target.days],
        )


class ShownSectionOut(Model):
    """A part of the page; the first one may be without a name."""

    name: str | None
    targets: list[ShownTargetOut]


class ShownIncidentOut(Model):
    """An outage of a target on the page, open while `closed_at` is null."""

    id: str
    target: str
    opened_at: Moment
    closed_at: Moment | None
    acknowledged_at: Moment | None

    @classmethod
    def of(cls, incident: ShownIncident) -> "ShownIncidentOut":
        return cls(
            id=incident.id,
            target=incident.target,
            opened_at=incident.opened_at,
            closed_at=incident.closed_at,
            acknowledged_at=incident.acknowledged_at,
        )


class ShownMaintenanceOut(Model):
    """Planned work on targets of the page, under way if `active`."""

    id: str
    name: str
    targets: list[str]
    starts_at: Moment
    ends_at: Moment
    active: bool

    @classmethod
    def of(cls, window: ShownMaintenance) -> "ShownMaintenanceOut":
        return cls(
            id=window.id,
            name=window.name,
            targets=list(window.targets),
            starts_at=window.starts_at,
            ends_at=window.ends_at,
            active=window.active,
        )


class StatusPageOut(Model):
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

    @classmethod
    def of(cls, page: StatusPage) -> "StatusPageOut":
        return cls(
            title=page.title,
            description=page.description,
            status=Overall(page.overall).value,
            uptime_ratio=page.uptime,
            sections=[
                ShownSectionOut(
                    name=name or None, targets=[ShownTargetOut.of(one) for one in targets]
                )
                for name, targets in page.sections
            ],
            incidents=[ShownIncidentOut.of(one) for one in page.incidents],
            maintenance=[ShownMaintenanceOut.of(one) for one in page.maintenance],
            made_at=page.made_at,
        )
