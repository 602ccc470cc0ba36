"""Summaries of all segments of a lane in an hour or a day, for fast statistics of many targets.

Statistics of ten thousand targets over a year would join four million segments. Most of those begin
and end at the same ticks, because targets of a lane are checked together. So a summary holds the
totals of a lane's segments, and the set of places for each distinct pair of bounds. The time
between two segments is then added for all such places at once. The results are those of the
segments, to the second.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from struct import Struct
from typing import Final, NamedTuple

from chalicelib.common.intervals import ExcludedTime
from chalicelib.common.varints import read_varints, write_varints
from chalicelib.history.rollups.histogram import Histogram
from chalicelib.history.rollups.rollup import Segment, Totals
from chalicelib.history.rollups.statistics import LastCheck, Tally, add_last_check, bucket_index

_FORMAT: Final = 1
_SUMS: Final = 9
_HEAD: Final = Struct(">BH")
Places = int
"""A set of places as a bit mask: bit 3 is place 3."""


class Bounds(NamedTuple):
    """The bounds of a segment, see `Segment`."""

    first: int
    last: int
    until: int
    verdict: int


@dataclass(slots=True)
class LaneSummary(Totals):
    """The segments of several places of a lane in one hour or day."""

    ends: dict[Bounds, Places] = field(default_factory=dict)

    @classmethod
    def of(cls, segments: Mapping[int, Segment]) -> "LaneSummary":
        """Summarize segments by place."""
        whole = cls()
        for place, segment in sorted(segments.items()):
            whole.add(place, segment)
        return whole

    def add(self, place: int, segment: Segment) -> None:
        """Add the segment of one more place."""
        self.add_totals(segment)
        key = Bounds(segment.first, segment.last, segment.until, segment.ends)
        self.ends[key] = self.ends.get(key, 0) | 1 << place

    def to_bytes(self, start: int) -> bytes:
        """Format, length of the varints, the varints with times relative to `start`, the histogram.

        The histogram is an array, which is fast to read. About 500 bytes for a lane's day.
        """
        numbers = [*self.counts, *self.seconds, self.maintenance_s]
        for (first, last, until, verdict), places in self.ends.items():
            numbers += (first - start, last - first, until - last, verdict, places)
        head = write_varints(numbers)
        return _HEAD.pack(_FORMAT, len(head)) + head + self.latency.to_array()

    @classmethod
    def from_bytes(cls, data: bytes, start: int) -> "LaneSummary | None":
        """Read what `to_bytes` wrote; None for an unknown format."""
        if data[:1] != bytes([_FORMAT]):
            return None
        _, length = _HEAD.unpack_from(data)
        rest = _HEAD.size + length
        numbers = read_varints(data[_HEAD.size : rest])
        ends = {}
        for at in range(_SUMS, len(numbers), 5):
            first = start + numbers[at]
            last = first + numbers[at + 1]
            key = Bounds(first, last, last + numbers[at + 2], numbers[at + 3])
            ends[key] = numbers[at + 4]
        return cls(
            ends,
            counts=numbers[0:4],
            seconds=numbers[4:8],
            maintenance_s=numbers[8],
            latency=Histogram.from_array(data[rest:]),
        )


def belong_to(parts: Iterable[LaneSummary], created_at: Mapping[int, int]) -> bool:
    """Whether all checks belong to the current targets; `created_at` is by place."""
    newest, known = max(created_at.values()), sum(1 << place for place in created_at)
    return all(
        (ends.first >= newest and not places & ~known)
        or all(created_at.get(one, ends.first + 1) <= ends.first for one in places_in(places))
        for part in parts
        for ends, places in part.ends.items()
    )


def places_in(places: Places) -> Iterator[int]:
    """The places of a bit mask, ascending."""
    while places:
        lowest = places & -places
        yield lowest.bit_length() - 1
        places ^= lowest


def add_lane_summary(
    series: Sequence[Tally],
    edges: Sequence[int],
    parts: Iterable[LaneSummary],
    excluded: Sequence[tuple[Places, ExcludedTime]],
) -> None:
    """Add the summaries of a lane, in order of time, to the tallies between consecutive `edges`.

    The result is that of `tally` for each place: summaries must not cross an edge, and those before
    the first edge only provide the last checks. `excluded` has the excluded time of sets of places.
    """
    standing: dict[LastCheck, Places] = {}
    for part in parts:
        for ends, places in part.ends.items():
            for last, met in _followed(standing, places):
                _settle(series, edges, last, ends.first, _shares(met, excluded))
        for ends, places in part.ends.items():
            last = LastCheck(ends.last, ends.until, ends.verdict)
            standing[last] = standing.get(last, 0) | places
        _take(series, edges, part)
    for last, places in standing.items():
        _settle(series, edges, last, edges[-1], _shares(places, excluded))


def _followed(
    standing: dict[LastCheck, Places], places: Places
) -> Iterator[tuple[LastCheck, Places]]:
    """Remove and yield the last checks of `places`, which are followed by another check."""
    for last, stood in list(standing.items()):
        if met := stood & places:
            yield last, met
            if stood == met:
                del standing[last]
            else:
                standing[last] = stood ^ met


def _take(series: Sequence[Tally], edges: Sequence[int], part: LaneSummary) -> None:
    """Add a summary's own totals, unless it is before the first edge."""
    first = min(ends.first for ends in part.ends)
    if first < edges[0]:
        return
    within = series[bucket_index(edges, first)]
    if max(ends.last for ends in part.ends) >= within.end:
        raise ValueError("a summary crosses an edge")
    within.add_totals(part)


def _settle(
    series: Sequence[Tally],
    edges: Sequence[int],
    last: LastCheck,
    until: int,
    shares: Iterable[tuple[int, ExcludedTime]],
) -> None:
    """Add the time of last checks up to `until`, for each `(number of places, excluded)`."""
    for count, excluded in shares:
        add_last_check(series, edges, last, until, excluded, count)


def _shares(
    places: Places, excluded: Sequence[tuple[Places, ExcludedTime]]
) -> Iterator[tuple[int, ExcludedTime]]:
    """The number of the places with each excluded time."""
    for some, apart in excluded:
        if count := (places & some).bit_count():
            yield count, apart
