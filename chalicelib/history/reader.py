"""Read a lane's history over a range once, for all of its targets in a query.

Daily rollups, hourly rollups and results are read concurrently, with a call per month of rollups
and per day of results. A second round reads the results of recent hours without a rollup.
"""

from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import groupby
from operator import itemgetter
from typing import Any, Generic, TypeVar

from chalicelib.common.intervals import NOTHING, ExcludedTime, Span, merged, overlaps, without
from chalicelib.common.parallel import run_parallel
from chalicelib.common.settings import Settings
from chalicelib.history.read_plan import SETTLED_S, ReadPlan
from chalicelib.history.rollups.job import days_of
from chalicelib.history.rollups.lane_summary import LaneSummary
from chalicelib.history.rollups.repository import Period, Rollup, Rollups, months_of
from chalicelib.history.rollups.rollup import HOUR_S, Segment, roll_up
from chalicelib.monitoring.regions import samples_by_tick
from chalicelib.monitoring.result import Sample
from chalicelib.monitoring.storage.result_repository import Results
from chalicelib.monitoring.target import Target

_LANES_AT_ONCE = 8
_TICK = _KEY = itemgetter(0)
Reader = Callable[[], None]
Kept = TypeVar("Kept")
Lane = TypeVar("Lane", bound="_Lane[Any]")


@dataclass
class _Lane(ABC, Generic[Kept]):
    """What was read of one lane: rollups by their start, and samples by place."""

    settings: Settings
    owner: str
    lane: int
    now: int
    days: dict[int, Kept] = field(default_factory=dict)
    hours: dict[int, Kept] = field(default_factory=dict)
    samples: dict[int, list[Sample]] = field(default_factory=dict)
    missing: tuple[Span, ...] = ()

    @abstractmethod
    def rollups(self, period: Period, span: Span) -> Iterator[tuple[int, Kept]]:
        """Read the rollups that begin within a span; yields `(start, rollup)`."""

    def readers(self, wanted: ReadPlan) -> Iterator[Reader]:
        """The calls of the first round."""
        for period, found, spans in (
            (Period.DAY, self.days, wanted.days),
            (Period.HOUR, self.hours, wanted.hours),
        ):
            for start, end in spans:
                for month in months_of(start, end):
                    yield partial(self._read_rollups, period, found, month)
        yield from self._result_readers(wanted.results)

    def late_readers(self, wanted: ReadPlan) -> Iterator[Reader]:
        """The calls of the second round, for hours whose rollup is missing."""
        recent = self.now - SETTLED_S
        self.missing = merged(
            (hour, hour + HOUR_S)
            for start, end in wanted.hours
            for hour in range(max(start, recent // HOUR_S * HOUR_S), end, HOUR_S)
            if hour not in self.hours
        )
        yield from self._result_readers(without(self.missing, wanted.results))

    def _result_readers(self, spans: Sequence[Span]) -> Iterator[Reader]:
        for start, end in spans:
            for day in days_of(start, end):
                yield partial(self._read_results, day)

    def _read_rollups(self, period: Period, found: dict[int, Kept], span: Span) -> None:
        found.update(self.rollups(period, span))

    def _read_results(self, span: Span) -> None:
        stored = Results(self.owner).between(self.lane, *span, now=self.now)
        for _, _, found in samples_by_tick(self.settings, stored):
            for place, sample in found:
                self.samples.setdefault(place, []).append(sample)


class LaneHistory(_Lane[Rollup]):
    """A lane's history by target."""

    def rollups(self, period: Period, span: Span) -> Iterator[tuple[int, Rollup]]:
        found = Rollups(self.owner).between(period, self.lane, *span, now=self.now)
        return ((rollup.start, rollup) for rollup in found)

    def segments(
        self,
        target: Target,
        plan: ReadPlan,
        excluded: ExcludedTime,
        start: int,
        resolution_s: int,
    ) -> Iterator[Segment]:
        """Yield the target's segments, including those before `start`.

        Results become segments of `resolution_s`. Rollups already lack the `excluded` time, which
        is subtracted from results here. The place may have been another target's before, so
        only segments that are entirely the target's own are used.
        """
        place, created_at = target.spec.place, target.created_at
        for rollups, spans in ((self.days, plan.days), (self.hours, plan.hours)):
            for at, rollup in rollups.items():
                segment = rollup.segment(place) if _within(at, spans) else None
                if segment and (segment.last if at < start else segment.first) >= created_at:
                    yield segment
        spans = (*plan.results, *overlaps(self.missing, plan.hours))
        own = [
            sample
            for sample in self.samples.get(place, ())
            if sample.tick >= created_at and _within(sample.tick, spans)
        ]
        own.sort(key=_TICK)
        for _, part in groupby(own, key=lambda one: (one.tick >= start, one.tick // resolution_s)):
            if segment := roll_up(part, excluded):
                yield segment


class LaneSummaries(_Lane[LaneSummary | None]):
    """A lane's history, summed over all places, whichever targets had them."""

    def rollups(self, period: Period, span: Span) -> Iterator[tuple[int, LaneSummary | None]]:
        return Rollups(self.owner).summaries_between(period, self.lane, *span, now=self.now)

    def parts(
        self, excluded: Mapping[int, ExcludedTime], start: int, resolution_s: int
    ) -> list[LaneSummary] | None:
        """Return all summaries in order of time, including those before `start`.

        `excluded` is by place, see `LaneHistory.segments`. Returns None if some rollup predates
        summaries.
        """
        found: list[tuple[int, LaneSummary]] = []
        for at, summary in (*self.days.items(), *self.hours.items()):
            if summary is None:
                return None
            found.append((at, summary))
        grains: defaultdict[tuple[int, bool], LaneSummary] = defaultdict(LaneSummary)
        for place, samples in sorted(self.samples.items()):
            apart = excluded.get(place, NOTHING)
            samples.sort(key=_TICK)
            for key, part in groupby(
                samples, lambda one: (one.tick // resolution_s, one.tick >= start)
            ):
                if segment := roll_up(part, apart):
                    grains[key].add(place, segment)
        found += [
            (grain * resolution_s, part) for (grain, _), part in sorted(grains.items(), key=_KEY)
        ]
        return [part for _, part in sorted(found, key=_KEY)]


def read_lanes(
    kind: Callable[[int], Lane], wanted: Mapping[int, Sequence[ReadPlan]]
) -> Iterator[Lane]:
    """Yield a history of `kind` per lane; `wanted` has the read plans by lane number."""
    numbers = sorted(wanted)
    for at in range(0, len(numbers), _LANES_AT_ONCE):
        lanes = numbers[at : at + _LANES_AT_ONCE]
        histories = [kind(lane) for lane in lanes]
        needs = [_union(wanted[history.lane]) for history in histories]
        pairs = list(zip(histories, needs, strict=True))
        run_parallel([call for history, need in pairs for call in history.readers(need)])
        run_parallel([call for history, need in pairs for call in history.late_readers(need)])
        yield from histories


def _union(wanted: Sequence[ReadPlan]) -> ReadPlan:
    return ReadPlan(
        merged(span for one in wanted for span in one.days),
        merged(span for one in wanted for span in one.hours),
        merged(span for one in wanted for span in one.results),
    )


def _within(at: int, spans: Sequence[Span]) -> bool:
    return any(start <= at < end for start, end in spans)
