"""Whether the schedule runs, checks are made, and alerts get through."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from chalicelib.alerting.watchdog import ALERT_PATHS, WATCHDOG_S
from chalicelib.aws.tenancy import acting_as_system
from chalicelib.common.runtime import BaseRuntime
from chalicelib.health.self_monitor import SelfMonitorReport, sight
from chalicelib.monitoring.result import Verdict
from chalicelib.monitoring.storage.schedule_repository import RoundTrip, ScheduleHealth, read_pulse

_EVERY_S: Final = 120
"""The schedule plans two minutes at a time, and is late when it has not done so since."""
_SCHEDULE: Final = "schedule"
_PATIENCE_S: Final[Mapping[str, int]] = {
    _SCHEDULE: 60,
    "checks": 300,
    "alerts": 300,
    "chat": 300,
    "rollups": 3_600,
}


@dataclass(frozen=True, slots=True)
class AlertPathHealth:
    """`oldest_message_s`: how long work has been waiting that should be done by now.

    `round_trip_s`: how long the newest watchdog took, on the ways that it goes.
    """

    oldest_message_s: int | None
    round_trip_s: int | None = None


@dataclass(frozen=True, slots=True)
class Health:
    """`tick_age_s`: when the schedule last planned; `lateness_s`: how much too long ago that is.

    `check_age_s` and `verdict` are those of the sentinel's newest check. `silent` names what has
    not been heard of for too long, `network` where nothing outside is reached. None is what is not
    known (yet).
    """

    tick_age_s: int | None
    lateness_s: int | None
    check_age_s: int | None = None
    verdict: Verdict | None = None
    ways: Mapping[str, AlertPathHealth] = field(default_factory=dict)
    silent: tuple[str, ...] = ()

    @property
    def is_well(self) -> bool:
        return not self.silent


def health(runtime: BaseRuntime) -> Health:
    """How late the schedule, the checks and the alerts are."""
    now = runtime.now
    with acting_as_system():
        pulse = read_pulse(ALERT_PATHS)
    ticked_at = pulse.cursor.ticked_at
    if ticked_at is None:
        return Health(None, None, silent=(_SCHEDULE,))
    seen = sight(runtime, pulse.post)
    ways = {name: _watched(pulse, name, now) for name in ALERT_PATHS}
    ways["checks"] = AlertPathHealth(seen.checks_late_s(now) if seen else None)
    ways["rollups"] = AlertPathHealth(seen.rollups_late_s(now) if seen else None)
    lateness = max(0, now - ticked_at - _EVERY_S)
    waits = {_SCHEDULE: lateness, **{name: one.oldest_message_s for name, one in ways.items()}}
    return Health(
        tick_age_s=max(0, now - ticked_at),
        lateness_s=lateness,
        check_age_s=max(0, now - seen.checked_at) if seen and seen.verdict else None,
        verdict=seen.verdict if seen else None,
        ways=ways,
        silent=tuple(_silent(waits, seen)),
    )


def _watched(pulse: ScheduleHealth, name: str, now: int) -> AlertPathHealth:
    """By the watchdog that should have come by now: if none ever did, since it was looked for."""
    trip: RoundTrip | None = pulse.trips.get(name)
    if trip:
        waited = max(0, now - trip.sent_at - WATCHDOG_S)
        return AlertPathHealth(waited, max(0, trip.arrived_at - trip.sent_at))
    return AlertPathHealth(max(0, now - pulse.post.since - WATCHDOG_S) if pulse.post else None)


def _silent(waits: Mapping[str, int | None], seen: SelfMonitorReport | None) -> Iterator[str]:
    yield from (name for name, wait in waits.items() if (wait or 0) > _PATIENCE_S[name])
    if seen and seen.verdict is Verdict.UNKNOWN:
        yield "network"
