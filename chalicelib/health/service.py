"""Health of the stage: whether the schedule runs, checks are made, and alerts are sent."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from chalicelib.alerting.watchdog import ALERT_PATHS, WATCHDOG_S
from chalicelib.aws.tenancy import acting_as_system
from chalicelib.common.runtime import BaseRuntime
from chalicelib.health.self_monitor import SelfMonitorReport, observe
from chalicelib.monitoring.result import Verdict
from chalicelib.monitoring.storage.schedule_repository import ScheduleHealth, read_schedule_health

_PLANNED_S: Final = 120
"""Each tick plans the next two minutes, so the schedule is late once this has passed."""
_SCHEDULE: Final = "schedule"
_MAX_WAIT_S: Final[Mapping[str, int]] = {
    _SCHEDULE: 60,
    "checks": 300,
    "alerts": 300,
    "chat": 300,
    "rollups": 3_600,
}


@dataclass(frozen=True, slots=True)
class QueueHealth:
    """`oldest_message_s`: for how long the oldest work is overdue.

    `round_trip_s`: how long the newest watchdog message took, on the paths that have one.
    """

    oldest_message_s: int | None
    round_trip_s: int | None = None


@dataclass(frozen=True, slots=True)
class Health:
    """`tick_age_s`: time since the schedule was last planned; `lateness_s`: how much of it is late.

    `check_age_s` and `verdict` are those of the synthetic target's newest check. `silent` names the
    parts that have been silent for too long, and `network` if nothing outside can be reached.
    Values that are not known (yet) are None.
    """

    tick_age_s: int | None
    lateness_s: int | None
    check_age_s: int | None = None
    verdict: Verdict | None = None
    queues: Mapping[str, QueueHealth] = field(default_factory=dict)
    silent: tuple[str, ...] = ()


def health(runtime: BaseRuntime) -> Health:
    """Measure how late the schedule, the checks and the alerts are."""
    now = runtime.now
    with acting_as_system():
        pulse = read_schedule_health(ALERT_PATHS)
    ticked_at = pulse.cursor.ticked_at
    if ticked_at is None:
        return Health(None, None, silent=(_SCHEDULE,))
    report = observe(runtime, pulse.synthetic)
    queues = {name: _alert_path(pulse, name, now) for name in ALERT_PATHS}
    queues["checks"] = QueueHealth(report.checks_late_s(now) if report else None)
    queues["rollups"] = QueueHealth(report.rollups_late_s(now) if report else None)
    lateness = max(0, now - ticked_at - _PLANNED_S)
    waits = {_SCHEDULE: lateness, **{name: one.oldest_message_s for name, one in queues.items()}}
    return Health(
        tick_age_s=max(0, now - ticked_at),
        lateness_s=lateness,
        check_age_s=max(0, now - report.checked_at) if report and report.verdict else None,
        verdict=report.verdict if report else None,
        queues=queues,
        silent=tuple(_silent(waits, report)),
    )


def _alert_path(pulse: ScheduleHealth, name: str, now: int) -> QueueHealth:
    """Judge a path by its newest watchdog message, or by the time since it was expected."""
    if trip := pulse.trips.get(name):
        overdue = max(0, now - trip.sent_at - WATCHDOG_S)
        return QueueHealth(overdue, max(0, trip.arrived_at - trip.sent_at))
    return QueueHealth(
        max(0, now - pulse.synthetic.since - WATCHDOG_S) if pulse.synthetic else None
    )


def _silent(waits: Mapping[str, int | None], report: SelfMonitorReport | None) -> Iterator[str]:
    yield from (name for name, wait in waits.items() if (wait or 0) > _MAX_WAIT_S[name])
    if report and report.verdict is Verdict.UNKNOWN:
        yield "network"
