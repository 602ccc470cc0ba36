"""Distributes background work to runs of the function `rollup`.

Rollups and erasures share a few runs an hour, so that they never take the concurrency that the
checks need. This module is separate from that work, so that callers do not load what it needs.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from chalicelib.alerting.storage.stale_repository import listed_owners
from chalicelib.aws.runtime import AwsRuntime
from chalicelib.aws.tenancy import acting_as_system
from chalicelib.history.erasure_repository import all_erasures
from chalicelib.history.rollups.job import RollupJob, periods_to_roll_up
from chalicelib.history.rollups.requests import all_requests, request_rollups
from chalicelib.history.rollups.rollup import DAY_S, HOUR_S
from chalicelib.monitoring.check_job import CheckJob
from chalicelib.monitoring.storage.lane_repository import lanes_of_shard
from chalicelib.monitoring.storage.schedule_repository import (
    advance_rollup_cursor,
    read_rollup_cursor,
    read_shards,
)
from chalicelib.monitoring.target import LANE_SIZE

_WAIT_S: Final = 300
"""An hour is rolled up when checks that were under way at its end have been written."""
_FEWEST, _MOST = 100, 1_500
"""Jobs of one run: a run is not worth starting for fewer, and its event has at most 256 KB."""
Run = dict[str, list[str]]


def fan_out(runtime: AwsRuntime) -> int:
    """Start the rollups of the hours that are over, and erasures; returns the number of rollups.

    At most `background_runs` runs share the work. The cursor advances after all are started. Lanes
    come from an index by shard: nothing is scanned, and a lane without results leaves nothing.
    """
    with acting_as_system():
        retention_s = runtime.settings.results_retention_days * DAY_S
        ripe = runtime.now - _WAIT_S
        batches = periods_to_roll_up(read_rollup_cursor(), ripe, retention_s)
        if not batches:
            return 0
        jobs = [RollupJob(*lane, spans) for lane in all_lanes() for spans in batches]
        for run in _runs(jobs, runtime.settings.background_runs, runtime.now // HOUR_S):
            runtime.functions.start("rollup", run)
        advance_rollup_cursor(ripe // HOUR_S * HOUR_S)
    return len(jobs)


def _runs(jobs: Sequence[RollupJob], most: int, hour: int) -> list[Run]:
    """The events of the runs. Only more than `most * _MOST` jobs need more than `most` runs."""
    size = min(max(-(-len(jobs) // most), _FEWEST), _MOST)
    runs: list[Run] = [
        {"folds": [job.to_json() for job in jobs[start : start + size]]}
        for start in range(0, len(jobs), size)
    ]
    further = [("requests", text) for text in all_requests()]
    further += [("stale", owner) for owner in listed_owners()]
    further += [("erase", text) for text in _erasures(most, hour)]
    if further:
        runs += [{} for _ in range(min(most, len(further)) - len(runs))]
    for number, (kind, text) in enumerate(further):
        runs[number % len(runs)].setdefault(kind, []).append(text)
    return runs


def _erasures(most: int, hour: int) -> list[str]:
    """Texts for `run_erasures`: the owners, and which part of their lanes.

    Every hour another owner is the first, because a run may not have the time for all of them.
    """
    counts = Counter(all_erasures())
    texts = [
        f"{owner}#{part}/{parts}"
        for owner, count in sorted(counts.items())
        for parts in [min(most, -(-count // LANE_SIZE))]
        for part in range(parts)
    ]
    first = hour % len(texts) if texts else 0
    return texts[first:] + texts[:first]


def all_lanes() -> Iterator[tuple[str, int]]:
    """Every owner's lanes, `(owner, number)`; for the system scope."""
    for shard in range(read_shards()):
        yield from lanes_of_shard(shard)


def roll_up_late(runtime: AwsRuntime, job: CheckJob) -> None:
    """Have the hour of a check rolled up again by the next run, if it was before the check."""
    hour = job.tick // HOUR_S * HOUR_S
    if hour + HOUR_S + _WAIT_S <= runtime.now:
        request_rollups(job.owner, job.lane, [(hour, hour + HOUR_S)])
