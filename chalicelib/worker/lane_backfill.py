"""Has lanes of an earlier version found by those who fold: lanes had no shard once.

A lane without one is in no index, so nothing of it is folded. The worker, which sees every lane
that is checked, gives it its shard; what it has results of is folded at once.
"""

from chalicelib.history.dispatch import start_rollups
from chalicelib.history.rollups.job import RollupJob
from chalicelib.history.rollups.rollup import DAY_S
from chalicelib.monitoring.lane import Lane
from chalicelib.monitoring.storage.lane_repository import Lanes
from chalicelib.worker.runtime import WorkerRuntime

_DAYS_A_FOLD = 10
"""A fold of so many days takes some seconds."""


def backfill(runtime: WorkerRuntime, lane: Lane) -> None:
    """Give a lane its shard, if it has none. Folds are started first: it may be the last step."""
    if lane.is_listed:
        return
    now, length = runtime.now, _DAYS_A_FOLD * DAY_S
    oldest = now - runtime.settings.results_retention_days * DAY_S
    starts = range(oldest, now, length)
    folds = [RollupJob(lane.owner, lane.number, [(at, min(at + length, now))]) for at in starts]
    start_rollups(runtime, folds)
    Lanes(lane.owner).backfill(lane)
