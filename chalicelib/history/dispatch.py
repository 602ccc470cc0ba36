"""Gives work out that runs of `rollup` do: folds of the hours that are over, and erasures.

It stands apart from that work, so that who gives it out does not load what it needs.
"""

from collections.abc import Iterator, Sequence

from chalicelib.aws.runtime import AwsRuntime
from chalicelib.aws.tenancy import acting_as_system
from chalicelib.history.erasure_repository import all_erasures
from chalicelib.history.rollups.job import RollupJob, periods_to_roll_up
from chalicelib.history.rollups.rollup import DAY_S, HOUR_S
from chalicelib.monitoring.check_job import CheckJob
from chalicelib.monitoring.storage.lane_repository import lanes_of_shard
from chalicelib.monitoring.storage.schedule_repository import (
    advance_rollup_cursor,
    read_rollup_cursor,
    read_shards,
)

_WAIT_S = 300
"""An hour is folded when checks that were under way at its end have been written."""
_AT_ONCE = 50
"""So many runs share a stage's folds; checks need most of what Lambda runs at one time."""
_FEWEST, _MOST = 10, 500
"""Folds of one run: enough to be worth it, and few enough to end within its five minutes."""


def fan_out(runtime: AwsRuntime) -> int:
    """Have each lane's hours folded that are over; returns how many folds were given out.

    The cursor moves on after all are. Lanes come from an index by shard: nothing is scanned, and a
    lane without results leaves nothing.
    """
    with acting_as_system():
        retention_s = runtime.settings.results_retention_days * DAY_S
        ripe = runtime.now - _WAIT_S
        batches = periods_to_roll_up(read_rollup_cursor(), ripe, retention_s)
        folds = (
            [RollupJob(*lane, spans) for lane in all_lanes() for spans in batches]
            if batches
            else []
        )
        size = min(max(-(-len(folds) // _AT_ONCE), _FEWEST), _MOST)
        for start in range(0, len(folds), size):
            start_rollups(runtime, folds[start : start + size])
        if batches:
            advance_rollup_cursor(ripe // HOUR_S * HOUR_S)
            start_erasures(runtime)
    return len(folds)


def start_rollups(runtime: AwsRuntime, folds: Sequence[RollupJob]) -> None:
    """Have a run of `rollup` make the folds, one after the other."""
    runtime.functions.start("rollup", {"folds": [one.to_json() for one in folds]})


def all_lanes() -> Iterator[tuple[str, int]]:
    """Every owner's lanes, `(owner, number)`; for the system scope."""
    for shard in range(read_shards()):
        yield from lanes_of_shard(shard)


def roll_up_late(runtime: AwsRuntime, job: CheckJob) -> None:
    """Have the hour of a check folded again, if it should have been by now."""
    hour = job.tick // HOUR_S * HOUR_S
    if hour + HOUR_S + _WAIT_S <= runtime.now:
        start_rollups(runtime, [RollupJob(job.owner, job.lane, [(hour, hour + HOUR_S)])])


def start_erasures(runtime: AwsRuntime) -> int:
    """Have every erasure gone on with, each by a run of its own; for the system scope."""
    wanted = list(all_erasures())
    for owner, target_id in wanted:
        runtime.functions.start("rollup", {"erase": [f"{owner}#{target_id}"]})
    return len(wanted)
