"""Mergeable histograms of response times, with percentiles within 2 % of the exact ones.

Bucket limits are fixed whole milliseconds, so histograms merge by adding their counts, in any order
and grouping. A bucket's value is within 2 % of every number in it: below 50 ms each number has its
own bucket, above that each is 4 % wider than the one before. These are the logarithmic buckets of
DDSketch (https://arxiv.org/abs/1908.10693) in integer arithmetic.
"""

import math
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from struct import Struct, pack, unpack_from
from typing import Final, Self

from chalicelib.common.varints import read_varints, write_varints

RELATIVE_ERROR: Final = 0.02
_HEAD: Final = Struct(">QIIH")
MAX_MS: Final = 5 * 65_535
"""The longest response time that a stored result can have."""


def _buckets() -> tuple[list[int], list[int]]:
    """The lowest number and the value of each bucket, in exact integer arithmetic."""
    lows, values = [0], [0]
    low = 1
    while low <= MAX_MS:
        value = low * 51 // 50
        lows.append(low)
        values.append(value)
        low = value * 50 // 49 + 1
    return lows, values


_LOWS, _VALUES = _buckets()


@dataclass(slots=True)
class Histogram:
    """Counts by bucket; `total`, `low` and `high` are exact, in milliseconds."""

    counts: dict[int, int] = field(default_factory=dict)
    total: int = 0
    low: int = 0
    high: int = 0

    @classmethod
    def of(cls, times_ms: Iterable[int]) -> Self:
        """Count response times in milliseconds, capped at MAX_MS."""
        histogram = cls()
        for time_ms in times_ms:
            histogram.add(time_ms)
        return histogram

    def add(self, time_ms: int) -> None:
        """Count a response time."""
        capped = min(max(time_ms, 0), MAX_MS)
        bucket = bisect_right(_LOWS, capped) - 1
        self.low = min(self.low, capped) if self.counts else capped
        self.high = max(self.high, capped)
        self.counts[bucket] = self.counts.get(bucket, 0) + 1
        self.total += capped

    def merge(self, other: "Histogram") -> None:
        """Add the counts of another histogram."""
        if not other.counts:
            return
        self.low = min(self.low, other.low) if self.counts else other.low
        self.high = max(self.high, other.high)
        self.total += other.total
        counts, known = self.counts, self.counts.get
        for bucket, count in other.counts.items():
            counts[bucket] = known(bucket, 0) + count

    @property
    def count(self) -> int:
        return sum(self.counts.values())

    @property
    def mean(self) -> float | None:
        """The exact mean in milliseconds; None if empty."""
        return self.total / self.count if self.counts else None

    def percentile(self, share: float) -> int | None:
        """The percentile for `share` (0 to 1) in milliseconds, by nearest rank.

        Within 2 %; None if empty.
        """
        if not self.counts:
            return None
        rank = max(1, math.ceil(share * self.count))
        for bucket in sorted(self.counts):
            rank -= self.counts[bucket]
            if rank <= 0:
                return min(max(_VALUES[bucket], self.low), self.high)
        return self.high

    def to_bytes(self) -> bytes:
        """Varints: total, low, high - low, then each bucket's distance from the last and its count.

        Usually two bytes per bucket; empty for an empty histogram.
        """
        if not self.counts:
            return b""
        numbers = [self.total, self.low, self.high - self.low]
        last = 0
        for bucket in sorted(self.counts):
            numbers += (bucket - last, self.counts[bucket])
            last = bucket
        return write_varints(numbers)

    @classmethod
    def from_numbers(cls, numbers: Iterator[int]) -> Self:
        """Read the varints that `to_bytes` wrote."""
        total = next(numbers, None)
        if total is None:
            return cls()
        low, width = next(numbers), next(numbers)
        counts: dict[int, int] = {}
        bucket = 0
        for step in numbers:
            bucket += step
            counts[bucket] = next(numbers)
        return cls(counts, total, low, low + width)

    def to_array(self) -> bytes:
        """Like `to_bytes`, but longer and much faster to read with many buckets."""
        if not self.counts:
            return b""
        first, last = min(self.counts), max(self.counts)
        row = [self.counts.get(bucket, 0) for bucket in range(first, last + 1)]
        head = _HEAD.pack(self.total, self.low, self.high, first)
        return head + pack(f">{len(row)}I", *row)

    @classmethod
    def from_array(cls, data: bytes) -> Self:
        """Read what `to_array` wrote."""
        if not data:
            return cls()
        total, low, high, first = _HEAD.unpack_from(data)
        row = unpack_from(f">{(len(data) - _HEAD.size) // 4}I", data, _HEAD.size)
        counts = {bucket: count for bucket, count in enumerate(row, first) if count}
        return cls(counts, total, low, high)

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Read what `to_bytes` wrote."""
        return cls.from_numbers(iter(read_varints(data)))
