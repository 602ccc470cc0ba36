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
"""The estimated vCPU seconds above which a query is refused; API Gateway gives up after 29 s."""
PATIENCE_S: Final = 24
"""A query that runs for longer is stopped, so that the caller gets an error with a reason."""


@dataclass(frozen=True, slots=True)
class Statistics:
    """Totals over the range that was answered, and a series with buckets of `bucket_s` seconds."""

    whole: Tally
    bucket_s: int
    series: Sequence[Tally]
    outages: Outages


def retention(runtime: BaseRuntime) -> Retention:
    """The stage's retention of results and rollups as of now."""
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
    """Return the combined statistics of the owner's `targets` over a range that is kept.

    `whole_lanes` are lanes whose targets are all in `targets`, and which can be read by their
    summaries. Raises QueryTooLargeError.
    """
    fitting = retention(runtime).fit(*span)
    bucket = retention(runtime).bucket_s(*fitting)
    query = _query(runtime, owner, targets, bucket_edges(*fitting, bucket), bucket)
    lanes = by_lane(targets)
    whole = {lane: found for lane, found in lanes.items() if lane in whole_lanes}
    single = {lane: found for lane, found in lanes.items() if lane not in whole_lanes}
    _refuse_too_much(query, whole, single)
    series = [Tally(start, end) for start, end in pairwise(query.edges)]
    single |= {lane: whole[lane] for lane in add_lanes(query, whole, series)}
    _refuse_too_much(query, {}, single)
    for _, parts in tally_targets(query, single):
        for summary, part in zip(series, parts, strict=True):
            summary.add_totals(part)
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
    """Return each target's totals by id, over a range of full days or hours that is kept.

    Raises QueryTooLargeError.
    """
    fitting = retention(runtime).fit(*span)
    query = _query(runtime, owner, targets, list(fitting), DAY_S)
    return {target.id: parts[0] for target, parts in tally_targets(query, by_lane(targets))}


def each_by_day(
    runtime: BaseRuntime, owner: str, targets: Sequence[Target], span: Span
) -> dict[str, list[Tally]]:
    """Return each target's totals by id, for each UTC day of a range, oldest first.

    Raises QueryTooLargeError.
    """
    fitting = retention(runtime).fit(*span)
    query = _query(runtime, owner, targets, bucket_edges(*fitting, DAY_S), DAY_S)
    return {target.id: parts for target, parts in tally_targets(query, by_lane(targets))}


def _query(
    runtime: BaseRuntime, owner: str, targets: Sequence[Target], edges: Sequence[int], bucket_s: int
) -> HistoryQuery:
    # The last check before the range may be a day old.
    calendar = read_calendar(owner, edges[0] - DAY_S, edges[-1] + DAY_S)
    excluded = {target.id: calendar.excluded(target) for target in targets}
    give_up_at = time.monotonic() + PATIENCE_S
    return HistoryQuery(
        runtime.settings, owner, retention(runtime), edges, bucket_s, excluded, give_up_at
    )
