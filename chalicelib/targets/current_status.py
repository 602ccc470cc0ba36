"""Current statuses of targets: their states, and the results of their latest checks.

A state is written only when it changes, so it does not contain the time of the last check. That
follows from the schedule: the latest ticks are computed, and their results are read by key. The
number of calls grows with the lanes on a page (a hundred keys per call), not with the targets.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from chalicelib.alerting.incident import incident_id
from chalicelib.common.runtime import BaseRuntime
from chalicelib.maintenance.occurrences import active_windows
from chalicelib.maintenance.repository import Windows
from chalicelib.monitoring import schedule
from chalicelib.monitoring.lane import Lane
from chalicelib.monitoring.result import CheckResult
from chalicelib.monitoring.state_machine import State, Status, consecutive_failures
from chalicelib.monitoring.storage.lane_repository import Lanes
from chalicelib.monitoring.storage.result_repository import CheckKey, read_results
from chalicelib.monitoring.target import Target

_Results = Mapping[CheckKey, Mapping[int, CheckResult]]


@dataclass(frozen=True, slots=True)
class CurrentStatus:
    """A target's current status; times are epoch seconds, None before the first check.

    `in_maintenance`: a maintenance window covers it now, whatever its status.
    """

    status: Status
    since: int
    last_checked_at: int | None
    response_ms: int | None
    consecutive_failures: int
    open_incident_id: str | None = None
    tls_days_left: int | None = None
    in_maintenance: bool = False


def current_statuses(
    runtime: BaseRuntime, owner: str, targets: Sequence[Target]
) -> dict[str, CurrentStatus]:
    """Return the current status of each of the owner's `targets`, by id."""
    lanes = Lanes(owner).some({target.lane for target in targets})
    windows = active_windows(Windows(owner).all(), runtime.now) if targets else []
    states = {target.id: _state(lanes, target) for target in targets}
    keys = {target.id: _scheduled_keys(runtime, target) for target in targets}
    results: dict[CheckKey, dict[int, CheckResult]] = read_results(
        {key for scheduled in keys.values() for key in scheduled}, consistent=False
    )
    # A newer check outside the schedule ("check now", or after a change) shows only in the state.
    extra = {}
    for target in targets:
        newest = _newest(target, keys[target.id], results)
        if (newest.tick if newest else 0) < states[target.id].changed:
            extra[target.id] = _changed_key(runtime, target, states[target.id])
            keys[target.id].append(extra[target.id])
    if extra:
        results |= read_results(set(extra.values()), consistent=False)
    return {
        target.id: _status(
            target,
            states[target.id],
            _newest(target, keys[target.id], results),
            results,
            in_maintenance=any(window.covers(target.id, target.tags) for window in windows),
        )
        for target in targets
    }


def _state(lanes: Mapping[int, Lane], target: Target) -> State:
    state = lanes[target.lane].state_of(target.id, target.spec.place)
    return state or State.pending(target.created_at)


def _scheduled_keys(runtime: BaseRuntime, target: Target) -> list[CheckKey]:
    """Return the keys of the two newest ticks: the newest may still be in progress."""
    offset = schedule.offset(target.owner, target.lane)
    newest = schedule.latest_tick(target.spec.interval_s, offset, runtime.now)
    region = runtime.settings.region
    return [
        CheckKey(target.owner, target.lane, tick, region)
        for tick in (newest, newest - target.spec.interval_s)
        if tick > target.created_at
    ]


def _changed_key(runtime: BaseRuntime, target: Target, state: State) -> CheckKey:
    """Return the key of the check that last changed the state.

    One key per target, so that a hundred take one call. At a scheduled tick the result is in the
    lane's item, except soon after a change of the target: ticks planned before the change are
    replaced by single checks.
    """
    offset = schedule.offset(target.owner, target.lane)
    newest = schedule.latest_tick(target.spec.interval_s, offset, state.changed)
    is_lanes = newest == state.changed > target.updated_at + schedule.AHEAD_S
    place = None if is_lanes else target.spec.place
    return CheckKey(target.owner, target.lane, state.changed, runtime.settings.region, place)


def _newest(target: Target, keys: Sequence[CheckKey], results: _Results) -> CheckKey | None:
    """Return the newest of `keys` at which the target has a result."""
    checked = (key for key in keys if target.spec.place in results.get(key, ()))
    return max(checked, key=lambda key: key.tick, default=None)


def _status(
    target: Target,
    state: State,
    newest: CheckKey | None,
    results: _Results,
    *,
    in_maintenance: bool,
) -> CurrentStatus:
    result = results[newest][target.spec.place] if newest else None
    changed_at = state.changed if state.status not in (Status.PENDING, Status.PAUSED) else None
    checked_at = newest.tick if newest else changed_at
    opened = state.opened
    return CurrentStatus(
        status=state.status,
        since=state.since,
        last_checked_at=checked_at,
        response_ms=result.response_ms if result else None,
        consecutive_failures=consecutive_failures(
            state, target.spec.interval_s, checked_at or state.since
        ),
        open_incident_id=None if opened is None else incident_id(target.owner, target.id, opened),
        tls_days_left=result.tls_days_left if result else None,
        in_maintenance=in_maintenance,
    )
