"""What visitors of a status page are shown; `publishing` makes it, `chalicelib.web` renders it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from chalicelib.history.rollups.statistics import Tally
from chalicelib.status_pages.page import Condition, Overall

DAY_S: Final = 86_400


@dataclass(frozen=True, slots=True)
class Day:
    """One day of one target, from `start` in epoch seconds: seconds up, down, and of maintenance.

    What is in neither is not known. `degraded_s` are among those up. `response_ms` is the median.
    """

    start: int
    up_s: int = 0
    down_s: int = 0
    degraded_s: int = 0
    maintenance_s: int = 0
    response_ms: int | None = None

    @property
    def known_s(self) -> int:
        return self.up_s + self.down_s

    @classmethod
    def of(cls, tally: Tally) -> "Day":
        return cls(
            start=tally.start // DAY_S * DAY_S,
            up_s=tally.up_s,
            down_s=tally.downtime_s,
            degraded_s=tally.degraded_s,
            maintenance_s=tally.maintenance_s,
            response_ms=tally.latency.percentile(0.5),
        )


@dataclass(frozen=True, slots=True)
class ShownTarget:
    """A target on a page; `uptime` is over `days`, in [0, 1]. `response_ms` is a day's median."""

    id: str
    name: str
    condition: Condition
    since: int
    days: Sequence[Day]
    uptime: float | None
    response_ms: int | None


@dataclass(frozen=True, slots=True)
class ShownIncident:
    """An incident of a target on the page; `closed_at` is None while it is open."""

    id: str
    target: str
    opened_at: int
    closed_at: int | None
    acknowledged_at: int | None

    @property
    def updated_at(self) -> int:
        """When something last happened to it."""
        return self.closed_at or max(self.opened_at, self.acknowledged_at or 0)


@dataclass(frozen=True, slots=True)
class ShownMaintenance:
    """A maintenance window that is `active` or comes soon, with the names of its targets here."""

    id: str
    name: str
    targets: Sequence[str]
    starts_at: int
    ends_at: int
    active: bool
    announced_at: int


@dataclass(frozen=True, slots=True)
class StatusPage:
    """All that is shown at `made_at`: sections by name, the first of them may have none.

    `texts` keeps what it was rendered to, by form, for as long as it is shown itself.
    """

    id: str
    slug: str
    title: str
    description: str | None
    overall: Overall
    sections: Sequence[tuple[str, Sequence[ShownTarget]]]
    incidents: Sequence[ShownIncident]
    maintenance: Sequence[ShownMaintenance]
    history_days: int
    show_response_times: bool
    updated_at: int
    made_at: int
    texts: dict[str, str] = field(default_factory=dict, compare=False, repr=False)

    @property
    def targets(self) -> list[ShownTarget]:
        return [target for _, targets in self.sections for target in targets]

    @property
    def uptime(self) -> float | None:
        """The mean of the targets', None where nothing is known of any."""
        known = [one.uptime for one in self.targets if one.uptime is not None]
        return sum(known) / len(known) if known else None

    @property
    def response_ms(self) -> int | None:
        """The mean of the targets'."""
        known = [one.response_ms for one in self.targets if one.response_ms is not None]
        return round(sum(known) / len(known)) if known else None
