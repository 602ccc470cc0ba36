"""The self monitor: a synthetic target of the stage itself that proves that checks are made.

It checks the emulator or the first canary like any other target: found in its slot, sent with its
lane, checked by the worker, stored with its results, rolled up with its hours. Its owner is not a
user and cannot sign in. The first health request creates it, so that it exists however the stage
was deployed.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import islice
from typing import Final

from chalicelib.access.usage import TransactionConflictError
from chalicelib.aws.tenancy import acting_as_system, acting_for
from chalicelib.common.runtime import BaseRuntime
from chalicelib.history.rollups.repository import Period, Rollups
from chalicelib.history.rollups.rollup import HOUR_S
from chalicelib.monitoring.check_job import CheckJob
from chalicelib.monitoring.check_spec import CheckSpec
from chalicelib.monitoring.result import Verdict
from chalicelib.monitoring.secrets import Secrets
from chalicelib.monitoring.state_machine import State
from chalicelib.monitoring.storage.lane_repository import Lanes
from chalicelib.monitoring.storage.result_repository import Results
from chalicelib.monitoring.storage.schedule_repository import (
    SyntheticTarget,
    save_synthetic_target,
    use_interval,
)
from chalicelib.monitoring.storage.target_repository import Targets
from chalicelib.monitoring.target import Target

_LOG = logging.getLogger(__name__)
OWNER: Final = "00000000-0000-7000-8000-000000000000"
_TARGET: Final = "00000000-0000-7000-8000-000000000001"
INTERVAL_S: Final = 900
_RECENT: Final = 50
"""Newest results that are read to find the newest of each region."""
_CHECKS_BACK_S, _HOURS_BACK_S = 6 * HOUR_S, 12 * HOUR_S
_ROLLED_UP_WITHIN_S: Final = 2 * HOUR_S + 900
"""Latest time from the end of an hour to its rollup: it is dispatched within an hour, and the next
hour ends an hour later."""


@dataclass(frozen=True, slots=True)
class SelfMonitorReport:
    """The synthetic target's newest check and rolled up hour, in epoch seconds.

    If there is none, the time is the earliest at which it could have been there. `checked_from` is
    the time of the newest check of each region, 0 if there is none.
    """

    checked_at: int
    rolled_up_until: int
    verdict: Verdict | None
    checked_from: Mapping[str, int]

    def checks_late_s(self, now: int) -> int:
        """Return for how long the next check is overdue."""
        return max(0, now - self.checked_at - INTERVAL_S)

    def rollups_late_s(self, now: int) -> int:
        """Return for how long the next hour's rollup is overdue."""
        return max(0, now - self.rolled_up_until - _ROLLED_UP_WITHIN_S)


def observe(runtime: BaseRuntime, synthetic: SyntheticTarget | None) -> SelfMonitorReport | None:
    """Report on the synthetic target; None if the stage has no address for it to check.

    `synthetic` is the address it checks so far, None before it exists. If the
    address has changed, the target is created or changed first.
    """
    if runtime.settings.self_check is None:
        return None
    host, port = runtime.settings.self_check
    if synthetic is None or synthetic.place != f"{host}:{port}":
        synthetic = _deploy(runtime, host, port)
    return _report(runtime, synthetic) if synthetic else None


def _report(runtime: BaseRuntime, synthetic: SyntheticTarget) -> SelfMonitorReport:
    now = runtime.now
    with acting_for(OWNER):
        start = max(synthetic.since, now - _CHECKS_BACK_S)
        stored = Results(OWNER).newest_first(0, start, now + 1, now=now)
        recent = list(islice(stored, _RECENT))
        hours = Rollups(OWNER).between(Period.HOUR, 0, now - _HOURS_BACK_S, now, now=now)
        rolled_up = max((hour.start + HOUR_S for hour in hours), default=0)
    newest = recent[0] if recent else None
    regions = dict.fromkeys(runtime.settings.check_regions, 0)
    return SelfMonitorReport(
        checked_at=newest.tick if newest else start,
        rolled_up_until=max(rolled_up, synthetic.since, now - _HOURS_BACK_S),
        verdict=newest.by_place[0].verdict if newest else None,
        checked_from={**regions, **{one.region: one.tick for one in reversed(recent)}},
    )


def synthetic_check(runtime: BaseRuntime) -> CheckJob | None:
    """Return a check of the synthetic target at once; None if there is no such target."""
    if not runtime.settings.canaries:
        return None
    with acting_for(OWNER):
        found = Targets(OWNER).some([_TARGET]).get(_TARGET)
    now = runtime.now
    return CheckJob(OWNER, 0, now, [found.spec], sent_at=now) if found else None


def _deploy(runtime: BaseRuntime, host: str, port: int) -> SyntheticTarget | None:
    """Create or change the target; None if that fails, which alone does not make health fail."""
    synthetic = SyntheticTarget(f"{host}:{port}", runtime.now)
    try:
        with acting_for(OWNER):
            _store(runtime, host, port)
        with acting_as_system():
            use_interval(INTERVAL_S)
            save_synthetic_target(synthetic)
    except Exception:  # noqa: BLE001 - the next health request tries again
        _LOG.exception("synthetic target not stored")
        return None
    return synthetic


def _store(runtime: BaseRuntime, host: str, port: int) -> None:
    now, targets = runtime.now, Targets(OWNER)
    Lanes(OWNER).open(0)
    spec = CheckSpec(
        target_id=_TARGET,
        place=0,
        kind="tcp",
        interval_s=INTERVAL_S,
        timeout_s=10,
        failure_threshold=2,
        recovery_threshold=1,
        config={"host": host, "port": port},
    )
    new = Target(owner=OWNER, spec=spec, lane=0, name="sentinel", created_at=now, updated_at=now)
    try:
        targets.add(new, State.pending(now), Secrets())
    except TransactionConflictError:
        before = targets.get(_TARGET)
        after = replace(before, spec=new.spec, version=before.version + 1, updated_at=now)
        targets.change(before, after, place_update=None, secrets=None)
