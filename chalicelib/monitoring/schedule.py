"""When a target is due: arithmetic on epoch seconds, so that scheduling a check writes nothing.

A lane has a fixed offset. A target with interval `I` is due at every tick `t` with
`t % I == offset % I`. Every interval divides a day, and those above a minute are whole minutes, so
the phase of a target (the minute of its ticks within the interval) never changes and can be part of
an index key, the slot.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

DAY_S: Final = 86_400
MINUTE_S: Final = 60
AHEAD_S: Final = 180
"""How far ahead a plan reaches at most."""

# fmt: off
INTERVALS_S: Final[tuple[int, ...]] = (
    10, 20, 30, 60, 120, 180, 300, 600, 900, 1_800, 3_600, 21_600, 43_200, 86_400,
)
# fmt: on


def offset(owner: str, lane: int) -> int:
    """Return the second of the day, in [0, 86400), to which the ticks of a lane are aligned.

    It depends on nothing but the lane's key, so it is the same in every process and version.
    """
    digest = blake2b(f"{owner}\0{lane}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") % DAY_S


def phase(interval_s: int, offset: int) -> int:
    """Return the minute within the interval in which the ticks fall; 0 up to a minute."""
    return offset % interval_s // MINUTE_S if interval_s > MINUTE_S else 0


def slot(interval_s: int, offset: int, shard: int = 0) -> str:
    """Return `interval:phase:shard`, the key under which the index finds what is due."""
    return f"{interval_s}:{phase(interval_s, offset)}:{shard}"


def slots_of_minute(minute: int, intervals: Iterable[int] = INTERVALS_S) -> list[tuple[int, int]]:
    """Return the (interval, phase) pairs due in an epoch minute (epoch seconds // 60)."""
    return [(interval_s, phase(interval_s, minute * MINUTE_S)) for interval_s in intervals]


def ticks_in(interval_s: int, offset: int, start: int, end: int) -> list[int]:
    """Return the ticks `t`, start <= t < end, oldest first; several a minute below 60 s."""
    return list(range(start + (offset - start) % interval_s, end, interval_s))


def latest_tick(interval_s: int, offset: int, at: int) -> int:
    """Return the newest tick that is not after `at`."""
    return at - (at - offset) % interval_s


@dataclass(frozen=True, slots=True)
class Plan:
    """What one run of the scheduler sends: every tick `t` with start <= t < end, and a catch-up.

    `end` is the next cursor. `gap` is the stretch (from, to) in which nothing was planned and which
    is not replayed. `catch_up` names the (interval, phase) pairs that were due in the gap and are
    not due in the window: each is checked once, at `catch_up_tick`, instead of an interval later.
    """

    start: int
    end: int
    gap: tuple[int, int] | None = None
    catch_up: frozenset[tuple[int, int]] = frozenset()

    @property
    def minutes(self) -> range:
        """The epoch minutes of the window."""
        return range(self.start // MINUTE_S, -(-self.end // MINUTE_S))

    def slots(self, intervals: Iterable[int] = INTERVALS_S) -> set[tuple[int, int]]:
        """Return every (interval, phase) pair to look up, those to be caught up among them."""
        wanted = tuple(intervals)
        due = {pair for minute in self.minutes for pair in slots_of_minute(minute, wanted)}
        return due | {pair for pair in self.catch_up if pair[0] in wanted}

    def catch_up_tick(self, offset: int) -> int:
        """Return the tick of a lane's caught-up checks: its second of the minute, as any other."""
        return self.start + offset % MINUTE_S

    def ticks(self, interval_s: int, offset: int) -> list[int]:
        """Return the ticks at which this plan has a target checked, oldest first."""
        if (interval_s, phase(interval_s, offset)) in self.catch_up:
            return [self.catch_up_tick(offset)]
        return ticks_in(interval_s, offset, self.start, self.end)


def plan(cursor: int | None, now: int, intervals: Iterable[int] = INTERVALS_S) -> Plan:
    """Return what a run of the scheduler at `now` has to send.

    `cursor` is the `end` of the plan before, so a multiple of 60, or None at the very first run.
    A run plans until the next full minute is planned, and then the one behind it as well: so every
    second run finds nothing to do, and the cursor is written every other minute, which is most of
    what a small stage writes. The window reaches at most 180 s ahead: messages are delayed to the
    second of their tick, and an event that comes late by some seconds makes no check late.

    - A doubled event, or a clock that went back, finds the cursor ahead of it: an empty window.
    - A missing event makes the next window longer as long as the cursor is in the present minute.
    - After an outage the window starts at the present minute. What lies before is the gap, of which
      only `catch_up` is made good; `intervals` bounds it to the intervals in use.
    """
    minute = now // MINUTE_S * MINUTE_S
    horizon = minute + AHEAD_S
    if cursor is None:
        return Plan(minute, horizon)
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
