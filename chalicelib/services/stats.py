"""Statistics of targets over a range, and the monthly report."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from chalicelib.domain.reads import Kept, Reads, reads
from chalicelib.domain.rollup import DAY_S, HOUR_S
from chalicelib.domain.spans import LeftOut, Span
from chalicelib.domain.statistics import Tally, bucket_edges, tally, total
from chalicelib.domain.targets import Target
from chalicelib.services.calendar import read_calendar
from chalicelib.services.lanehistory import read_histories
from chalicelib.services.outages import Outages, outages
from chalicelib.services.runtime import Runtime


@dataclass(frozen=True, slots=True)
class Statistics:
    """The sums over a range as it could be answered, and its parts of `bucket_s` each."""

    whole: Tally
    bucket_s: int
    series: Sequence[Tally]
    outages: Outages


def kept(runtime: Runtime) -> Kept:
    """Since when this stage keeps which form of the history."""
    settings = runtime.settings
    return Kept.at(
        runtime.now,
        results_days=settings.results_retention_days,
        hourly_days=settings.hourly_retention_days,
        daily_days=settings.daily_retention_days,
    )


def statistics(runtime: Runtime, owner: str, targets: Sequence[Target], span: Span) -> Statistics:
    """The statistics of the owner's `targets` together, over a range within what is kept."""
    keep = kept(runtime)
    fitting = keep.fit(*span)
    bucket = keep.bucket_s(*fitting)
    edges = bucket_edges(*fitting, bucket)
    left_out = _left_out(owner, targets, fitting)
    series = [Tally(start, end) for start, end in pairwise(edges)]
    for _, parts in _tallies(runtime, owner, targets, edges, bucket, left_out):
        for whole, part in zip(series, parts, strict=True):
            whole.add(part)
    return Statistics(
        whole=total(series),
        bucket_s=bucket,
        series=series,
        outages=outages(owner, left_out, fitting),
    )


def each_over(
    runtime: Runtime, owner: str, targets: Sequence[Target], span: Span
) -> dict[str, Tally]:
    """The sums of each target by id, over a range of whole days or hours that is kept."""
    fitting = kept(runtime).fit(*span)
    left_out = _left_out(owner, targets, fitting)
    tallies = _tallies(runtime, owner, targets, list(fitting), DAY_S, left_out)
    return {target.id: parts[0] for target, parts in tallies}


def each_by_day(
    runtime: Runtime, owner: str, targets: Sequence[Target], span: Span
) -> dict[str, list[Tally]]:
    """The sums of each target by id, for each day in UTC of a range, oldest first."""
    fitting = kept(runtime).fit(*span)
    edges = bucket_edges(*fitting, DAY_S)
    left_out = _left_out(owner, targets, fitting)
    tallies = _tallies(runtime, owner, targets, edges, DAY_S, left_out)
    return {target.id: parts for target, parts in tallies}


def _left_out(owner: str, targets: Sequence[Target], span: Span) -> dict[str, LeftOut]:
    """The maintenance of each target that does not count, by id; one call."""
    # The check that stands where the range begins may be a day old.
    calendar = read_calendar(owner, span[0] - DAY_S, span[1] + DAY_S)
    return {target.id: calendar.left_out(target) for target in targets}


def _tallies(
    runtime: Runtime,
    owner: str,
    targets: Sequence[Target],
    edges: Sequence[int],
    bucket_s: int,
    left_out: Mapping[str, LeftOut],
) -> Iterator[tuple[Target, list[Tally]]]:
    """Each target's sums between the edges; a lane is read once for all of its targets."""
    keep, start, end = kept(runtime), edges[0], edges[-1]
    wanted: dict[int, dict[str, tuple[Target, Reads]]] = {}
    for target in targets:
        needs = reads(
            (start, end),
            keep,
            bucket_s=bucket_s,
            created_at=target.created_at,
            look_back_s=_look_back_s(target, start),
        )
        wanted.setdefault(target.lane, {})[target.id] = target, needs
    grain_s = min(HOUR_S, bucket_s)
    needs_by_lane = {
        lane: [needs for _, needs in members.values()] for lane, members in wanted.items()
    }
    for history in read_histories(runtime.settings, owner, needs_by_lane, runtime.now):
        for target, needs in wanted[history.lane].values():
            apart = left_out[target.id]
            pieces = history.pieces(target, needs, apart, start, grain_s)
            yield target, tally(pieces, edges, apart)


def _look_back_s(target: Target, start: int) -> int:
    """How old the check can be that still stands at `start`.

    That is the target's interval, or where it may have been another one, the longest there is.
    """
    return target.spec.interval_s if target.updated_at + DAY_S <= start else DAY_S
