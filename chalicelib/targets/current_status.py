"""How targets are doing now: their states, and what their latest checks found.

A state is written only when it changes, so the time of the last check is not in it. It follows from
the schedule: the latest ticks are known by arithmetic, and their results are read by key. The calls
grow with the lanes on a page, a hundred keys to a call, never with the number of targets.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from chalicelib.alerting.incident import incident_id
from chalicelib.common.runtime import BaseRuntime
from chalicelib.maintenance.occurrences import current
from chalicelib.maintenance.repository import Windows
from chalicelib.monitoring import schedule
from chalicelib.monitoring.lane import Lane
from chalicelib.monitoring.result import CheckResult
from chalicelib.monitoring.state_machine import State, Status, consecutive_failures
from chalicelib.monitoring.storage.lane_repository import Lanes
from chalicelib.monitoring.storage.result_repository import CheckKey, read_results
from chalicelib.monitoring.target import Target

_Found = Mapping[CheckKey, Mapping[int, CheckResult]]


@dataclass(frozen=True, slots=True)
class CurrentStatus:
    """A target's present state; times are epoch seconds, None before the first check.

    `in_maintenance`: there is a window for it now, whatever its status.
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
    """The present state of each of the owner's `targets`, by id."""
    lanes = Lanes(owner).some({target.lane for target in targets})
    windows = current(Windows(owner).all(), runtime.now) if targets else []
    states = {target.id: _state(lanes, target) for target in targets}
    scheduled = {target.id: _scheduled(runtime, target) for target in targets}
    found = read_results(_flat(scheduled.values()), consistent=False)
    # A check outside the schedule that is newer than these is named by the state.
    apart = {
        target.id: _apart(runtime, target, states[target.id])
        for target in targets
        if _latest(scheduled[target.id], found, target) < states[target.id].changed
    }
    if apart:
        found = {**found, **read_results(set(apart.values()), consistent=False)}
    presences = {
        target.id: _presence(
            target,
            states[target.id],
            [*scheduled[target.id], *([apart[target.id]] if target.id in apart else [])],
            found,
        )
        for target in targets
    }
    covered = {
        target.id
        for target in targets
        if any(window.covers(target.id, target.tags) for window in windows)
    }
    return {
        target_id: replace(presence, in_maintenance=True) if target_id in covered else presence
        for target_id, presence in presences.items()
    }


def _state(lanes: Mapping[int, Lane], target: Target) -> State:
    state = lanes[target.lane].state_of(target.id, target.spec.place)
    return state or State.pending(target.created_at)


def _scheduled(runtime: BaseRuntime, target: Target) -> list[CheckKey]:
    """The two newest ticks: the checks of the newest may still be under way."""
    offset = schedule.offset(target.owner, target.lane)
    newest = schedule.latest_tick(target.spec.interval_s, offset, runtime.now)
    region = runtime.settings.region
    return [
        CheckKey(target.owner, target.lane, tick, region)
        for tick in (newest, newest - target.spec.interval_s)
        if tick > target.created_at
    ]


def _apart(runtime: BaseRuntime, target: Target, state: State) -> CheckKey:
    """Where the check that the state names is: one key each, so that a hundred are one call.

    A tick of the schedule is the lane's check, but soon after a change: what was planned before it
    is checked apart.
    """
    offset = schedule.offset(target.owner, target.lane)
    newest = schedule.latest_tick(target.spec.interval_s, offset, state.changed)
    is_lanes = newest == state.changed > target.updated_at + schedule.AHEAD_S
    place = None if is_lanes else target.spec.place
    return CheckKey(target.owner, target.lane, state.changed, runtime.settings.region, place)


def _latest(keys: Iterable[CheckKey], found: _Found, target: Target) -> int:
    ticks = [key.tick for key in keys if target.spec.place in found.get(key, ())]
    return max(ticks, default=0)


def _presence(
    target: Target, state: State, keys: Sequence[CheckKey], found: _Found
) -> CurrentStatus:
    place = target.spec.place
    latest = max(
        (key for key in keys if place in found.get(key, ())),
        key=lambda key: key.tick,
        default=None,
    )
    checked = state.changed if state.status not in (Status.PENDING, Status.PAUSED) else None
    tick = latest.tick if latest else checked
    return CurrentStatus(
        status=state.status,
        since=state.since,
        last_checked_at=tick,
        response_ms=found[latest][place].response_ms if latest else None,
        consecutive_failures=consecutive_failures(
            state, target.spec.interval_s, tick or state.since
        ),
        open_incident_id=None
        if state.opened is None
        else incident_id(target.owner, target.id, state.opened),
        tls_days_left=found[latest][place].tls_days_left if latest else None,
    )


def _flat(lists: Iterable[Sequence[CheckKey]]) -> set[CheckKey]:
    return {key for keys in lists for key in keys}
