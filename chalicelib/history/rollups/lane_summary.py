"""What the checks of a whole lane came to over an hour or a day, so that many targets sum up fast.

A sum over ten thousand targets and a year would join four million pieces. Most of them begin and
end alike: targets of a lane are checked at the same ticks. So a lane's pieces are kept together
once more: counts, seconds and response times added up, and for each way to begin and end the places
that did so. What the last checks stand for is settled as between two pieces, for all of them at
once. The sums are those of the pieces, to the second.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from struct import Struct
from typing import Final, NamedTuple

from chalicelib.common.intervals import ExcludedTime
from chalicelib.common.varints import read_varints, write_varints
from chalicelib.history.rollups.histogram import Histogram
from chalicelib.history.rollups.rollup import Four, Segment
from chalicelib.history.rollups.statistics import LastCheck, Tally, add_last_check, bucket_index

_FORMAT: Final = 1
_SUMS: Final = 9
_HEAD: Final = Struct(">BH")
Places = int
"""A set of places: bit 3 stands for place 3."""


class Bounds(NamedTuple):
    """How a piece begins and ends: see `Segment`."""

    first: int
    last: int
    until: int
    verdict: int


@dataclass(slots=True)
class LaneSummary:
    """The pieces of several places of a lane within one hour or day."""

    counts: list[int] = field(default_factory=lambda: [0, 0, 0, 0])
    seconds: list[int] = field(default_factory=lambda: [0, 0, 0, 0])
    maintenance_s: int = 0
    latency: Histogram = field(default_factory=Histogram)
    ends: dict[Bounds, Places] = field(default_factory=dict)

    @classmethod
    def of(cls, segments: Mapping[int, Segment]) -> "LaneSummary":
        """Add up pieces by place."""
        whole = cls()
        for place, segment in sorted(segments.items()):
            whole.add(place, segment)
        return whole

    def add(self, place: int, segment: Segment) -> None:
        """Add the piece of one more place."""
        _add(self.counts, segment.counts)
        _add(self.seconds, segment.seconds)
        self.maintenance_s += segment.maintenance_s
        self.latency.merge(segment.latency)
        key = Bounds(segment.first, segment.last, segment.until, segment.ends)
        self.ends[key] = self.ends.get(key, 0) | 1 << place

    def to_bytes(self, start: int) -> bytes:
        """As bytes: the format, the length of the varints behind it, and those; times from `start`.

        Then the histogram as an array, which is read fast. Some 500 bytes for a lane's day.
        """
        numbers = [*self.counts, *self.seconds, self.maintenance_s]
        for (first, last, until, verdict), places in self.ends.items():
            numbers += (first - start, last - first, until - last, verdict, places)
        head = write_varints(numbers)
        return _HEAD.pack(_FORMAT, len(head)) + head + self.latency.to_array()

    @classmethod
    def from_bytes(cls, data: bytes, start: int) -> "LaneSummary | None":
        """What `to_bytes` wrote; None where that is of a format that this code does not know."""
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
        latency = Histogram.from_array(data[rest:])
        return cls(numbers[0:4], numbers[4:8], numbers[8], latency, ends)


def belong_to(parts: Iterable[LaneSummary], created_at: Mapping[int, int]) -> bool:
    """Whether all checks are of the targets that were made then, in epoch seconds, by place."""
    newest, known = max(created_at.values()), sum(1 << place for place in created_at)
    return all(
        (ends.first >= newest and not places & ~known)
        or all(created_at.get(one, ends.first + 1) <= ends.first for one in places_in(places))
        for part in parts
        for ends, places in part.ends.items()
    )


def places_in(places: Places) -> Iterator[int]:
    """The places of a set."""
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
    """Add the parts of a lane's history, in order of time, to the sums between each two of `edges`.

    As `tally` does for each place by itself: no part reaches over an edge, and those before the
    first edge only say how things stood there. `excluded` says which places leave out what.
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
    """Take out of what stands the last checks of the places, as another check follows them."""
    for last, stood in list(standing.items()):
        if met := stood & places:
            yield last, met
            if stood == met:
                del standing[last]
            else:
                standing[last] = stood ^ met


def _take(series: Sequence[Tally], edges: Sequence[int], part: LaneSummary) -> None:
    """Add what is within a part, unless it is before the first edge."""
    first = min(ends.first for ends in part.ends)
    if first < edges[0]:
        return
    within = series[bucket_index(edges, first)]
    if max(ends.last for ends in part.ends) >= within.end:
        raise ValueError("a part reaches over an edge")
    _add(within.counts, part.counts)
    _add(within.seconds, part.seconds)
    within.maintenance_s += part.maintenance_s
    within.latency.merge(part.latency)


def _settle(
    series: Sequence[Tally],
    edges: Sequence[int],
    last: LastCheck,
    until: int,
    shares: Iterable[tuple[int, ExcludedTime]],
) -> None:
    """Add what last checks stand for up to `until`, of so many places each."""
    for count, excluded in shares:
        add_last_check(series, edges, last, until, excluded, count)


def _shares(
    places: Places, excluded: Sequence[tuple[Places, ExcludedTime]]
) -> Iterator[tuple[int, ExcludedTime]]:
    """How many of the places leave out what."""
    for some, apart in excluded:
        if count := (places & some).bit_count():
            yield count, apart


def _add(summary: list[int], more: Four | list[int]) -> None:
    for verdict in range(4):
        summary[verdict] += more[verdict]
