"""The scheduler: sends one message per lane and tick for the targets that are due."""

import logging
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.alerting.watchdog import send_watchdog
from chalicelib.aws.lambda_client import shard_event
from chalicelib.aws.runtime import AwsRuntime
from chalicelib.aws.sqs import Message, SendError
from chalicelib.aws.tenancy import acting_as_system
from chalicelib.common.metrics import report_error
from chalicelib.monitoring import schedule
from chalicelib.monitoring.check_job import CheckJob
from chalicelib.monitoring.storage import schedule_repository as store
from chalicelib.monitoring.target import Target

_LOG = logging.getLogger(__name__)
SHARD_TARGETS = 25_000
"""Targets per minute that fill a shard: reading and sending them takes a run about 10 s."""
Lanes = dict[tuple[int, str, int], list[store.DueTarget]]


@dataclass(frozen=True, slots=True)
class TickReport:
    """What one run of the scheduler did; `gap_s` is the unplanned time before it."""

    messages: int
    targets: int
    planned_until: int
    gap_s: int
    shard: int = 0


def run_tick(runtime: AwsRuntime, shard: int = 0) -> TickReport:
    """Send the checks of a shard for the minutes that `schedule.plan` adds.

    The run of the first shard invokes the function again for every other shard. Each shard's cursor
    advances after everything is sent: the next run makes up for one that died. Messages sent twice
    are checked once, because the worker finds the stored results.
    """
    with acting_as_system():
        cursor = store.read_cursor(shard)
        if shard == 0:
            for other in range(1, cursor.shards):
                runtime.functions.start("tick", shard_event(other))
        plan = schedule.plan(cursor.planned_until, runtime.now, cursor.intervals)
        lanes = _due(plan, cursor.intervals, shard)
        _send_planned(runtime, lanes)
        if plan.end != cursor.planned_until:
            resumed_at = plan.start if plan.gap else None
            store.advance_cursor(cursor, plan.end, runtime.now, shard, resumed_at)
        if plan.ahead_s:
            text = "the cursor was ahead of the clock and is repaired"
            report_error(runtime, "ClockErrors", text, ahead_s=plan.ahead_s, shard=shard)
        if plan.gap:
            expires = runtime.now + runtime.settings.results_retention_days * schedule.DAY_S
            store.record_gap(*plan.gap, shard=shard, expires=expires)
        targets = sum(map(len, lanes.values()))
        if targets > SHARD_TARGETS * len(plan.minutes):
            store.open_shard(shard + 1)
    # A run without anything to plan does not change the time of the last run.
    if shard == 0 and plan.end != cursor.planned_until:
        send_watchdog(runtime, cursor.ticked_at)
    return TickReport(
        messages=len(lanes),
        targets=targets,
        planned_until=plan.end,
        gap_s=plan.gap[1] - plan.gap[0] if plan.gap else 0,
        shard=shard,
    )


def check_new(runtime: AwsRuntime, target: Target) -> None:
    """Check a new target now, and at its ticks within the minutes planned so far."""
    with acting_as_system():
        planned_until = store.read_cursor(target.shard).planned_until or 0
    _check_apart(runtime, target, runtime.now, planned_until)


def check_changed(runtime: AwsRuntime, target: Target, apart_until: int) -> None:
    """Check a target that was just changed or resumed, and at its ticks before `apart_until`.

    The next second is the first whose checks can only be by its new definition.
    """
    _check_apart(runtime, target, runtime.now + 1, apart_until)


def _check_apart(runtime: AwsRuntime, target: Target, tick: int, end: int) -> None:
    offset = schedule.offset(target.owner, target.lane)
    ticks = [tick, *schedule.ticks_in(target.spec.interval_s, offset, tick + 1, end)]
    send_jobs(runtime, [single_job(target, tick) for tick in ticks])


def single_job(target: Target, tick: int) -> CheckJob:
    """The check of a single target outside the lane's schedule."""
    spec = target.spec
    return CheckJob(target.owner, target.lane, tick, [spec], place=spec.place)


def send_jobs(runtime: AwsRuntime, jobs: list[CheckJob]) -> None:
    """Send jobs to the checks queue, each delayed until its tick; raises SendError."""
    now = runtime.now
    stamped = (replace(job, sent_at=now) for job in jobs)
    _send(runtime, (Message(job.to_json(), delay_s=_delay_s(job.tick, now)) for job in stamped))


def _due(plan: schedule.Plan, intervals: frozenset[int], shard: int) -> Lanes:
    """The targets that the plan checks, by tick, owner and lane."""
    lanes: Lanes = defaultdict(list)
    for interval_s, phase in plan.slots(intervals):
        for due in store.due_targets(f"{interval_s}:{phase}:{shard}"):
            offset = schedule.offset(due.owner, due.lane)
            for tick in plan.ticks(interval_s, offset):
                lanes[tick, due.owner, due.lane].append(due)
    return lanes


def _send_planned(runtime: AwsRuntime, lanes: Lanes) -> None:
    """Send a message for each lane and tick, delayed until its tick; raises SendError."""
    now = runtime.now
    messages = (
        Message(
            CheckJob.planned(owner, lane, tick, ((one.target_id, one.spec) for one in due), now),
            delay_s=_delay_s(tick, now),
        )
        for (tick, owner, lane), due in sorted(lanes.items())
    )
    _send(runtime, messages)


def _send(runtime: AwsRuntime, messages: Iterable[Message]) -> None:
    """Send to the checks queue of every region; raises SendError if the home region's fails.

    A failing further region is only logged: the others reach a quorum without it.
    """
    if runtime.settings.further_regions:
        messages = list(messages)
    runtime.checks.send(messages)
    for region, queue in runtime.further_checks.items():
        try:
            queue.send(messages)
        except (BotoCoreError, ClientError, SendError):
            _LOG.exception("checks not sent to a region", extra={"region": region})


def _delay_s(tick: int, now: int) -> int:
    return min(max(tick - now, 0), 900)
