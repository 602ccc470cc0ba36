"""Sums over the history of targets: of each by itself, or of all targets of a lane at once."""

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
"""What a call, a rollup, a piece of it and a single check take of a vCPU at most, in seconds."""


class QueryTooLargeError(Exception):
    """The query would take too long for a synchronous response."""


@dataclass(frozen=True, slots=True)
class HistoryQuery:
    """What is asked of an owner's history: the sums between each two of `edges`.

    They are those of a series with buckets of `bucket_s`. `excluded` is the maintenance of each
    target that does not count, by id. Nobody waits for longer than until `give_up_at`, as
    `time.monotonic` has it.
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

    def singly(self, lane: int) -> LaneHistory:
        """A lane to be summed up target by target."""
        return LaneHistory(self.settings, self.owner, lane, self.retention.now)

    def as_one(self, lane: int) -> LaneSummaries:
        """A lane to be summed up as one."""
        return LaneSummaries(self.settings, self.owner, lane, self.retention.now)

    def plan_reads(self, targets: Sequence[Target]) -> ReadPlan:
        """What has to be read for targets that are summed up at once."""
        start = self.edges[0]
        return plan_reads(
            (start, self.edges[-1]),
            self.retention,
            bucket_s=self.bucket_s,
            created_at=min(target.created_at for target in targets),
            look_back_s=max(_look_back_s(target, start) for target in targets),
        )


def by_lane(targets: Sequence[Target]) -> dict[int, list[Target]]:
    """The targets by lane, in their order."""
    found: defaultdict[int, list[Target]] = defaultdict(list)
    for target in targets:
        found[target.lane].append(target)
    return dict(found)


def tally_targets(query: HistoryQuery, lanes: Lanes) -> Iterator[tuple[Target, list[Tally]]]:
    """Each target's sums; a lane is read once for all of its targets. Raises QueryTooLargeError."""
    wanted = {
        lane: {target.id: (target, query.plan_reads([target])) for target in targets}
        for lane, targets in lanes.items()
    }
    needs = {lane: [needs for _, needs in places_in.values()] for lane, places_in in wanted.items()}
    start, resolution_s = query.edges[0], query.resolution_s
    for history in read_lanes(query.singly, needs):
        query.refuse_late()
        for target, need in wanted[history.lane].values():
            apart = query.excluded[target.id]
            segments = history.segments(target, need, apart, start, resolution_s)
            yield target, tally(segments, query.edges, apart)


def add_lanes(query: HistoryQuery, lanes: Lanes, series: Sequence[Tally]) -> list[int]:
    """Add lanes to the sums whose targets are all asked for; returns those that cannot be so.

    That is where a place has something left of the target that had it before, and where rollups
    are so old that they do not say what they add up to. Raises QueryTooLargeError.
    """
    wanted = {lane: [query.plan_reads(targets)] for lane, targets in lanes.items()}
    left = []
    for history in read_lanes(query.as_one, wanted):
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
    """How many seconds of a vCPU it takes at most to sum up lanes as one, and targets singly."""
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
    """The places that leave out the same."""
    shares: defaultdict[ExcludedTime, Places] = defaultdict(int)
    for place, excluded in apart.items():
        shares[excluded] |= 1 << place
    return [(places, excluded) for excluded, places in shares.items()]


def _look_back_s(target: Target, start: int) -> int:
    """How old the check can be that still stands at `start`.

    That is the target's interval, or where it may have been another one, the longest there is.
    """
    return target.spec.interval_s if target.updated_at + DAY_S <= start else DAY_S
