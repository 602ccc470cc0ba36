"""Waits until the targets of a stage are checked, as a proof that the schedule works."""

import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from chalicelib.aws.runtime import AwsRuntime
from chalicelib.aws.tenancy import acting_for
from chalicelib.monitoring import schedule
from chalicelib.monitoring.storage.lane_repository import Lanes
from chalicelib.monitoring.storage.result_repository import Results
from chalicelib.monitoring.storage.target_repository import Targets
from chalicelib.monitoring.target import Target
from ops.console import Failure
from ops.data.backup import scan
from ops.stages import Stage

WAIT_S: Final = 180
"""Targets that are due within this time are waited for: all of up to a minute at least."""
_PLANNED_S: Final = 60
"""The schedule's next run is at most that far away."""
_GRACE_S: Final = 60
"""How much later than planned a check may be."""
_POLL_S: Final = 5
_MOST_LINES: Final = 20


@dataclass(frozen=True)
class _Expected:
    """A target and the time by which it is to be checked."""

    target: Target
    due: int

    def __str__(self) -> str:
        due = datetime.fromtimestamp(self.due, UTC)
        return f"  {self.target.id} {self.target.name!r}: due at {due:%Y-%m-%d %H:%M:%S} UTC"


def wait_for_checks(
    stage: Stage, runtime: AwsRuntime, sleep: Callable[[float], object] = time.sleep
) -> list[str]:
    """Wait for the next check of each target that is due soon; returns lines about the others.

    Paused targets and those of disabled users are not expected to be checked.

    Raises:
        Failure: targets that were due are not checked. It names them.
    """
    start = runtime.now
    expected = list(_expected(stage, start))
    soon = [one for one in expected if one.due <= start + WAIT_S]
    later = [one for one in expected if one.due > start + WAIT_S]
    end = max((one.due for one in soon), default=start) + _GRACE_S
    while (soon := [*_unchecked(runtime, soon, start)]) and runtime.now < end:
        sleep(_POLL_S)
    if soon:
        raise Failure(
            f"{len(soon)} of {len(expected)} targets were due and are not checked (see make logs; "
            "maintenance may exclude them):\n" + "\n".join(_listed(soon))
        )
    checked = len(expected) - len(later)
    lines = [f"{checked} of {len(expected)} targets have been checked"]
    return lines + ([f"{len(later)} are due later:", *_listed(later)] if later else [])


def _expected(stage: Stage, now: int) -> Iterator[_Expected]:
    """The targets that the schedule should check, and when they are next due."""
    owners = {
        item["owner"]["S"]
        for item in scan(
            stage.client("dynamodb"),
            f"{stage.stack_name}-targets",
            ProjectionExpression="#owner",
            ExpressionAttributeNames={"#owner": "owner"},
        )
    }
    for owner in sorted(owners):
        with acting_for(owner):
            suspended = {lane.number for lane in Lanes(owner).all() if lane.is_suspended}
            targets = list(Targets(owner).all())
        for target in targets:
            if target.enabled and target.lane not in suspended:
                offset = schedule.offset(owner, target.lane)
                interval_s = target.spec.interval_s
                due = schedule.latest_tick(interval_s, offset, now + _PLANNED_S) + interval_s
                yield _Expected(target, due)


def _unchecked(runtime: AwsRuntime, expected: list[_Expected], since: int) -> Iterator[_Expected]:
    """Those without a result since then."""
    by_lane = defaultdict[tuple[str, int], list[_Expected]](list)
    for one in expected:
        by_lane[one.target.owner, one.target.lane].append(one)
    for (owner, lane), members in by_lane.items():
        with acting_for(owner):
            found = Results(owner).between(lane, since, runtime.now + 1, now=runtime.now)
            places = {place for one in found for place in one.by_place}
        yield from (one for one in members if one.target.spec.place not in places)


def _listed(expected: list[_Expected]) -> list[str]:
    lines = [str(one) for one in sorted(expected, key=lambda one: one.due)[:_MOST_LINES]]
    more = len(expected) - len(lines)
    return [*lines, f"  and {more} more"] if more else lines
