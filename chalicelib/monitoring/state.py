"""The status, state and flips of a target; the rules are in `state_machine`."""

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from enum import StrEnum
from typing import Any, Final, Self

from chalicelib.monitoring.result import Reason, Verdict

_STANDING_S: Final = 300
_STANDING_INTERVALS: Final = 3


class Status(StrEnum):
    """The status of a target."""

    PENDING = "PENDING"
    UP = "UP"
    DOWN = "DOWN"
    DEGRADED = "DEGRADED"
    PAUSED = "PAUSED"


class FlipKind(StrEnum):
    """What a flip means for the incident and the alert."""

    OPENED = "opened"
    """The target is DOWN: an incident opens."""
    CLOSED = "closed"
    """The outage, or the flapping, is over: the incident closes."""
    DEGRADED = "degraded"
    RECOVERED = "recovered"
    """DEGRADED is over; no incident was open."""
    FLAPPING = "flapping"
    """Too many changes: opens an incident, or continues the open one."""
    SETTLED = "settled"
    """A flapping target has stayed DOWN: the incident stays open."""
    CANCELLED = "cancelled"
    """The target was paused or deleted, which closes its open incident."""


@dataclass(frozen=True, slots=True)
class Policy:
    """The thresholds of a target, at least 1; `flap_changes` 0 disables flap detection."""

    failure_threshold: int = 2
    recovery_threshold: int = 1
    flap_changes: int = 4
    flap_window_s: int = 3_600
    interval_s: int = 60

    @property
    def standing_s(self) -> int:
        """How long a flapping target must keep a status before people are notified of it.

        Five minutes or three intervals, but never longer than the window of the flap detection.
        """
        return max(_STANDING_S, min(_STANDING_INTERVALS * self.interval_s, self.flap_window_s))


@dataclass(frozen=True, slots=True)
class Observation:
    """One result, as input of the state machine; `tick` is in epoch seconds."""

    tick: int
    verdict: Verdict
    reason: Reason | None = None


@dataclass(frozen=True, slots=True)
class Flip:
    """A change that people are notified of, determined by state and result, never by a clock.

    All times are ticks. `opened_at` identifies the incident: the `at` of the flip that opened it,
    None for DEGRADED and RECOVERED, which have none. `first_failed_at` is the first failing check
    of the outage. `from_status` equals `to_status` if a flapping target has kept its status.
    """

    kind: FlipKind
    from_status: Status
    to_status: Status
    at: int
    reason: Reason | None = None
    first_failed_at: int | None = None
    opened_at: int | None = None


@dataclass(frozen=True, slots=True)
class State:
    """The stored state of one target.

    `since` is when the status began, `changed` the tick of the last result that changed a field.
    Counters stop at their thresholds. `failing_since` is the first failure of the current row or
    outage, `opened` the tick of the flip that opened the open incident, `changes` the recent
    changes of status, empty after a window without any. `settled`: the target is flapping, and
    people were notified that it stays DOWN.
    """

    status: Status
    since: int
    changed: int
    failures: int = 0
    successes: int = 0
    warnings: int = 0
    failing_since: int | None = None
    opened: int | None = None
    flapping: bool = False
    changes: tuple[int, ...] = ()
    settled: bool = False

    @classmethod
    def pending(cls, now: int) -> Self:
        """Return the state of a new target; a check at `now` itself counts."""
        return cls(Status.PENDING, now, now - 1)

    def to_list(self) -> list[Any]:
        """Return the fields in order, without trailing defaults."""
        values = list(astuple(self))
        values[0], values[8:] = (
            str(self.status),
            [int(self.flapping), list(self.changes), int(self.settled)],
        )
        while values[-1] == _DEFAULTS[len(values) - 1]:
            values.pop()
        return values

    @classmethod
    def from_list(cls, values: Sequence[Any]) -> Self:
        """Read what `to_list` wrote; fields of a later version are ignored. Raises ValueError."""
        if len(values) < len(_NEEDED):
            raise ValueError(f"a state has at least {len(_NEEDED)} fields, not {len(values)}")
        fields: list[Any] = [*values, *_DEFAULTS[len(values) :]]
        rest: list[Any] = [None if value is None else int(value) for value in fields[1:8]]
        rest += [bool(fields[8]), tuple(int(tick) for tick in fields[9]), bool(fields[10])]
        return cls(Status(fields[0]), *rest)


_NEEDED: Final[tuple[Any, ...]] = (None, None, None)
_DEFAULTS: Final[tuple[Any, ...]] = (*_NEEDED, 0, 0, 0, None, None, 0, [], 0)
