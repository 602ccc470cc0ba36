"""Has what is due checked: from the index of slots to one message per lane and tick."""

import logging
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.alerting.watchdog import send_watchdog
from chalicelib.aws.lambda_client import shard_event
from chalicelib.aws.runtime import AwsRuntime
from chalicelib.aws.sqs import Message, SendError
from chalicelib.aws.tenancy import acting_as_system
from chalicelib.monitoring import schedule
from chalicelib.monitoring.check_job import CheckJob
from chalicelib.monitoring.storage import schedule_repository as store
from chalicelib.monitoring.target import Target

_LOG = logging.getLogger(__name__)
_DAY_S = 86_400


SHARD_TARGETS = 25_000
"""So many targets in a minute fill a shard: reading and sending them takes a run some 10 s."""
Lanes = dict[tuple[int, str, int], list[store.DueTarget]]


@dataclass(frozen=True, slots=True)
class TickReport:
    """What one run of the schedule did; `gap_s` is the time that nobody had planned."""

    messages: int
    targets: int
    planned_until: int
    gap_s: int
    shard: int = 0


def run_tick(runtime: AwsRuntime, shard: int = 0) -> TickReport:
    """Send the checks of a shard up to the end of the next minute, or of the one behind it.

    The run of the first shard starts those of the others, which are the same function once more.
    The cursor, of which each shard has its own, moves on after everything is sent: a run that dies
    is made up for by the next, and what is sent twice is checked once, as the worker finds its
    results.
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
            store.advance_cursor(cursor, plan.end, runtime.now, shard)
        if plan.gap:
            expires = runtime.now + runtime.settings.results_retention_days * _DAY_S
            store.record_gap(*plan.gap, shard=shard, expires=expires)
        targets = sum(map(len, lanes.values()))
        if targets > SHARD_TARGETS * len(plan.minutes):
            store.open_shard(shard + 1)
    # A run that finds everything planned does not move the time of the last one.
    if shard == 0 and plan.end != cursor.planned_until:
        send_watchdog(runtime, cursor.ticked_at)
    return TickReport(
        messages=len(lanes),
        targets=targets,
        planned_until=plan.end,
        gap_s=plan.gap[1] - plan.gap[0] if plan.gap else 0,
        shard=shard,
    )


def check_soon(runtime: AwsRuntime, target: Target, *, is_planned: bool) -> None:
    """Have a target that is new, resumed or changed checked now.

    Minutes that are planned already were planned without it, unless `is_planned`: the checks at its
    ticks within them are sent from here.
    """
    ticks = [runtime.now]
    if not is_planned:
        with acting_as_system():
            planned_until = store.read_cursor(target.shard).planned_until or 0
        offset = schedule.offset(target.owner, target.lane)
        ticks += schedule.ticks_in(target.spec.interval_s, offset, runtime.now + 1, planned_until)
    send_jobs(runtime, [single_job(target, tick) for tick in ticks])


def single_job(target: Target, tick: int) -> CheckJob:
    """The check of one target outside the lane's schedule."""
    spec = target.spec
    return CheckJob(target.owner, target.lane, tick, [spec], place=spec.place)


def send_jobs(runtime: AwsRuntime, jobs: list[CheckJob]) -> None:
    """Send jobs to the checks queue, each hidden until its tick; raises SendError."""
    now = runtime.now
    _send(runtime, (Message(job.to_json(), delay_s=_delay_s(job.tick, now)) for job in jobs))


def _due(plan: schedule.Plan, intervals: frozenset[int], shard: int) -> Lanes:
    """What the plan has checked, by tick, owner and lane."""
    lanes: Lanes = defaultdict(list)
    for interval_s, phase in plan.slots(intervals):
        for due in store.due_targets(f"{interval_s}:{phase}:{shard}"):
            offset = schedule.offset(due.owner, due.lane)
            for tick in plan.ticks(interval_s, offset):
                lanes[tick, due.owner, due.lane].append(due)
    return lanes


def _send_planned(runtime: AwsRuntime, lanes: Lanes) -> None:
    """Send a message for each lane and tick, hidden until its tick; raises SendError."""
    now = runtime.now
    messages = (
        Message(
            CheckJob.planned(owner, lane, tick, ((one.target_id, one.spec) for one in due)),
            delay_s=_delay_s(tick, now),
        )
        for (tick, owner, lane), due in sorted(lanes.items())
    )
    _send(runtime, messages)


def _send(runtime: AwsRuntime, messages: Iterable[Message]) -> None:
    """Send to the checks of every region; raises SendError where those at home are not taken.

    A further region that takes none is down: the others have to agree without it.
    """
    if runtime.settings.further_regions:
        messages = list(messages)
    runtime.checks.send(messages)
    for region, queue in runtime.further_checks.items():
        try:
            queue.send(messages)
        except (BotoCoreError, ClientError, SendError):
            _LOG.exception("no checks from a region", extra={"region": region})


def _delay_s(tick: int, now: int) -> int:
    return min(max(tick - now, 0), 900)
