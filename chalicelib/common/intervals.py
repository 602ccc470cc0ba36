"""Operations on time intervals."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, chain

Span = tuple[int, int]
"""A half-open interval [start, end) in epoch seconds."""


def merged(spans: Iterable[Span]) -> tuple[Span, ...]:
    """Sort the spans, drop empty ones, and join those that overlap or touch."""
    found: list[Span] = []
    for start, end in sorted(span for span in spans if span[0] < span[1]):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return tuple(found)


def overlaps(spans: Sequence[Span], others: Sequence[Span]) -> tuple[Span, ...]:
    """The intersection of `spans` and `others`."""
    return merged((max(a, c), min(b, d)) for a, b in spans for c, d in others)


def without(spans: Sequence[Span], taken: Sequence[Span]) -> tuple[Span, ...]:
    """The difference of `spans` and `taken`, both in order."""
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
    """Time that does not count, as merged spans; lookups take logarithmic time."""

    spans: tuple[Span, ...] = ()

    def within(self, start: int, end: int) -> int:
        """The excluded seconds in [start, end)."""
        if not self.spans or end <= start:
            return 0
        return self._before(end) - self._before(start)

    def holds(self, start: int, end: int) -> bool:
        """Whether [start, end) is not empty and excluded entirely."""
        return start < end and self.within(start, end) == end - start

    def _before(self, at: int) -> int:
        """The excluded seconds before `at`."""
        index = bisect_right(self._starts, at)
        if not index:
            return 0
        start, end = self.spans[index - 1]
        return self._sums[index - 1] + min(end, at) - start

    @cached_property
    def _starts(self) -> list[int]:
        return [start for start, _ in self.spans]

    @cached_property
    def _sums(self) -> list[int]:
        """For each span the total length of the spans before it."""
        return list(accumulate(chain([0], (end - start for start, end in self.spans))))


NOTHING = ExcludedTime()
"""No excluded time."""
