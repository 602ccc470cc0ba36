"""The content of a status page, as the renderers and the JSON schema read it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Final

from chalicelib.status_pages.page import Condition, Overall

DAY_S: Final = 86_400


@dataclass(frozen=True, slots=True)
class Day:
    """One day in UTC of one target, from `start` in epoch seconds.

    The status is unknown for the rest of the day. `up_s` includes `degraded_s`. `response_ms` is
    the median.
    """

    start: int
    up_s: int = 0
    downtime_s: int = 0
    degraded_s: int = 0
    maintenance_s: int = 0
    response_ms: int | None = None

    @property
    def date(self) -> str:
        return f"{datetime.fromtimestamp(self.start, UTC):%Y-%m-%d}"

    @property
    def known_s(self) -> int:
        return self.up_s + self.downtime_s

    @property
    def uptime_ratio(self) -> float | None:
        return uptime([self])


def uptime(days: Sequence[Day]) -> float | None:
    """Return the uptime as a share of the known time, in [0, 1]; None if nothing is known."""
    known_s = sum(day.known_s for day in days)
    return sum(day.up_s for day in days) / known_s if known_s else None


@dataclass(frozen=True)
class TargetView:
    """A target on a page, with its days from the oldest to the current one."""

    id: str
    name: str
    status: Condition
    since: int
    days: Sequence[Day]
    last_checked_at: int | None = None

    @property
    def stale(self) -> bool:
        """Whether there is no current data; `since` is when the last data was received."""
        return self.status is Condition.UNKNOWN

    @cached_property
    def uptime_ratio(self) -> float | None:
        return uptime(self.days)

    @property
    def uptime_ratio_7d(self) -> float | None:
        return uptime(self.days[-7:])

    @property
    def uptime_ratio_30d(self) -> float | None:
        return uptime(self.days[-30:])

    @property
    def response_ms(self) -> int | None:
        """The median of the current day, or of the day before; None without current data."""
        if self.stale:
            return None
        recent = (day.response_ms for day in self.days[:-3:-1])
        return next((found for found in recent if found is not None), None)


@dataclass(frozen=True, slots=True)
class SectionView:
    """A section of a page. The first may have no name."""

    name: str | None
    targets: Sequence[TargetView]


@dataclass(frozen=True, slots=True)
class IncidentView:
    """An incident of a target on the page; `closed_at` is None while it is open.

    The outage began at `first_failed_at`, its first failing check.
    """

    id: str
    target: str
    first_failed_at: int
    opened_at: int
    closed_at: int | None
    acknowledged_at: int | None

    @property
    def updated_at(self) -> int:
        return self.closed_at or max(self.opened_at, self.acknowledged_at or 0)


@dataclass(frozen=True, slots=True)
class MaintenanceView:
    """A maintenance window that is `active` or starts soon, with its targets on the page."""

    id: str
    name: str
    targets: Sequence[str]
    starts_at: int
    ends_at: int
    active: bool
    announced_at: int


@dataclass(frozen=True)
class StatusPage:
    """Everything that a page shows, built at `made_at`.

    `rendered` caches its renderings by format for as long as the page itself is cached.
    """

    id: str
    slug: str
    title: str
    description: str | None
    status: Overall
    sections: Sequence[SectionView]
    incidents: Sequence[IncidentView]
    maintenance: Sequence[MaintenanceView]
    history_days: int
    show_response_times: bool
    updated_at: int
    made_at: int
    rendered: dict[str, str] = field(default_factory=dict, compare=False, repr=False)

    @property
    def targets(self) -> list[TargetView]:
        return [target for section in self.sections for target in section.targets]

    @cached_property
    def uptime_ratio(self) -> float | None:
        """The mean of the targets' uptimes, None if none is known."""
        known = [one.uptime_ratio for one in self.targets if one.uptime_ratio is not None]
        return sum(known) / len(known) if known else None

    @property
    def response_ms(self) -> int | None:
        """The mean of the targets' response times, None if none is known."""
        known = [one.response_ms for one in self.targets if one.response_ms is not None]
        return round(sum(known) / len(known)) if known else None
