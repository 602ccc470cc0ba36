"""Rate limits: a bucket of `burst` that fills at `per_minute`, counted second by second.

Nothing but counts is stored: how many requests came in each second of a minute, and how full the
bucket was when the minute began. Each request adds one to its second, and reads from the answer
how many came before it. So the counts order all requests, however many arrive at once, and whether
one is admitted follows from replaying them. The level is in sixtieths of a request: a minute's
worth of seconds adds a minute's worth of requests, in whole numbers.
"""

from collections.abc import Mapping
from dataclasses import dataclass

WINDOW_S = 60
BUCKETS = ("requests", "checks", "tests")
"""What is counted apart: all requests, checks that are ordered, tests of channels."""
_ONE = 60


@dataclass(frozen=True, slots=True)
class Rate:
    """How much is allowed: `burst` at once, at most `per_minute`, which is for the long run."""

    per_minute: int
    burst: int

    @property
    def full(self) -> int:
        return self.burst * _ONE

    @property
    def window_s(self) -> int:
        """In how many seconds an empty bucket is full again."""
        return -(-self.burst * 60 // self.per_minute)


@dataclass(frozen=True, slots=True)
class Minute:
    """A minute's counts, by second, and the level before its first request."""

    start: int
    counts: Mapping[int, int]


@dataclass(frozen=True, slots=True)
class Ruling:
    """Whether a request is admitted; `remaining` could follow it at once.

    `reset_s` is when all of it is back, `retry_after_s` when one more will be.
    """

    is_admitted: bool
    remaining: int
    reset_s: int
    retry_after_s: int


def rule(rate: Rate, minute: Minute, second: int) -> Ruling:
    """What becomes of the request that was counted last, in a second of a minute."""
    before = _replay(rate, minute, second)
    admitted = before // _ONE
    counted = minute.counts.get(second, 0)
    is_admitted = counted <= admitted
    level = before - min(counted, admitted) * _ONE
    missing = max(0, _ONE - level)
    return Ruling(
        is_admitted=is_admitted,
        remaining=level // _ONE,
        reset_s=-(-(rate.full - level) // rate.per_minute),
        retry_after_s=max(1, -(-missing // rate.per_minute)),
    )


def next_start(rate: Rate, before: Minute | None) -> int:
    """The level at the beginning of a minute, after what came in the minute before it.

    Where nothing came the bucket is full: a burst is never more than a minute's worth.
    """
    return rate.full if before is None else _replay(rate, before, WINDOW_S)


def _replay(rate: Rate, minute: Minute, until: int) -> int:
    """The level in the second `until`, before its first request."""
    level = min(minute.start, rate.full)
    for second in range(until):
        admitted = min(minute.counts.get(second, 0), level // _ONE)
        level = min(rate.full, level - admitted * _ONE + rate.per_minute)
    return level
