"""Makes rollups again: after a mistake in the code that made them, or a long outage."""

import os
from datetime import UTC, datetime

from ops import deploy
from ops.console import Failure
from ops.stages import Stage


def read_range(start: str, end: str) -> tuple[int, int]:
    """Dates or times, in UTC where they name no zone, as epoch seconds.

    Raises:
        Failure: one of them is no time, or the range ends before it begins.
    """
    first, last = _read("--from", start), _read("--to", end)
    if first >= last:
        raise Failure("--from must be before --to")
    return first, last


def _read(option: str, text: str) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Failure(
            f"{option} must be like 2026-11-22 or 2026-11-22T06:00, not {text!r}"
        ) from None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


def roll_up_again(stage: Stage, start: int, end: int) -> tuple[int, int]:
    """Fold all hours and days in the range, of every lane; returns how many lanes and hours.

    What is stored stays where the results that it was made from have expired. The process takes
    over the deployed functions' environment, as when a user is made.
    """
    os.environ.update(deploy.function_environment(stage))
    os.environ.update(stage.environment())
    from chalicelib.aws.tenancy import acting_as_system, acting_for
    from chalicelib.history import dispatch as rollups_dispatch
    from chalicelib.history.rollups import worker as rollups_worker
    from chalicelib.history.rollups.job import RollupJob
    from chalicelib.runtime import Runtime

    runtime = Runtime.from_env(os.environ)
    with acting_as_system():
        lanes = list(rollups_dispatch.all_lanes())
    hours = 0
    for owner, lane in lanes:
        with acting_for(owner):
            hours += rollups_worker.roll_up_lane(runtime, RollupJob(owner, lane, [(start, end)]))
    return len(lanes), hours
