"""Statistics of a time range, computed from segments (pure functions, no I/O).

Time is weighed, not checks: each check stands for the time up to the next one, bounded by the
target's interval. UNKNOWN, which is our failure, gaps, and maintenance that does not count are
neither up nor down, and are left out of the uptime. DEGRADED is up: the target answered.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final, NamedTuple

from chalicelib.common.intervals import NOTHING, ExcludedTime
from chalicelib.history.rollups.histogram import Histogram
from chalicelib.history.rollups.rollup import DAY_S, HOUR_S, Four, Segment

_UP, _DOWN, _DEGRADED, _UNKNOWN = range(4)
_MONDAY: Final = 4 * DAY_S
"""The first Monday, in epoch seconds: weeks begin there."""
WEEK_S: Final = 7 * DAY_S
_BUCKETS: Final = (
    (2 * HOUR_S, 60),
    (6 * HOUR_S, 300),
    (WEEK_S, HOUR_S),
    (400 * DAY_S, DAY_S),
)


class LastCheck(NamedTuple):
    """A check that others may follow: its tick, up to when it stands at most, its verdict."""

    tick: int
    until: int
    verdict: int


@dataclass(slots=True)
class Tally:
    """Sums over a range, `start` inclusive, `end` exclusive; those of its parts add up to it."""

    start: int
    end: int
    counts: list[int] = field(default_factory=lambda: [0, 0, 0, 0])
    seconds: list[int] = field(default_factory=lambda: [0, 0, 0, 0])
    latency: Histogram = field(default_factory=Histogram)
    maintenance_s: int = 0

    def add(self, other: "Tally") -> None:
        """Add what another target, or another part of the range, came to."""
        for verdict in range(4):
            self.counts[verdict] += other.counts[verdict]
            self.seconds[verdict] += other.seconds[verdict]
        self.latency.merge(other.latency)
        self.maintenance_s += other.maintenance_s

    @property
    def checks(self) -> int:
        return sum(self.counts)

    @property
    def up_s(self) -> int:
        """The time in which the target answered, DEGRADED among it."""
        return self.seconds[_UP] + self.seconds[_DEGRADED]

    @property
    def downtime_s(self) -> int:
        return self.seconds[_DOWN]

    @property
    def degraded_s(self) -> int:
        return self.seconds[_DEGRADED]

    @property
    def known_s(self) -> int:
        """The time that counts: neither UNKNOWN nor gap nor maintenance that is left out."""
        return self.up_s + self.downtime_s

    @property
    def uptime_ratio(self) -> float | None:
        """In [0, 1]; None where nothing is known."""
        return self.up_s / self.known_s if self.known_s else None

    def _take(self, segment: Segment) -> None:
        _add(self.counts, segment.counts)
        _add(self.seconds, segment.seconds)
        self.latency.merge(segment.latency)
        self.maintenance_s += segment.maintenance_s

    def _stand(self, last: LastCheck, until: int, excluded: ExcludedTime, count: int) -> None:
        """Add what `count` such checks stand for within the range, up to `until` at most."""
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
                raise ValueError("a piece reaches over an edge")
            within._take(segment)  # noqa: SLF001 - ours
        before = LastCheck(segment.last, segment.until, segment.ends)
    if before is not None:
        add_last_check(tallies, edges, before, edges[-1], excluded)
    return tallies


def total(tallies: Sequence[Tally]) -> Tally:
    """The sums over all of the tallies, which follow each other."""
    whole = Tally(tallies[0].start, tallies[-1].end)
    for one in tallies:
        whole.add(one)
    return whole


def bucket_s(length_s: int, coarsest_s: int) -> int:
    """The length of a series' buckets for a range: not more than some 200 of them.

    `coarsest_s` is the length of the longest piece that the range is made of: 1 for single checks.
    """
    for longest, bucket in _BUCKETS:
        if length_s <= longest:
            return max(bucket, coarsest_s)
    return WEEK_S


def bucket_edges(start: int, end: int, bucket: int) -> list[int]:
    """Where the buckets of [start, end) begin, and its end: full hours, days, Mondays in UTC."""
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
    """Add what `count` such checks stand for up to `until` to each range that they reach into."""
    place = max(0, bucket_index(edges, last.tick))
    end = min(last.until, until)
    while place < len(tallies) and tallies[place].start < end:
        tallies[place]._stand(last, until, excluded, count)  # noqa: SLF001 - ours
        place += 1


def bucket_index(edges: Sequence[int], at: int) -> int:
    """The range that `at` falls into; -1 before the first."""
    return bisect_left(edges, at + 1) - 1


def _add(summary: list[int], more: Four) -> None:
    for verdict in range(4):
        summary[verdict] += more[verdict]
