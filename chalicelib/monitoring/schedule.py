"""When targets are due: arithmetic on epoch seconds, so that scheduling a check writes nothing.

A lane has a fixed offset. A target with interval `I` is due at every tick `t` with
`t % I == offset % I`. Every interval divides a day, and those above a minute are whole minutes, so
the phase of a target (the minute of its ticks within the interval) is constant and can be part of
an index key, the slot.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

DAY_S: Final = 86_400
MINUTE_S: Final = 60
AHEAD_S: Final = 180
"""The maximum planning horizon."""
LAG_S: Final = 15
"""How long a change may be missing in the index of due targets, which is eventually consistent."""

# fmt: off
INTERVALS_S: Final[tuple[int, ...]] = (
    10, 20, 30, 60, 120, 180, 300, 600, 900, 1_800, 3_600, 21_600, 43_200, 86_400,
)
# fmt: on


def offset(owner: str, lane: int) -> int:
    """Return the second of the day, in [0, 86400), to which the ticks of a lane are aligned.

    It depends only on the lane's key, so it is the same in every process and version.
    """
    digest = blake2b(f"{owner}\0{lane}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") % DAY_S


def phase(interval_s: int, offset: int) -> int:
    """Return the minute of the ticks within the interval; 0 for intervals up to a minute."""
    return offset % interval_s // MINUTE_S if interval_s > MINUTE_S else 0


def slot(interval_s: int, offset: int, shard: int = 0) -> str:
    """Return `interval:phase:shard`, the key of due targets in the index."""
    return f"{interval_s}:{phase(interval_s, offset)}:{shard}"


def slots_of_minute(minute: int, intervals: Iterable[int] = INTERVALS_S) -> list[tuple[int, int]]:
    """Return the (interval, phase) pairs due in an epoch minute (epoch seconds // 60)."""
    return [(interval_s, phase(interval_s, minute * MINUTE_S)) for interval_s in intervals]


def ticks_in(interval_s: int, offset: int, start: int, end: int) -> list[int]:
    """Return the ticks `t`, start <= t < end, oldest first; several a minute below 60 s."""
    return list(range(start + (offset - start) % interval_s, end, interval_s))


def catch_up_tick(start: int, offset: int) -> int:
    """Return the tick of a lane's catch-up checks, planned from `start` on.

    It is at the lane's usual second of the minute.
    """
    return start + offset % MINUTE_S


def planned_until(now: int) -> int:
    """Return the time before which ticks may be planned without a change that is made at `now`."""
    return (now + LAG_S) // MINUTE_S * MINUTE_S + AHEAD_S


def latest_tick(interval_s: int, offset: int, at: int) -> int:
    """Return the newest tick that is not after `at`."""
    return at - (at - offset) % interval_s


@dataclass(frozen=True, slots=True)
class Plan:
    """What one run of the scheduler sends: every tick `t` with start <= t < end, and a catch-up.

    `end` is the next cursor. `gap` is the period (from, to) that was not planned and is not
    replayed. `catch_up` holds the (interval, phase) pairs that were due in the gap and are not due
    in the window: each is checked once, at `catch_up_tick`, instead of an interval later. `ahead_s`
    is how far the previous cursor was beyond the planning window, because a clock was wrong.
    """

    start: int
    end: int
    gap: tuple[int, int] | None = None
    catch_up: frozenset[tuple[int, int]] = frozenset()
    ahead_s: int = 0

    @property
    def minutes(self) -> range:
        """The epoch minutes of the window."""
        return range(self.start // MINUTE_S, -(-self.end // MINUTE_S))

    def slots(self, intervals: Iterable[int] = INTERVALS_S) -> set[tuple[int, int]]:
        """Return every (interval, phase) pair to look up, including the catch-up."""
        wanted = tuple(intervals)
        due = {pair for minute in self.minutes for pair in slots_of_minute(minute, wanted)}
        return due | {pair for pair in self.catch_up if pair[0] in wanted}

    def catch_up_tick(self, offset: int) -> int:
        """Return the tick of a lane's catch-up checks."""
        return catch_up_tick(self.start, offset)

    def ticks(self, interval_s: int, offset: int) -> list[int]:
        """Return the ticks at which this plan checks a target, oldest first."""
        if (interval_s, phase(interval_s, offset)) in self.catch_up:
            return [self.catch_up_tick(offset)]
        return ticks_in(interval_s, offset, self.start, self.end)


def plan(cursor: int | None, now: int, intervals: Iterable[int] = INTERVALS_S) -> Plan:
    """Return what a run of the scheduler at `now` sends.

    `cursor` is the `end` of the previous plan, so a multiple of 60, or None at the first run.
    A run plans the current and the next two minutes at once, so every second run has nothing to do
    and the cursor, most of what a small stage writes, is written every other minute. The window
    ends at most 180 s ahead: messages are delayed to the second of their tick, so that an event a
    few seconds late delays no check.

    - For a duplicate event the cursor is ahead: an empty window.
    - A cursor beyond the planning window was written by a clock that was ahead. The current window
      is planned again; ticks that are sent twice are checked once.
    - After a missing event the next window is longer, if the cursor is in the current minute.
    - After an outage the window starts at the current minute. The time before it is the gap, of
      which only `catch_up` is checked, limited to the `intervals` in use.
    """
    minute = now // MINUTE_S * MINUTE_S
    horizon = minute + AHEAD_S
    if cursor is None:
        return Plan(minute, horizon)
    if cursor > horizon:
        return Plan(minute, horizon, ahead_s=cursor - horizon)
    if cursor >= minute + 2 * MINUTE_S:
        return Plan(cursor, cursor)
    if cursor >= minute:
        return Plan(cursor, horizon)
    missed = frozenset(
        (interval_s, missed_phase)
        for interval_s in intervals
        if interval_s > MINUTE_S
        for missed_phase in _missed_phases(interval_s // MINUTE_S, cursor, minute, horizon)
    )
    return Plan(minute, horizon, gap=(cursor, minute), catch_up=missed)


def _missed_phases(period: int, cursor: int, start: int, end: int) -> set[int]:
    """Return the phases of a period (in minutes) due in [cursor, start) but not in [start, end)."""
    gap = range(max(cursor // MINUTE_S, start // MINUTE_S - period), start // MINUTE_S)
    window = range(start // MINUTE_S, end // MINUTE_S)
    return {minute % period for minute in gap} - {minute % period for minute in window}
