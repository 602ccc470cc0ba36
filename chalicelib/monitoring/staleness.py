"""Whether a target's status is stale, that is, no longer follows from recent checks.

A status is stored only when it changes, so without checks it stays as it is. Staleness is computed
when the status is read. Nothing is stored for it.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Final

from chalicelib.monitoring.result import Verdict
from chalicelib.monitoring.state import State, Status

UNKNOWN_CHECKS: Final = 3
"""So many UNKNOWN checks in a row make a status stale."""
_MIN_TOLERANCE_S: Final = 60


class ReportedStatus(StrEnum):
    """A status as it is shown: the stored one, or UNKNOWN if that is stale. The worst is first."""

    DOWN = "DOWN"
    UNKNOWN = "UNKNOWN"
    DEGRADED = "DEGRADED"
    PENDING = "PENDING"
    UP = "UP"
    PAUSED = "PAUSED"


def tolerance_s(interval_s: int, timeout_s: int) -> int:
    """Return the age up to which the newest check still supports the status."""
    return max(_MIN_TOLERANCE_S, 2 * interval_s + timeout_s)


def is_stale(
    state: State,
    tolerance_s: int,
    checked_at: int | None,
    verdicts: Sequence[Verdict | None],
    now: int,
) -> bool:
    """Whether a status lacks recent evidence.

    `checked_at` is the time of the newest check in epoch seconds, `verdicts` those of the newest
    checks, newest first, None if not known. A target that has not been checked yet becomes stale,
    too, once its first check is overdue.
    """
    if state.status is Status.PAUSED:
        return False
    if list(verdicts[:UNKNOWN_CHECKS]) == [Verdict.UNKNOWN] * UNKNOWN_CHECKS:
        return True
    return now - max(checked_at or 0, state.since, state.changed) > tolerance_s
