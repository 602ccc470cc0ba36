"""Segments: the checks of one target in a period, rolled up so that segments can be joined.

A check is valid from its tick to the next check, but for the target's interval at most; time that
is not covered is a gap, neither up nor down. A segment has the time between its first and its last
check. The time of the last check is added when two segments are joined, or at the end of a query.
So a segment follows from the results of its hour alone, and joining is associative: statistics
from hours or days are exactly those of the checks themselves.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from chalicelib.common.intervals import NOTHING, ExcludedTime
from chalicelib.common.varints import read_varints, write_varints
from chalicelib.history.rollups.histogram import Histogram
from chalicelib.monitoring.result import Sample

HOUR_S: Final = 3_600
DAY_S: Final = 86_400
_UP, _DOWN, _DEGRADED, _UNKNOWN = range(4)
Four = tuple[int, int, int, int]
"""One number for each verdict, in the order of `Verdict`."""


@dataclass(slots=True)
class Totals:
    """Checks and seconds by verdict, response times and excluded maintenance, added up."""

    counts: list[int] = field(default_factory=lambda: [0, 0, 0, 0], kw_only=True)
    seconds: list[int] = field(default_factory=lambda: [0, 0, 0, 0], kw_only=True)
    latency: Histogram = field(default_factory=Histogram, kw_only=True)
    maintenance_s: int = field(default=0, kw_only=True)

    def add_totals(self, other: "Totals | Segment") -> None:
        """Add the totals of a segment, or other totals."""
        for verdict in range(4):
            self.counts[verdict] += other.counts[verdict]
            self.seconds[verdict] += other.seconds[verdict]
        self.latency.merge(other.latency)
        self.maintenance_s += other.maintenance_s


@dataclass(slots=True)
class Segment:
    """The checks from tick `first` to tick `last`, both inclusive, in epoch seconds.

    `seconds` is the time from `first` to `last` by verdict, without the `maintenance_s` seconds of
    excluded maintenance. The last check has verdict `ends` and is valid until `until` at most.
    `latency` has the response times of UP and DEGRADED checks.
    """

    first: int
    last: int
    until: int
    ends: int
    counts: Four = (0, 0, 0, 0)
    seconds: Four = (0, 0, 0, 0)
    latency: Histogram = field(default_factory=Histogram)
    maintenance_s: int = 0

    def stand(self, until: int, excluded: ExcludedTime) -> tuple[int, int]:
        """The seconds of its last check up to `until`: those that count, and those excluded."""
        end = min(until, self.until)
        apart = excluded.within(self.last, end)
        return end - self.last - apart, apart


def roll_up(samples: Iterable[Sample], excluded: ExcludedTime = NOTHING) -> Segment | None:
    """Return the segment of a target's checks, which are in order of tick; None without checks.

    A tick identifies a check: the first of two results with the same tick counts.
    """
    segment: Segment | None = None
    counts, seconds = [0, 0, 0, 0], [0, 0, 0, 0]
    for tick, until, verdict, response_ms in samples:
        if segment is None:
            segment = Segment(tick, tick, until, verdict)
        elif tick == segment.last:
            continue
        else:
            stands, apart = segment.stand(tick, excluded)
            seconds[segment.ends] += stands
            segment.maintenance_s += apart
            segment.last, segment.until, segment.ends = tick, until, verdict
        counts[verdict] += 1
        if verdict in (_UP, _DEGRADED):
            segment.latency.add(response_ms)
    if segment is not None:
        segment.counts, segment.seconds = _four(counts), _four(seconds)
    return segment


def join(segments: Iterable[Segment], excluded: ExcludedTime = NOTHING) -> Segment | None:
    """Join segments that do not overlap, in any order; None without segments.

    The segments already lack the `excluded` time, which is subtracted from the time between them.
    """
    ordered = sorted(segments, key=lambda segment: segment.first)
    if not ordered:
        return None
    totals = Totals()
    before: Segment | None = None
    for segment in ordered:
        if before is not None:
            if segment.first <= before.last:
                raise ValueError("segments overlap")
            stands, apart = before.stand(segment.first, excluded)
            totals.seconds[before.ends] += stands
            totals.maintenance_s += apart
        totals.add_totals(segment)
        before = segment
    last = ordered[-1]
    return Segment(
        ordered[0].first,
        last.last,
        last.until,
        last.ends,
        _four(totals.counts),
        _four(totals.seconds),
        totals.latency,
        totals.maintenance_s,
    )


def pack_segment(segment: Segment, start: int) -> bytes:
    """A segment as varints, with times relative to `start`: about 50 bytes for an hour."""
    numbers = (
        segment.first - start,
        segment.last - segment.first,
        segment.until - segment.last,
        segment.ends,
        *segment.counts,
        *segment.seconds,
        segment.maintenance_s,
    )
    return write_varints(numbers) + segment.latency.to_bytes()


def unpack_segment(data: bytes, start: int) -> Segment:
    """Read what `pack_segment` wrote."""
    numbers = read_varints(data)
    return _piece(numbers, start, numbers[12], 13)


def unpack_segment_v1(data: bytes, start: int) -> Segment:
    """Read a segment of format 1, which predates maintenance windows."""
    return _piece(read_varints(data), start, 0, 12)


def _piece(numbers: Sequence[int], start: int, maintenance_s: int, rest: int) -> Segment:
    first = start + numbers[0]
    last = first + numbers[1]
    return Segment(
        first,
        last,
        last + numbers[2],
        numbers[3],
        _four(numbers[4:8]),
        _four(numbers[8:12]),
        Histogram.from_numbers(iter(numbers[rest:])),
        maintenance_s,
    )


def _four(numbers: Sequence[int]) -> Four:
    first, second, third, fourth = numbers
    return first, second, third, fourth
