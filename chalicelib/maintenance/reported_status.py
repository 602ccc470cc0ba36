"""The reported statuses of targets: the stored ones, or UNKNOWN where checks are missing.

Everything that shows or counts statuses uses this module, so that all of it agrees. Missing checks
are explained, and the status is not stale, while a maintenance window skips the target or its owner
is disabled.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from chalicelib.common.runtime import BaseRuntime
from chalicelib.maintenance.occurrences import active_spans
from chalicelib.maintenance.repository import Windows
from chalicelib.maintenance.window import Mode
from chalicelib.monitoring.lane import Lane
from chalicelib.monitoring.latest_checks import LastChecks, LatestCheck, latest_checks
from chalicelib.monitoring.staleness import ReportedStatus, is_stale, tolerance_s
from chalicelib.monitoring.state import State
from chalicelib.monitoring.storage.lane_repository import Lanes
from chalicelib.monitoring.storage.target_repository import Targets
from chalicelib.monitoring.target import TargetOutline


@dataclass(frozen=True, slots=True)
class Reported:
    """A target's stored state and its newest checks.

    `lacks_checks`: recent checks are missing or UNKNOWN; unless that is explained, it `is_stale`.
    """

    state: State
    checks: Sequence[LatestCheck]
    lacks_checks: bool
    is_stale: bool

    def known_at(self, last: LastChecks) -> int:
        """Return the time of the last check that was not UNKNOWN, or else when the status began."""
        known = [check.tick for check in self.checks if not check.is_unknown]
        return max([self.state.since, *known, last.known_at or 0])

    @property
    def status(self) -> ReportedStatus:
        return ReportedStatus.UNKNOWN if self.is_stale else ReportedStatus(self.state.status)


def reported_statuses(
    runtime: BaseRuntime,
    owner: str,
    outlines: Sequence[TargetOutline],
    lanes: Mapping[int, Lane],
    *,
    with_results: bool = True,
) -> dict[str, Reported]:
    """Return what to report of each of the owner's targets, by id; `lanes` are theirs.

    Without `with_results` the results of checks may be missing.
    """
    states = {one.id: _state(lanes, one) for one in outlines}
    checks = latest_checks(runtime, outlines, states, with_results=with_results)
    lacking = [
        one
        for one in outlines
        if _is_stale(one, states[one.id], checks[one.id], lanes[one.lane].resumed_at, runtime.now)
    ]
    active = [one for one in lacking if not lanes[one.lane].is_suspended]
    lacking_ids = {one.id for one in lacking}
    stale = {one.id for one in active} - set(_skipped(runtime, owner, active))
    return {
        one.id: Reported(states[one.id], checks[one.id], one.id in lacking_ids, one.id in stale)
        for one in outlines
    }


def all_reported_statuses(
    runtime: BaseRuntime, owner: str
) -> Iterator[tuple[TargetOutline, Reported]]:
    """Yield every target of the owner with what to report of it, oldest first."""
    lanes = {lane.number: lane for lane in Lanes(owner).all()}
    # Targets that were created after the lanes were read are left out.
    outlines = [
        one
        for one in Targets(owner).outlines()
        if one.lane in lanes and lanes[one.lane].state_of(one.id, one.place)
    ]
    reported = reported_statuses(runtime, owner, outlines, lanes, with_results=False)
    for one in outlines:
        yield one, reported[one.id]


def _state(lanes: Mapping[int, Lane], one: TargetOutline) -> State:
    return lanes[one.lane].state_of(one.id, one.place) or State.pending(one.created_at)


def _is_stale(
    one: TargetOutline, state: State, checks: Sequence[LatestCheck], resumed_at: int, now: int
) -> bool:
    """Whether recent checks are missing, counted from the end of the owner's suspension at most."""
    checked_at = max(checks[0].tick if checks else 0, resumed_at)
    tolerated_s = tolerance_s(one.interval_s, one.timeout_s)
    return is_stale(state, tolerated_s, checked_at, [check.verdict for check in checks], now)


def _skipped(runtime: BaseRuntime, owner: str, outlines: Sequence[TargetOutline]) -> Iterator[str]:
    """Yield the ids of the targets whose checks maintenance has skipped within the tolerance."""
    if not outlines:
        return
    now = runtime.now
    longest_s = max(tolerance_s(one.interval_s, one.timeout_s) for one in outlines)
    windows = [
        window
        for window in Windows(owner).current_and_past(now - longest_s - 1)
        if window.mode is Mode.SKIP
    ]
    for one in outlines:
        start = now - tolerance_s(one.interval_s, one.timeout_s) - 1
        if any(
            window.covers(one.id, one.tags) and active_spans(window, start, now + 1)
            for window in windows
        ):
            yield one.id
