"""The newest checks of targets: what their current statuses are based on.

The time of a target's last check is not stored with the target. It follows from the schedule: the
latest ticks are computed, and their results are read by key. The number of calls grows with the
lanes (a hundred keys per call), not with the targets.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from typing import Final

from chalicelib.aws.tenancy import acting_as_system
from chalicelib.common.parallel import run_parallel
from chalicelib.common.runtime import BaseRuntime
from chalicelib.monitoring import schedule
from chalicelib.monitoring.result import CheckResult, Verdict
from chalicelib.monitoring.staleness import UNKNOWN_CHECKS, tolerance_s
from chalicelib.monitoring.state import State, Status
from chalicelib.monitoring.storage.result_repository import CheckKey, Results, read_results
from chalicelib.monitoring.storage.schedule_repository import read_cursor
from chalicelib.monitoring.target import TargetOutline

_MAX_SEARCHED: Final = 1_000
"""Stored results of a lane that are searched for a target's last checks."""


@dataclass(frozen=True, slots=True)
class LatestCheck:
    """A check at `tick`, in epoch seconds. `result` is None if only its time is known."""

    tick: int
    result: CheckResult | None

    @property
    def verdict(self) -> Verdict | None:
        return self.result.verdict if self.result else None

    @property
    def is_unknown(self) -> bool:
        return self.verdict is Verdict.UNKNOWN


@dataclass(frozen=True, slots=True)
class LastChecks:
    """The times of a target's last check, and of the last one that was not UNKNOWN."""

    checked_at: int | None = None
    known_at: int | None = None


def latest_checks(
    runtime: BaseRuntime,
    outlines: Sequence[TargetOutline],
    states: Mapping[str, State],
    *,
    with_results: bool,
) -> dict[str, list[LatestCheck]]:
    """Return the newest checks of each target by id, newest first, of any region.

    Reads the two newest ticks, as the newest may still be in progress, and only for targets without
    a known result at these the ticks before. A check outside the schedule ("check now", or after a
    change) shows in the state. Its result takes a key per target, so without `with_results` it is
    only read if it decides whether the status is stale.
    """
    found = _Found(runtime, outlines, states)
    found.read({one.id: _scheduled_keys(runtime, one, 2) for one in outlines})
    resumed: dict[int, int | None] = {}
    further: dict[str, list[CheckKey]] = {}
    for one in outlines:
        newest = next(iter(found.checks(one)), None)
        if newest is None or newest.tick < _latest_tick(runtime, one) or newest.is_unknown:
            further[one.id] = _catch_up_keys(runtime, one, resumed)
        if newest is None or newest.result is None or newest.is_unknown:
            further[one.id] = further.get(one.id, []) + _earlier_keys(runtime, one)
        if with_results:
            further[one.id] = further.get(one.id, []) + found.changed_keys(one)
    found.read(further)
    if not with_results:
        undecided = (one for one in outlines if _is_undecided(found.checks(one)))
        found.read({one.id: found.changed_keys(one) for one in undecided})
    return {one.id: found.checks(one) for one in outlines}


class _Found:
    """The results of targets that have been read so far."""

    def __init__(
        self,
        runtime: BaseRuntime,
        outlines: Iterable[TargetOutline],
        states: Mapping[str, State],
    ) -> None:
        self._runtime, self._states = runtime, states
        self._keys: dict[str, list[CheckKey]] = {one.id: [] for one in outlines}
        self._stored: dict[CheckKey, dict[int, CheckResult]] = {}

    def read(self, keys: Mapping[str, list[CheckKey]]) -> None:
        """Read more results, given as keys by target."""
        wanted = {key for further in keys.values() for key in further}
        if wanted:
            self._stored |= read_results(wanted, consistent=False)
        for target_id, further in keys.items():
            self._keys[target_id] += further

    def checks(self, one: TargetOutline) -> list[LatestCheck]:
        """Return the target's checks, newest first, one per tick.

        A region that knows the verdict takes precedence over one that does not; then the order of
        the keys does, in which the home region is the first.
        """
        by_tick: dict[int, LatestCheck] = {}
        for key in self._keys[one.id]:
            result = self._stored.get(key, {}).get(one.place)
            known = by_tick.get(key.tick)
            if result and (known is None or known.is_unknown):
                by_tick[key.tick] = LatestCheck(key.tick, result)
        state = self._states[one.id]
        if _is_check(state) and state.changed > max(by_tick, default=0):
            by_tick[state.changed] = LatestCheck(state.changed, None)
        return [by_tick[tick] for tick in sorted(by_tick, reverse=True)]

    def changed_keys(self, one: TargetOutline) -> list[CheckKey]:
        """Return the keys of the check that last changed the state, if it is recent and not read.

        At a scheduled tick the result is in the lane's item, except soon after a change of the
        target: ticks planned before the change are replaced by single checks.
        """
        state, now = self._states[one.id], self._runtime.now
        newest = next(iter(self.checks(one)), None)
        if newest is None or newest.result or newest.tick < now - _tolerance_s(one):
            return []
        offset = schedule.offset(one.owner, one.lane)
        scheduled = schedule.latest_tick(one.interval_s, offset, state.changed)
        is_lanes = scheduled == state.changed >= schedule.planned_until(one.updated_at)
        place = None if is_lanes else one.place
        return [replace(key, place=place) for key in _keys(self._runtime, one, [state.changed])]


def _is_check(state: State) -> bool:
    """Whether `changed` is the time of a check."""
    return state.status is not Status.PAUSED and state.changed >= state.since


def _is_undecided(checks: Sequence[LatestCheck]) -> bool:
    """Whether the newest check was the last of a row of UNKNOWN ones, if it was UNKNOWN."""
    before = checks[1:UNKNOWN_CHECKS]
    is_row = len(before) == UNKNOWN_CHECKS - 1 and all(check.is_unknown for check in before)
    return is_row and checks[0].result is None


def _tolerance_s(one: TargetOutline) -> int:
    return tolerance_s(one.interval_s, one.timeout_s)


def _latest_tick(runtime: BaseRuntime, one: TargetOutline) -> int:
    offset = schedule.offset(one.owner, one.lane)
    return schedule.latest_tick(one.interval_s, offset, runtime.now)


def _scheduled_keys(runtime: BaseRuntime, one: TargetOutline, count: int) -> list[CheckKey]:
    """Return the keys of the `count` newest ticks in every region."""
    newest = _latest_tick(runtime, one)
    ticks = (newest - number * one.interval_s for number in range(count))
    return _keys(runtime, one, (tick for tick in ticks if tick > one.created_at))


def _earlier_keys(runtime: BaseRuntime, one: TargetOutline) -> list[CheckKey]:
    """Return the keys of all ticks that can still support the status."""
    supporting = _tolerance_s(one) // one.interval_s + 1
    return _scheduled_keys(runtime, one, max(supporting, UNKNOWN_CHECKS + 1))


def _catch_up_keys(
    runtime: BaseRuntime, one: TargetOutline, resumed: dict[int, int | None]
) -> list[CheckKey]:
    """Return the keys of the check that made up for the schedule's latest gap.

    `resumed` caches by shard when that gap ended.
    """
    if one.interval_s <= schedule.MINUTE_S:
        return []
    if one.shard not in resumed:
        with acting_as_system():
            resumed[one.shard] = read_cursor(one.shard).resumed_at
    start = resumed[one.shard]
    if start is None:
        return []
    tick = schedule.catch_up_tick(start, schedule.offset(one.owner, one.lane))
    return _keys(runtime, one, [tick] if tick > one.created_at else [])


def _keys(runtime: BaseRuntime, one: TargetOutline, ticks: Iterable[int]) -> list[CheckKey]:
    regions = runtime.settings.check_regions
    return [CheckKey(one.owner, one.lane, tick, region) for tick in ticks for region in regions]


def find_last_checks(
    runtime: BaseRuntime,
    owner: str,
    outlines: Sequence[TargetOutline],
    states: Mapping[str, State],
) -> dict[str, LastChecks]:
    """Search the stored results of the lanes backwards for the last checks of targets.

    For targets without recent checks. A lane is read until all of them are found, up to
    `_MAX_SEARCHED` results.
    """
    by_lane: dict[int, list[TargetOutline]] = {}
    for one in outlines:
        by_lane.setdefault(one.lane, []).append(one)
    searches = [
        partial(_search_lane, runtime, owner, lane, wanted, states)
        for lane, wanted in by_lane.items()
    ]
    return {id_: last for found in run_parallel(searches) for id_, last in found.items()}


def _search_lane(
    runtime: BaseRuntime,
    owner: str,
    lane: int,
    wanted: Sequence[TargetOutline],
    states: Mapping[str, State],
) -> dict[str, LastChecks]:
    found = {one.id: LastChecks() for one in wanted}
    left = {one.id: (one, _begin(one, states[one.id])) for one in wanted}
    retention_s = runtime.settings.results_retention_days * schedule.DAY_S
    start = max(min(begin for _, begin in left.values()), runtime.now - retention_s)
    for tick, place, results in islice(_newest_first(runtime, owner, lane, start), _MAX_SEARCHED):
        for one, begin in list(left.values()):
            result = results.get(one.place)
            if result is None or place not in (None, one.place):
                continue
            if tick < begin or (place is None and tick <= one.created_at):
                continue
            last = found[one.id]
            if last.checked_at is None:
                last = replace(last, checked_at=tick)
            if result.verdict is not Verdict.UNKNOWN:
                last = replace(last, known_at=tick)
                del left[one.id]
            found[one.id] = last
        if not left:
            break
    return found


def _begin(one: TargetOutline, state: State) -> int:
    """Return the time from which on checks count for the present status."""
    return max(one.created_at, state.since if state.status is Status.PENDING else 0)


def _newest_first(
    runtime: BaseRuntime, owner: str, lane: int, start: int
) -> Iterator[tuple[int, int | None, Mapping[int, CheckResult]]]:
    """Yield the tick, place and results of a lane's stored items, newest first."""
    results, now = Results(owner), runtime.now
    end = results.last_day_end(lane, start, now + 1)
    if end is not None:
        for item in results.newest_first(lane, start, end, now=now):
            yield item.tick, item.place, item.by_place
