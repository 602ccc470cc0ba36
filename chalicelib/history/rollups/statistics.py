"""Statistics of a time range, computed from segments (pure functions, no I/O).

Uptime is a ratio of time, not of checks: each check is valid until the next one, but for the
target's interval at most. UNKNOWN, gaps and excluded maintenance are neither up nor down and do not
count. DEGRADED counts as up, because the target answered.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, NamedTuple

from chalicelib.common.intervals import NOTHING, ExcludedTime
from chalicelib.history.rollups.rollup import DAY_S, HOUR_S, Segment, Totals

_UP, _DOWN, _DEGRADED, _UNKNOWN = range(4)
_MONDAY: Final = 4 * DAY_S
"""The first Monday, in epoch seconds."""
WEEK_S: Final = 7 * DAY_S
_BUCKETS: Final = (
    (2 * HOUR_S, 60),
    (6 * HOUR_S, 300),
    (WEEK_S, HOUR_S),
    (400 * DAY_S, DAY_S),
)


class LastCheck(NamedTuple):
    """The last check of a segment: its tick, until when it is valid at most, and its verdict."""

    tick: int
    until: int
    verdict: int


@dataclass(slots=True)
class Tally(Totals):
    """Totals over a range, `start` inclusive, `end` exclusive, in epoch seconds."""

    start: int
    end: int

    @property
    def checks(self) -> int:
        return sum(self.counts)

    @property
    def up_s(self) -> int:
        """The time in which the target answered, including DEGRADED."""
        return self.seconds[_UP] + self.seconds[_DEGRADED]

    @property
    def downtime_s(self) -> int:
        return self.seconds[_DOWN]

    @property
    def degraded_s(self) -> int:
        return self.seconds[_DEGRADED]

    @property
    def known_s(self) -> int:
        """The time that counts, without UNKNOWN, gaps and excluded maintenance."""
        return self.up_s + self.downtime_s

    @property
    def uptime_ratio(self) -> float | None:
        """In [0, 1]; None if no time counts."""
        return self.up_s / self.known_s if self.known_s else None

    def add_time(self, last: LastCheck, until: int, excluded: ExcludedTime, count: int) -> None:
        """Add the time of `count` such checks within the range, up to `until`."""
        start, end = max(last.tick, self.start), min(last.until, until, self.end)
        apart = excluded.within(start, end)
        self.seconds[last.verdict] += count * (max(0, end - start) - apart)
        self.maintenance_s += count * apart


def tally(
    segments: Iterable[Segment], edges: Sequence[int], excluded: ExcludedTime = NOTHING
) -> list[Tally]:
    """Sum up the segments between each two of `edges`, which are sorted epoch seconds.

    Segments must not overlap or cross an edge. Those before the first edge only provide the last
    check before the range; those after the last edge are ignored. Segments already lack the
    `excluded` time, so it is only subtracted from the time between them.
    """
    tallies = [Tally(start, end) for start, end in pairwise(edges)]
    before: LastCheck | None = None
    for segment in sorted(segments, key=lambda segment: segment.first):
        if segment.first >= edges[-1]:
            break
        if before is not None:
            add_last_check(tallies, edges, before, segment.first, excluded)
        if segment.first >= edges[0]:
            within = tallies[bucket_index(edges, segment.first)]
            if segment.last >= within.end:
                raise ValueError("a segment crosses an edge")
            within.add_totals(segment)
        before = LastCheck(segment.last, segment.until, segment.ends)
    if before is not None:
        add_last_check(tallies, edges, before, edges[-1], excluded)
    return tallies


def total(tallies: Sequence[Tally]) -> Tally:
    """Add up consecutive tallies."""
    whole = Tally(tallies[0].start, tallies[-1].end)
    for one in tallies:
        whole.add_totals(one)
    return whole


def bucket_s(length_s: int, coarsest_s: int) -> int:
    """The bucket length of a series, which has at most about 200 buckets.

    `coarsest_s` is the longest period of the data that the range is read from: 1 for single checks.
    """
    for longest, bucket in _BUCKETS:
        if length_s <= longest:
            return max(bucket, coarsest_s)
    return WEEK_S


def bucket_edges(start: int, end: int, bucket: int) -> list[int]:
    """The starts of buckets in [start, end), at full hours, days or Mondays in UTC, and `end`."""
    shift = _MONDAY if bucket == WEEK_S else 0
    first = (start - shift) // bucket * bucket + bucket + shift
    return [start, *range(first, end, bucket), end]


def add_last_check(
    tallies: Sequence[Tally],
    edges: Sequence[int],
    last: LastCheck,
    until: int,
    excluded: ExcludedTime,
    count: int = 1,
) -> None:
    """Add the time of `count` such checks up to `until` to each tally that it falls into."""
    place = max(0, bucket_index(edges, last.tick))
    end = min(last.until, until)
    while place < len(tallies) and tallies[place].start < end:
        tallies[place].add_time(last, until, excluded, count)
        place += 1


def bucket_index(edges: Sequence[int], at: int) -> int:
    """The index of the bucket that contains `at`; -1 before the first."""
    return bisect_left(edges, at + 1) - 1
