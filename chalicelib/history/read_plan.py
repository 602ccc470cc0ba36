"""Which daily rollups, hourly rollups and single results to read for the statistics of a range."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from chalicelib.common.intervals import Span, merged
from chalicelib.history.rollups.rollup import DAY_S, HOUR_S
from chalicelib.history.rollups.statistics import bucket_s

SETTLED_S: Final = 26 * HOUR_S
"""The age at which a day and its hours have been rolled up twice, see `periods_to_roll_up`."""


@dataclass(frozen=True, slots=True)
class Retention:
    """The start of complete history for each resolution, in epoch seconds; `now` is its end."""

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
        """Extend a range to full hours or days where nothing finer is kept, and end it by now."""
        return (_down(start, self._finest(start)), _up(min(end, self.now), self._finest(end)))

    def bucket_s(self, start: int, end: int) -> int:
        """The bucket length of a series for a range from `fit`, in seconds."""
        return bucket_s(end - start, self._finest(start))

    def _finest(self, at: int) -> int:
        return 1 if at >= self.results else HOUR_S if at >= self.hours else DAY_S


@dataclass(frozen=True, slots=True)
class ReadPlan:
    """The spans to read at each resolution, each [start, end) in epoch seconds."""

    days: tuple[Span, ...] = ()
    hours: tuple[Span, ...] = ()
    results: tuple[Span, ...] = ()

    @property
    def rollups(self) -> int:
        """The number of daily and hourly rollups."""
        return _length(self.days) // DAY_S + _length(self.hours) // HOUR_S

    @property
    def calls(self) -> int:
        """The maximum number of calls: one per month of rollups and per day of results."""
        months = sum(2 + (end - start) // (28 * DAY_S) for start, end in (*self.days, *self.hours))
        return months + sum(2 + (end - start) // DAY_S for start, end in self.results)

    def checks(self, interval_s: int) -> int:
        """The number of single checks of a target that are read."""
        return _length(self.results) // interval_s


def plan_reads(
    span: Span, retention: Retention, *, bucket_s: int, created_at: int, look_back_s: int
) -> ReadPlan:
    """Plan the reads for `span`, fitted by `Retention.fit`, of a target created at `created_at`.

    No rollup crosses the edge of a bucket of `bucket_s`. The plan includes the last check before
    the range, which is at most `look_back_s` older than its start.
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
    """Plan the reads for the last check before `start`."""
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
