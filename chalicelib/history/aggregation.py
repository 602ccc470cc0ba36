"""Statistics over the history of targets: per target, or for all targets of a lane at once."""

import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from chalicelib.common.intervals import ExcludedTime
from chalicelib.common.settings import Settings
from chalicelib.history.read_plan import ReadPlan, Retention, plan_reads
from chalicelib.history.reader import LaneHistory, LaneSummaries, read_lanes
from chalicelib.history.rollups.lane_summary import Places, add_lane_summary, belong_to
from chalicelib.history.rollups.rollup import DAY_S, HOUR_S
from chalicelib.history.rollups.statistics import Tally, tally
from chalicelib.monitoring.target import Target

Lanes = Mapping[int, Sequence[Target]]
"""Targets by the number of their lane."""
_CALL_S: Final = 0.002
_ROLLUP_S: Final = 0.000_14
_PIECE_S: Final = 0.000_06
_CHECK_S: Final = 0.000_01
"""Upper bounds of the vCPU seconds that a call, a rollup, one of its segments and a check take."""


class QueryTooLargeError(Exception):
    """The query would take too long for a synchronous response."""


@dataclass(frozen=True, slots=True)
class HistoryQuery:
    """A query of an owner's history: totals for each bucket between two consecutive `edges`.

    Buckets are `bucket_s` long, except the first and the last. `excluded` is the maintenance that
    does not count, by target id. `give_up_at` is the deadline on the `time.monotonic` clock.
    """

    settings: Settings
    owner: str
    retention: Retention
    edges: Sequence[int]
    bucket_s: int
    excluded: Mapping[str, ExcludedTime]
    give_up_at: float

    def refuse_late(self) -> None:
        """Raise QueryTooLargeError after the deadline, e.g. if hours are not rolled up yet."""
        if time.monotonic() > self.give_up_at:
            raise QueryTooLargeError

    @property
    def resolution_s(self) -> int:
        return min(HOUR_S, self.bucket_s)

    def by_target(self, lane: int) -> LaneHistory:
        """The history of a lane, to be read per target."""
        return LaneHistory(self.settings, self.owner, lane, self.retention.now)

    def summaries(self, lane: int) -> LaneSummaries:
        """The history of a lane, to be read for all of its targets at once."""
        return LaneSummaries(self.settings, self.owner, lane, self.retention.now)

    def plan_reads(self, targets: Sequence[Target]) -> ReadPlan:
        """Plan the reads for targets of one lane whose statistics are computed together."""
        start = self.edges[0]
        return plan_reads(
            (start, self.edges[-1]),
            self.retention,
            bucket_s=self.bucket_s,
            created_at=min(target.created_at for target in targets),
            look_back_s=max(_look_back_s(target, start) for target in targets),
        )


def by_lane(targets: Sequence[Target]) -> dict[int, list[Target]]:
    """Group targets by lane, keeping their order."""
    found: defaultdict[int, list[Target]] = defaultdict(list)
    for target in targets:
        found[target.lane].append(target)
    return dict(found)


def tally_targets(query: HistoryQuery, lanes: Lanes) -> Iterator[tuple[Target, list[Tally]]]:
    """Yield each target's totals, reading each lane once. Raises QueryTooLargeError."""
    wanted = {
        lane: {target.id: (target, query.plan_reads([target])) for target in targets}
        for lane, targets in lanes.items()
    }
    plans = {lane: [plan for _, plan in found.values()] for lane, found in wanted.items()}
    start, resolution_s = query.edges[0], query.resolution_s
    for history in read_lanes(query.by_target, plans):
        query.refuse_late()
        for target, plan in wanted[history.lane].values():
            excluded = query.excluded[target.id]
            segments = history.segments(target, plan, excluded, start, resolution_s)
            yield target, tally(segments, query.edges, excluded)


def add_lanes(query: HistoryQuery, lanes: Lanes, series: Sequence[Tally]) -> list[int]:
    """Add lanes whose targets are all in the query, from their summaries; returns the others.

    A lane must be read per target if a place still has history of a deleted target, or if some of
    its rollups predate summaries. Raises QueryTooLargeError.
    """
    wanted = {lane: [query.plan_reads(targets)] for lane, targets in lanes.items()}
    left = []
    for history in read_lanes(query.summaries, wanted):
        query.refuse_late()
        targets = lanes[history.lane]
        apart = {one.spec.place: query.excluded[one.id] for one in targets}
        created_at = {one.spec.place: one.created_at for one in targets}
        parts = history.parts(apart, query.edges[0], query.resolution_s)
        if parts is not None and belong_to(parts, created_at):
            add_lane_summary(series, query.edges, parts, _shares(apart))
        else:
            left.append(history.lane)
    return left


def estimated_cpu_s(query: HistoryQuery, whole: Lanes, single: Lanes) -> float:
    """An upper bound of the vCPU seconds for `whole` lanes at once and `single` ones per target."""
    effort = 0.0
    for targets in whole.values():
        need = query.plan_reads(targets)
        checks = sum(need.checks(target.spec.interval_s) for target in targets)
        effort += need.calls * _CALL_S + need.rollups * _ROLLUP_S + checks * _CHECK_S
    for targets in single.values():
        need = query.plan_reads(targets)
        effort += need.calls * _CALL_S + need.rollups * _ROLLUP_S
        for target in targets:
            own = query.plan_reads([target])
            effort += own.rollups * _PIECE_S + own.checks(target.spec.interval_s) * _CHECK_S
    return effort


def _shares(apart: Mapping[int, ExcludedTime]) -> list[tuple[Places, ExcludedTime]]:
    """Group places by their excluded time."""
    shares: defaultdict[ExcludedTime, Places] = defaultdict(int)
    for place, excluded in apart.items():
        shares[excluded] |= 1 << place
    return [(places, excluded) for excluded, places in shares.items()]


def _look_back_s(target: Target, start: int) -> int:
    """The maximum age of the check that is still valid at `start`, in seconds.

    This is the target's interval, or the longest possible one if the interval may have changed.
    """
    return target.spec.interval_s if target.updated_at + DAY_S <= start else DAY_S
