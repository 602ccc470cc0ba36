"""Stretches of time, and what remains of them."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, chain

Span = tuple[int, int]
"""Epoch seconds, first inclusive, second exclusive."""


def merged(spans: Iterable[Span]) -> tuple[Span, ...]:
    """The spans in order, without empty ones, those that touch made one."""
    found: list[Span] = []
    for start, end in sorted(span for span in spans if span[0] < span[1]):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return tuple(found)


def overlaps(spans: Sequence[Span], others: Sequence[Span]) -> tuple[Span, ...]:
    """The parts of `spans` that are in `others` too."""
    return merged((max(a, c), min(b, d)) for a, b in spans for c, d in others)


def without(spans: Sequence[Span], taken: Sequence[Span]) -> tuple[Span, ...]:
    """The parts of `spans` that are not in `taken`; both in order."""
    left: list[Span] = list(spans)
    for start, end in taken:
        left = [
            part
            for a, b in left
            for part in ((a, min(b, start)), (max(a, end), b))
            if part[0] < part[1]
        ]
    return merged(left)


@dataclass(frozen=True)
class ExcludedTime:
    """Time that does not count, as merged spans; made to be asked often."""

    spans: tuple[Span, ...] = ()

    def within(self, start: int, end: int) -> int:
        """How many seconds of [start, end) it takes."""
        if not self.spans or end <= start:
            return 0
        return self._before(end) - self._before(start)

    def holds(self, start: int, end: int) -> bool:
        """Whether it takes all of [start, end), which is not empty."""
        return start < end and self.within(start, end) == end - start

    def _before(self, at: int) -> int:
        """How many seconds it takes up to `at`."""
        place = bisect_right(self._starts, at)
        if not place:
            return 0
        start, end = self.spans[place - 1]
        return self._sums[place - 1] + min(end, at) - start

    @cached_property
    def _starts(self) -> list[int]:
        return [start for start, _ in self.spans]

    @cached_property
    def _sums(self) -> list[int]:
        """How many seconds the spans before each one take."""
        return list(accumulate(chain([0], (end - start for start, end in self.spans))))


NOTHING = ExcludedTime()
"""All time counts."""
