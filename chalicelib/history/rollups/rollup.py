"""What the checks of a target over a stretch of time came to, so that two stretches can be joined.

A check stands for the time from its tick to the next check, but never longer than the target's
interval: what is not covered so is a gap, which is neither up nor down. A piece holds the time
between its first and its last check; what the last one stands for is settled where two pieces meet,
or at the edge of what is asked for. So a piece needs nothing from outside its hour, can be made
again from the results of that hour alone, and joining is associative: hours make days as days make
a year, and the sums are those of the checks themselves.
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
class Segment:
    """The checks from tick `first` to tick `last`, both included; all times in epoch seconds.

    `seconds` is the time from `first` to `last` by verdict, without `maintenance_s` of it, which do
    not count as their owner says. The last check has the verdict `ends`
    and stands for the time up to `until` at most. `latency` has the response times of the checks
    that were answered in good order, UP and DEGRADED.
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
        """The seconds that its last check stands for up to `until`: that count, and that do not."""
        end = min(until, self.until)
        apart = excluded.within(self.last, end)
        return end - self.last - apart, apart


def roll_up(samples: Iterable[Sample], excluded: ExcludedTime = NOTHING) -> Segment | None:
    """Make a piece of a target's checks in the order of their ticks, None of no checks.

    A tick identifies a check: of two results with the same tick the first one counts.
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
    """Make one piece of pieces that do not overlap, given in any order; None of none.

    They are without what is `excluded` already: it is asked for the time between them.
    """
    ordered = sorted(segments, key=lambda segment: segment.first)
    if not ordered:
        return None
    counts, seconds, latency, maintenance_s = [0, 0, 0, 0], [0, 0, 0, 0], Histogram(), 0
    before: Segment | None = None
    for segment in ordered:
        if before is not None:
            if segment.first <= before.last:
                raise ValueError("pieces overlap")
            stands, apart = before.stand(segment.first, excluded)
            seconds[before.ends] += stands
            maintenance_s += apart
        for verdict in range(4):
            counts[verdict] += segment.counts[verdict]
            seconds[verdict] += segment.seconds[verdict]
        latency.merge(segment.latency)
        maintenance_s += segment.maintenance_s
        before = segment
    last = ordered[-1]
    return Segment(
        ordered[0].first,
        last.last,
        last.until,
        last.ends,
        _four(counts),
        _four(seconds),
        latency,
        maintenance_s,
    )


def pack_segment(segment: Segment, start: int) -> bytes:
    """A piece as bytes: varints, its times from `start` on; some 50 bytes for an hour."""
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
    """What `pack_segment` packed."""
    numbers = read_varints(data)
    return _piece(numbers, start, numbers[12], 13)


def unpack_segment_v1(data: bytes, start: int) -> Segment:
    """What was packed before there was maintenance."""
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
