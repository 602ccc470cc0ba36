"""Health of the stage: whether the schedule runs, checks are made, and alerts are sent."""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.alerting.watchdog import ALERT_PATHS, WATCHDOG_S
from chalicelib.aws.runtime import AwsRuntime
from chalicelib.aws.tenancy import acting_as_system
from chalicelib.health.probe import ANSWER_S, send_probe, unanswered_s
from chalicelib.health.self_monitor import SelfMonitorReport, observe
from chalicelib.monitoring.result import Verdict
from chalicelib.monitoring.storage.schedule_repository import ScheduleHealth, read_schedule_health

_LOG = logging.getLogger(__name__)
_PLANNED_S: Final = 120
"""Each tick plans the next two minutes, so the schedule is late once this has passed."""
_SCHEDULE: Final = "schedule"
_CHECKS: Final = "checks"
_MAX_WAIT_S: Final[Mapping[str, int]] = {
    _SCHEDULE: 45,
    _CHECKS: 300,
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

    `check_age_s` and `verdict` are those of the synthetic target's newest check. `dead_letters` is
    the number of messages in the dead-letter queues. `silent` names the parts that have been silent
    for too long, and what else needs attention. Values that are not known (yet) are None.
    """

    tick_age_s: int | None
    lateness_s: int | None
    check_age_s: int | None = None
    verdict: Verdict | None = None
    queues: Mapping[str, QueueHealth] = field(default_factory=dict)
    dead_letters: int | None = None
    silent: tuple[str, ...] = ()


def health(runtime: AwsRuntime) -> Health:
    """Measure how late the schedule, the checks and the alerts are, and send a probe."""
    now = runtime.now
    with acting_as_system():
        pulse = read_schedule_health(ALERT_PATHS)
    ticked_at = pulse.cursor.ticked_at
    if ticked_at is None:
        return Health(None, None, silent=(_SCHEDULE,))
    report = observe(runtime, pulse.synthetic)
    unanswered = unanswered_s(pulse.probe, _proved_at(pulse, report), now)
    send_probe(runtime, pulse.probe, is_pending=bool(unanswered))
    queues = {name: _alert_path(pulse, name, now) for name in ALERT_PATHS}
    queues[_CHECKS] = QueueHealth(report.checks_late_s(now) if report else None)
    queues["rollups"] = QueueHealth(report.rollups_late_s(now) if report else None)
    lateness = max(0, now - ticked_at - _PLANNED_S)
    waits = {_SCHEDULE: lateness, **{name: one.oldest_message_s for name, one in queues.items()}}
    dead_letters = _dead_letters(runtime)
    return Health(
        tick_age_s=max(0, now - ticked_at),
        lateness_s=lateness,
        check_age_s=max(0, now - report.checked_at) if report and report.verdict else None,
        verdict=report.verdict if report else None,
        queues=queues,
        dead_letters=dead_letters,
        silent=(
            *_silent(waits, unanswered),
            *(["network"] if report and report.verdict is Verdict.UNKNOWN else ()),
            *(["dead_letters"] if dead_letters else ()),
            *(["alarm_address"] if _is_alarm_address_undeliverable(runtime) else ()),
        ),
    )


def _proved_at(pulse: ScheduleHealth, report: SelfMonitorReport | None) -> dict[str, int]:
    """Return the time of the newest message that each part has completed, 0 if there is none."""
    proved = {way: trip.sent_at if (trip := pulse.trips.get(way)) else 0 for way in ALERT_PATHS}
    checked_from = report.checked_from if report else {}
    if len(checked_from) > 1:
        proved |= {f"{_CHECKS}:{region}": at for region, at in checked_from.items()}
    if checked_from:
        proved[_CHECKS] = max(checked_from.values())
    return proved


def _dead_letters(runtime: AwsRuntime) -> int | None:
    """Count the messages in all dead-letter queues; None if that fails."""
    try:
        return sum(queue.count() for queue in runtime.dead_letters.values())
    except (BotoCoreError, ClientError):
        _LOG.exception("dead letters not counted")
        return None


def _is_alarm_address_undeliverable(runtime: AwsRuntime) -> bool:
    """Whether alarms have an address that has not confirmed its subscription, or has ended it."""
    try:
        topic = runtime.alarm_topic
        return topic is not None and not topic.has_subscribers()
    except (BotoCoreError, ClientError):
        _LOG.exception("alarm topic not read")
        return False


def _alert_path(pulse: ScheduleHealth, name: str, now: int) -> QueueHealth:
    """Judge a path by its newest watchdog message, or by the time since it was expected."""
    if trip := pulse.trips.get(name):
        overdue = max(0, now - trip.sent_at - WATCHDOG_S)
        return QueueHealth(overdue, max(0, trip.arrived_at - trip.sent_at))
    return QueueHealth(
        max(0, now - pulse.synthetic.since - WATCHDOG_S) if pulse.synthetic else None
    )


def _silent(waits: Mapping[str, int | None], unanswered: Mapping[str, int]) -> Iterator[str]:
    """Yield the parts that are late or have not completed a probe in time.

    A region is only named if another one works.
    """
    late = {name for name, wait in waits.items() if (wait or 0) > _MAX_WAIT_S[name]}
    late |= {part for part, seconds in unanswered.items() if seconds > ANSWER_S}
    yield from (name for name in waits if name in late)
    if _CHECKS not in late:
        yield from sorted(late - set(waits))
