"""Statistics of targets over a range, and the monthly report."""

import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from chalicelib.common.intervals import Span
from chalicelib.common.runtime import BaseRuntime
from chalicelib.history.aggregation import (
    HistoryQuery,
    Lanes,
    QueryTooLargeError,
    add_lanes,
    by_lane,
    estimated_cpu_s,
    tally_targets,
)
from chalicelib.history.outages import Outages, outages
from chalicelib.history.read_plan import Retention
from chalicelib.history.rollups.rollup import DAY_S
from chalicelib.history.rollups.statistics import Tally, bucket_edges, total
from chalicelib.maintenance.occurrences import read_calendar
from chalicelib.monitoring.target import Target

MAX_CPU_S: Final = 18
"""Seconds of a vCPU, which the API's function has: so much is answered well within its 29 s."""
PATIENCE_S: Final = 24
"""What takes longer all the same is given up, so that the caller is told."""


@dataclass(frozen=True, slots=True)
class Statistics:
    """The sums over a range as it could be answered, and its parts of `bucket_s` each."""

    whole: Tally
    bucket_s: int
    series: Sequence[Tally]
    outages: Outages


def retention(runtime: BaseRuntime) -> Retention:
    """Since when this stage keeps which form of the history."""
    settings = runtime.settings
    return Retention.at(
        runtime.now,
        results_days=settings.results_retention_days,
        hourly_days=settings.hourly_retention_days,
        daily_days=settings.daily_retention_days,
    )


def statistics(
    runtime: BaseRuntime,
    owner: str,
    targets: Sequence[Target],
    span: Span,
    *,
    whole_lanes: Collection[int] = (),
) -> Statistics:
    """The statistics of the owner's `targets` together, over a range within what is kept.

    Of `whole_lanes` all targets are among them: such lanes are summed up as one. Raises
    QueryTooLargeError.
    """
    fitting = retention(runtime).fit(*span)
    bucket = retention(runtime).bucket_s(*fitting)
    query = _question(runtime, owner, targets, bucket_edges(*fitting, bucket), bucket)
    lanes = by_lane(targets)
    whole = {lane: found for lane, found in lanes.items() if lane in whole_lanes}
    single = {lane: found for lane, found in lanes.items() if lane not in whole_lanes}
    _refuse_too_much(query, whole, single)
    series = [Tally(start, end) for start, end in pairwise(query.edges)]
    single |= {lane: whole[lane] for lane in add_lanes(query, whole, series)}
    _refuse_too_much(query, {}, single)
    for _, parts in tally_targets(query, single):
        for summary, part in zip(series, parts, strict=True):
            summary.add(part)
    return Statistics(
        whole=total(series),
        bucket_s=bucket,
        series=series,
        outages=outages(owner, query.excluded, fitting),
    )


def _refuse_too_much(query: HistoryQuery, whole: Lanes, single: Lanes) -> None:
    if estimated_cpu_s(query, whole, single) > MAX_CPU_S:
        raise QueryTooLargeError


def each_over(
    runtime: BaseRuntime, owner: str, targets: Sequence[Target], span: Span
) -> dict[str, Tally]:
    """The sums of each target by id, over a range of whole days or hours that is kept.

    Raises QueryTooLargeError.
    """
    fitting = retention(runtime).fit(*span)
    query = _question(runtime, owner, targets, list(fitting), DAY_S)
    return {target.id: parts[0] for target, parts in tally_targets(query, by_lane(targets))}


def each_by_day(
    runtime: BaseRuntime, owner: str, targets: Sequence[Target], span: Span
) -> dict[str, list[Tally]]:
    """The sums of each target by id, for each day in UTC of a range, oldest first.

    Raises QueryTooLargeError.
    """
    fitting = retention(runtime).fit(*span)
    query = _question(runtime, owner, targets, bucket_edges(*fitting, DAY_S), DAY_S)
    return {target.id: parts for target, parts in tally_targets(query, by_lane(targets))}


def _question(
    runtime: BaseRuntime, owner: str, targets: Sequence[Target], edges: Sequence[int], bucket_s: int
) -> HistoryQuery:
    # The check that stands where the range begins may be a day old.
    calendar = read_calendar(owner, edges[0] - DAY_S, edges[-1] + DAY_S)
    excluded = {target.id: calendar.excluded(target) for target in targets}
    give_up_at = time.monotonic() + PATIENCE_S
    return HistoryQuery(
        runtime.settings, owner, retention(runtime), edges, bucket_s, excluded, give_up_at
    )
