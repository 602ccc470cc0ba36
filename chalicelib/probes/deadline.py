"""Time within one check: its deadline, the share of each try, and a stopwatch of the phases."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Literal

from chalicelib.monitoring.result import Timings
from chalicelib.probes.errors import OutOfTime

Phase = Literal["dns", "connect", "tls", "first_byte", "body"]
PHASES: Final[tuple[Phase, ...]] = ("dns", "connect", "tls", "first_byte", "body")


class Stopwatch:
    """Books every moment since its start on one phase, so that the phases add up to the whole."""

    __slots__ = ("_last", "_spent")

    def __init__(self) -> None:
        self._last = time.monotonic()
        self._spent: dict[Phase, float] = dict.fromkeys(PHASES, 0.0)

    def book(self, phase: Phase) -> None:
        """Book the time since the last booking on `phase`."""
        now = time.monotonic()
        self._spent[phase] += now - self._last
        self._last = now

    def skip(self) -> None:
        """Leave out the time since the last booking: it was Monitum's own, not the target's."""
        self._last = time.monotonic()

    def timings(self) -> Timings:
        """Return the phases in whole milliseconds; rounding changes their sum by less than one."""
        booked: dict[str, int] = {}
        elapsed, rounded = 0.0, 0
        for phase in PHASES:
            elapsed += self._spent[phase]
            total = round(elapsed * 1000)
            booked[phase] = total - rounded
            rounded = total
        return Timings(**booked)


def _nothing() -> None:
    """Tell nobody."""


@dataclass(slots=True)
class Attempt:
    """One try at a target: what it may take and what it has found out on its way.

    `deadline` is the check's own, on the monotonic clock. `leave_time` makes finding and
    connecting take at most half of what is left, so that a second try has its chance; waiting for
    an answer may always take everything. `on_connected` hears that the connection is made.
    """

    deadline: float
    leave_time: bool = False
    watch: Stopwatch = field(default_factory=Stopwatch)
    phase: Phase = "dns"
    on_connected: Callable[[], None] = _nothing
    request_sent: bool = False
    tls_days_left: int | None = None
    status_code: int | None = None

    def remaining(self, what: str) -> float:
        """Return the seconds left; raise OutOfTime, which names `what`, when there are none."""
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise OutOfTime(what)
        return left

    def connect_by(self) -> float:
        """Return the instant by which a name must be found, or a connection be there."""
        if not self.leave_time:
            return self.deadline
        now = time.monotonic()
        return now + (self.deadline - now) / 2

    def book(self, phase: Phase) -> None:
        """Book the time since the last booking on `phase`, which is over."""
        self.watch.book(phase)

    def enter(self, phase: Phase) -> None:
        """Say which phase begins: it bears the time until a failure."""
        self.phase = phase
