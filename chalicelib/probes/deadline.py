"""The time of one check: its deadline, the share of each attempt, and a stopwatch per phase."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Literal

from chalicelib.monitoring.result import Timings
from chalicelib.probes.errors import OutOfTime

Phase = Literal["dns", "connect", "tls", "first_byte", "body"]
PHASES: Final[tuple[Phase, ...]] = ("dns", "connect", "tls", "first_byte", "body")


def seconds_left(deadline: float) -> float:
    """Return the seconds until `deadline` (monotonic); raise TimeoutError if it has passed."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


class Stopwatch:
    """Assigns all elapsed time to phases, so that the phases add up to the total."""

    __slots__ = ("_last", "_spent")

    def __init__(self) -> None:
        self._last = time.monotonic()
        self._spent: dict[Phase, float] = dict.fromkeys(PHASES, 0.0)

    def record(self, phase: Phase) -> None:
        """Add the time since the last recording to `phase`."""
        now = time.monotonic()
        self._spent[phase] += now - self._last
        self._last = now

    def discard(self) -> None:
        """Drop the time since the last recording: Monitum spent it, not the target."""
        self._last = time.monotonic()

    def timings(self) -> Timings:
        """Return the phases in whole milliseconds; rounding changes their sum by less than one."""
        recorded: dict[str, int] = {}
        elapsed, rounded = 0.0, 0
        for phase in PHASES:
            elapsed += self._spent[phase]
            total = round(elapsed * 1000)
            recorded[phase] = total - rounded
            rounded = total
        return Timings(**recorded)


@dataclass(slots=True)
class Attempt:
    """One attempt at a target: its time limits and what it has found out so far.

    `deadline` is that of the check (monotonic clock). With `leave_time`, name resolution and
    connecting may take at most half of the time left, so that there is time for a second attempt;
    waiting for a response may always use all of it. `on_connected` is called when the connection
    is open. `phase` is the current phase, which a failure is attributed to. `tls_days_left` belongs
    to the certificate that expires first: with `issuer_expires`, another one than the server's.
    """

    deadline: float
    leave_time: bool = False
    stopwatch: Stopwatch = field(default_factory=Stopwatch)
    phase: Phase = "dns"
    on_connected: Callable[[], None] = lambda: None
    request_sent: bool = False
    tls_days_left: int | None = None
    issuer_expires: bool = False
    status_code: int | None = None

    def remaining(self, what: str) -> float:
        """Return the seconds left; raise OutOfTime, which names `what`, if there are none."""
        try:
            return seconds_left(self.deadline)
        except TimeoutError:
            raise OutOfTime(what) from None

    def connect_by(self) -> float:
        """Return the deadline of name resolution and of connecting, counted from now."""
        if not self.leave_time:
            return self.deadline
        now = time.monotonic()
        return now + (self.deadline - now) / 2

    def record(self, phase: Phase) -> None:
        """Add the time since the last recording to `phase`, which is over."""
        self.stopwatch.record(phase)
