"""The sentinel: a target of the stage's own, so that checks are seen to be made.

It watches the first canary as any target is watched: found in its slot, sent with its lane, checked
by the worker, stored with its results, folded with its hours. Its owner is nobody who could sign
in. Whoever first asks for health has it made, so that it is there however the stage was deployed.
"""

import logging
from dataclasses import dataclass, replace
from typing import Final

from chalicelib.access.usage import TransactionConflictError
from chalicelib.aws.tenancy import acting_as_system, acting_for
from chalicelib.common.runtime import BaseRuntime
from chalicelib.history.rollups.repository import Period, Rollups
from chalicelib.history.rollups.rollup import HOUR_S
from chalicelib.monitoring.check_spec import CheckSpec
from chalicelib.monitoring.result import Verdict
from chalicelib.monitoring.secrets import Secrets
from chalicelib.monitoring.state_machine import State
from chalicelib.monitoring.storage.lane_repository import Lanes
from chalicelib.monitoring.storage.result_repository import Results
from chalicelib.monitoring.storage.schedule_repository import Post, keep_post, use_interval
from chalicelib.monitoring.storage.target_repository import Targets
from chalicelib.monitoring.target import Target

_LOG = logging.getLogger(__name__)
OWNER: Final = "00000000-0000-7000-8000-000000000000"
_TARGET: Final = "00000000-0000-7000-8000-000000000001"
INTERVAL_S: Final = 900
_CHECKS_BACK_S, _HOURS_BACK_S = 6 * HOUR_S, 12 * HOUR_S
_FOLDED_WITHIN_S: Final = 2 * HOUR_S + 900
"""How long after its end an hour is folded at the latest: it is given out within an hour, and the
next one ends an hour later."""


@dataclass(frozen=True, slots=True)
class SelfMonitorReport:
    """What is seen of the sentinel: its newest check and hour, in epoch seconds.

    Where there is none, they are when it could have been seen first.
    """

    checked_at: int
    folded_until: int
    verdict: Verdict | None

    def checks_late_s(self, now: int) -> int:
        """For how long the check after the newest one has been waiting."""
        return max(0, now - self.checked_at - INTERVAL_S)

    def rollups_late_s(self, now: int) -> int:
        """For how long the hour after the newest one has been waiting."""
        return max(0, now - self.folded_until - _FOLDED_WITHIN_S)


def sight(runtime: BaseRuntime, post: Post | None) -> SelfMonitorReport | None:
    """What is seen of it; None where the stage has no canary that it could watch.

    `post` is where it stands already. Where it has yet to be made, or to watch another place, that
    is done here.
    """
    place = _place(runtime)
    if place is None:
        return None
    if post is None or post.place != place:
        post = _made(runtime, place)
    return _seen(runtime, post) if post else None


def _place(runtime: BaseRuntime) -> str | None:
    canaries = runtime.settings.canaries
    return f"{canaries[0][0]}:{canaries[0][1]}" if canaries else None


def _seen(runtime: BaseRuntime, post: Post) -> SelfMonitorReport:
    now = runtime.now
    with acting_for(OWNER):
        start = max(post.since, now - _CHECKS_BACK_S)
        newest = next(Results(OWNER).newest_first(0, start, now + 1, now=now), None)
        hours = Rollups(OWNER).between(Period.HOUR, 0, now - _HOURS_BACK_S, now, now=now)
        folded = max((hour.start + HOUR_S for hour in hours), default=0)
    return SelfMonitorReport(
        checked_at=newest.tick if newest else start,
        folded_until=max(folded, post.since, now - _HOURS_BACK_S),
        verdict=newest.by_place[0].verdict if newest else None,
    )


def _made(runtime: BaseRuntime, place: str) -> Post | None:
    """Put it in its place; None where that cannot be done now, which makes nobody unwell."""
    post = Post(place, runtime.now)
    try:
        with acting_for(OWNER):
            _put(runtime, place)
        with acting_as_system():
            use_interval(INTERVAL_S)
            keep_post(post)
    except Exception:  # noqa: BLE001 - the next one who asks tries again
        _LOG.exception("no sentinel")
        return None
    return post


def _put(runtime: BaseRuntime, place: str) -> None:
    now, targets = runtime.now, Targets(OWNER)
    Lanes(OWNER).open(0)
    new = Target(
        owner=OWNER, spec=_spec(place), lane=0, name="sentinel", created_at=now, updated_at=now
    )
    try:
        targets.add(new, State.pending(now), Secrets())
    except TransactionConflictError:
        before = targets.get(_TARGET)
        after = replace(before, spec=new.spec, version=before.version + 1, updated_at=now)
        targets.change(before, after, reseat=None, secrets=None)


def _spec(place: str) -> CheckSpec:
    host, _, port = place.rpartition(":")
    return CheckSpec(
        target_id=_TARGET,
        place=0,
        kind="tcp",
        interval_s=INTERVAL_S,
        timeout_s=10,
        failure_threshold=2,
        recovery_threshold=1,
        config={"host": host, "port": int(port)},
    )
