"""Current statuses of targets: their states, and the results of their latest checks."""

from collections.abc import Sequence
from dataclasses import dataclass

from chalicelib.alerting.incident import incident_id
from chalicelib.common.runtime import BaseRuntime
from chalicelib.maintenance.occurrences import active_windows
from chalicelib.maintenance.reported_status import Reported, reported_statuses
from chalicelib.maintenance.repository import Windows
from chalicelib.monitoring.latest_checks import LastChecks, find_last_checks
from chalicelib.monitoring.staleness import ReportedStatus
from chalicelib.monitoring.state_machine import consecutive_failures
from chalicelib.monitoring.storage.lane_repository import Lanes
from chalicelib.monitoring.target import Target


@dataclass(frozen=True, slots=True)
class CurrentStatus:
    """A target's current status; times are epoch seconds, None before the first check.

    `since` is when the status began; of a status that is `stale`, and therefore UNKNOWN, the time
    of the last check that was not UNKNOWN itself. `response_ms` and `tls_days_left` are those of
    the latest check, None if it was UNKNOWN or the status is stale. `in_maintenance`: a maintenance
    window covers the target now, whatever its status.
    """

    status: ReportedStatus
    since: int
    last_checked_at: int | None
    response_ms: int | None
    consecutive_failures: int
    open_incident_id: str | None = None
    tls_days_left: int | None = None
    in_maintenance: bool = False
    stale: bool = False


def current_statuses(
    runtime: BaseRuntime, owner: str, targets: Sequence[Target]
) -> dict[str, CurrentStatus]:
    """Return the current status of each of the owner's `targets`, by id.

    Takes a call for their lanes, their newest results and the maintenance windows each, per hundred
    lanes, and further calls per lane only for targets without recent checks.
    """
    lanes = Lanes(owner).some({target.lane for target in targets})
    windows = active_windows(Windows(owner).all(), runtime.now) if targets else []
    outlines = {target.id: target.outline for target in targets}
    reported = reported_statuses(runtime, owner, list(outlines.values()), lanes)
    lacking = [outlines[target_id] for target_id, one in reported.items() if one.lacks_checks]
    states = {target_id: one.state for target_id, one in reported.items()}
    last = find_last_checks(runtime, owner, lacking, states)
    return {
        target.id: _status(
            target,
            reported[target.id],
            last.get(target.id, LastChecks()),
            in_maintenance=any(window.covers(target.id, target.tags) for window in windows),
        )
        for target in targets
    }


def _status(
    target: Target, reported: Reported, last: LastChecks, *, in_maintenance: bool
) -> CurrentStatus:
    state, newest = reported.state, next(iter(reported.checks), None)
    is_current = not reported.is_stale and newest is not None and not newest.is_unknown
    result = newest.result if newest and is_current else None
    times = [newest.tick if newest else None, last.checked_at]
    checked_at = max((time for time in times if time is not None), default=None)
    return CurrentStatus(
        status=reported.status,
        since=reported.known_at(last) if reported.is_stale else state.since,
        last_checked_at=checked_at,
        response_ms=result.response_ms if result else None,
        consecutive_failures=consecutive_failures(
            state, target.spec.interval_s, checked_at or state.since
        ),
        open_incident_id=None
        if state.opened is None
        else incident_id(target.owner, target.id, state.opened),
        tls_days_left=result.tls_days_left if result else None,
        in_maintenance=in_maintenance,
        stale=reported.is_stale,
    )
