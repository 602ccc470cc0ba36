"""What has to be read for the statistics of a range: days, hours, and the rest result by result."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from chalicelib.common.intervals import Span, merged
from chalicelib.history.rollups.rollup import DAY_S, HOUR_S
from chalicelib.history.rollups.statistics import bucket_s

SETTLED_S: Final = 26 * HOUR_S
"""By then a day has been folded, and all of its hours once more: see `periods_to_roll_up`."""


@dataclass(frozen=True, slots=True)
class Retention:
    """Since when, in epoch seconds, each form of the history is kept whole; `now` ends it."""

    results: int
    hours: int
    days: int
    now: int

    @classmethod
    def at(cls, now: int, *, results_days: int, hourly_days: int, daily_days: int) -> "Retention":
        return cls(
            results=_up(now - results_days * DAY_S, HOUR_S),
            hours=_up(now - hourly_days * DAY_S, DAY_S),
            days=_up(now - daily_days * DAY_S, DAY_S),
            now=now,
        )

    def fit(self, start: int, end: int) -> Span:
        """The range as it can be answered: to the hour, or day, where nothing finer is kept."""
        return (_down(start, self._finest(start)), _up(min(end, self.now), self._finest(end)))

    def bucket_s(self, start: int, end: int) -> int:
        """The length of a series' buckets for a range that fits."""
        return bucket_s(end - start, self._finest(start))

    def _finest(self, at: int) -> int:
        return 1 if at >= self.results else HOUR_S if at >= self.hours else DAY_S


@dataclass(frozen=True, slots=True)
class ReadPlan:
    """The parts of one target's history that make up a range, each [start, end)."""

    days: tuple[Span, ...] = ()
    hours: tuple[Span, ...] = ()
    results: tuple[Span, ...] = ()

    @property
    def rollups(self) -> int:
        """How many days and hours these are."""
        return _length(self.days) // DAY_S + _length(self.hours) // HOUR_S

    @property
    def calls(self) -> int:
        """How many calls read them at most: one for each month of rollups, and day of results."""
        months = sum(2 + (end - start) // (28 * DAY_S) for start, end in (*self.days, *self.hours))
        return months + sum(2 + (end - start) // DAY_S for start, end in self.results)

    def checks(self, interval_s: int) -> int:
        """How many checks of a target are read one by one."""
        return _length(self.results) // interval_s


def plan_reads(
    span: Span, retention: Retention, *, bucket_s: int, created_at: int, look_back_s: int
) -> ReadPlan:
    """Plan the reads for `span`, fitted by `Retention.fit`, of a target created at `created_at`.

    The parts fit into buckets of `bucket_s`. With what stood at the beginning: the last check
    before it, at most `look_back_s` ago.
    """
    start, end = max(span[0], created_at), span[1]
    if start >= end:
        return ReadPlan()
    before = _before(start, max(created_at, start - look_back_s), retention)
    if bucket_s < HOUR_S:
        return ReadPlan(before.days, before.hours, merged([*before.results, (start, end)]))
    first_hour = _up(start, HOUR_S) if start >= retention.results else _down(start, HOUR_S)
    last_hour = _down(min(end, retention.now), HOUR_S)
    if first_hour > last_hour:
        return ReadPlan(before.days, before.hours, merged([*before.results, (start, end)]))
    first_day = _up(start, DAY_S) if start >= retention.hours else _down(start, DAY_S)
    last_day = min(_down(end, DAY_S), _down(retention.now - SETTLED_S, DAY_S))
    if first_day < last_day and bucket_s >= DAY_S:
        days = [(first_day, last_day)]
        hours = [(first_hour, first_day), (last_day, last_hour)]
    else:
        days, hours = [], [(first_hour, last_hour)]
    results = [(start, first_hour), (last_hour, end)]
    return ReadPlan(
        merged([*before.days, *days]),
        merged([*before.hours, *hours]),
        merged([*before.results, *results]),
    )


def _before(start: int, earliest: int, retention: Retention) -> ReadPlan:
    """Where the last check before `start` is to be found."""
    if start < retention.hours:
        return ReadPlan(days=merged([(_down(earliest, DAY_S), _down(start, DAY_S))]))
    hours = merged([(max(retention.hours, _down(earliest, HOUR_S)), _down(start, HOUR_S))])
    if start < retention.results:
        return ReadPlan(hours=hours)
    return ReadPlan(hours=hours, results=merged([(max(earliest, _down(start, HOUR_S)), start)]))


def _length(spans: Sequence[Span]) -> int:
    return sum(end - start for start, end in spans)


def _down(at: int, unit: int) -> int:
    return at // unit * unit


def _up(at: int, unit: int) -> int:
    return -(-at // unit) * unit
