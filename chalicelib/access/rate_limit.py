"""Rate limits: a token bucket of `burst` requests that fills at `per_minute`.

Only counts are stored: the requests in each second of a minute, and the bucket's level at the start
of the minute. A request increments the count of its second with one unconditional write, whose
response contains all counts. Replaying them tells whether the request is admitted: the counts order
concurrent requests. Levels are in sixtieths of a request, so that one second adds `per_minute`
and all arithmetic is in integers.
"""

from collections.abc import Mapping
from dataclasses import dataclass

WINDOW_S = 60
BUCKETS = ("requests", "checks", "tests")
"""What is counted separately: all requests, checks on demand, and tests of channels."""
_ONE = 60


@dataclass(frozen=True, slots=True)
class Rate:
    """A limit: `burst` requests at once and `per_minute` in the long run."""

    per_minute: int
    burst: int

    @property
    def full(self) -> int:
        return self.burst * _ONE

    @property
    def window_s(self) -> int:
        """The seconds in which an empty bucket fills."""
        return -(-self.burst * 60 // self.per_minute)


@dataclass(frozen=True, slots=True)
class Minute:
    """The counts of a minute by second, and the level at its start."""

    start: int
    counts: Mapping[int, int]


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether a request is admitted, and how many more would be now (`remaining`).

    The bucket is full after `reset_s`; the next request is admitted after `retry_after_s`.
    """

    is_admitted: bool
    remaining: int
    reset_s: int
    retry_after_s: int


def decide(rate: Rate, minute: Minute, second: int) -> Decision:
    """Decide on the request that was counted last, in `second` of the minute."""
    before = _replay(rate, minute, second)
    admitted = before // _ONE
    counted = minute.counts.get(second, 0)
    level = before - min(counted, admitted) * _ONE
    missing = max(0, _ONE - level)
    return Decision(
        is_admitted=counted <= admitted,
        remaining=level // _ONE,
        reset_s=-(-(rate.full - level) // rate.per_minute),
        retry_after_s=max(1, -(-missing // rate.per_minute)),
    )


def next_start(rate: Rate, before: Minute | None) -> int:
    """The level at the start of a minute, given the previous minute.

    None means no requests, after which the bucket is full: `burst` is at most `per_minute`.
    """
    return rate.full if before is None else _replay(rate, before, WINDOW_S)


def _replay(rate: Rate, minute: Minute, until: int) -> int:
    """The level at the start of the second `until`."""
    level = min(minute.start, rate.full)
    for second in range(until):
        admitted = min(minute.counts.get(second, 0), level // _ONE)
        level = min(rate.full, level - admitted * _ONE + rate.per_minute)
    return level
