"""Recomputes rollups, after an error in their code or a long outage."""

from datetime import UTC, datetime

from ops.console import Failure
from ops.deployment import deploy
from ops.stages import Stage


def parse_range(start: str, end: str) -> tuple[int, int]:
    """Parse dates or times, in UTC by default; returns epoch seconds.

    Raises:
        Failure: one of them is invalid, or the range is empty.
    """
    first, last = _parse("--from", start), _parse("--to", end)
    if first >= last:
        raise Failure("--from must be before --to")
    return first, last


def _parse(option: str, text: str) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Failure(
            f"{option} must be like 2026-11-22 or 2026-11-22T06:00, not {text!r}"
        ) from None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


def recompute(stage: Stage, start: int, end: int) -> tuple[int, int]:
    """Roll up every hour and day in the range, of every lane; returns how many lanes and hours.

    Rollups whose results have expired are kept as they are.
    """
    from chalicelib.aws.tenancy import acting_as_system, acting_for
    from chalicelib.history import dispatch as rollups_dispatch
    from chalicelib.history.rollups import worker as rollups_worker
    from chalicelib.history.rollups.job import RollupJob

    runtime = deploy.enter_runtime(stage)
    with acting_as_system():
        lanes = list(rollups_dispatch.all_lanes())
    hours = 0
    for owner, lane in lanes:
        with acting_for(owner):
            hours += rollups_worker.roll_up_lane(runtime, RollupJob(owner, lane, [(start, end)]))
    return len(lanes), hours
