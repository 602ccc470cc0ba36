"""Has what is due checked: from the index of slots to one message per lane and tick."""

import logging
from collections import defaultdict
from dataclasses import dataclass

from chalicelib.domain import schedule
from chalicelib.domain.jobs import CheckJob
from chalicelib.domain.specs import CheckSpec
from chalicelib.domain.targets import Target
from chalicelib.services.runtime import Runtime
from chalicelib.services.watchdog import send_watchdog
from chalicelib.store import schedule as store
from chalicelib.store.queues import Message
from chalicelib.store.tripwire import acting_as_system

_LOG = logging.getLogger(__name__)
_DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class TickReport:
    """What one run of the schedule did; `gap_s` is the time that nobody had planned."""

    messages: int
    targets: int
    planned_until: int
    gap_s: int


def run_tick(runtime: Runtime) -> TickReport:
    """Send the checks of the minutes up to the end of the next one.

    The cursor moves on after everything is sent: a run that dies is made up for by the next, and
    what is sent twice is checked once, as the worker finds its results.
    """
    with acting_as_system():
        cursor = store.read_cursor()
        plan = schedule.plan(cursor.planned_until, runtime.now, cursor.intervals)
        jobs = _jobs(plan, cursor.intervals)
        send_jobs(runtime, jobs)
        store.advance_cursor(cursor, plan.end, runtime.now)
        if plan.gap:
            expires = runtime.now + runtime.settings.results_retention_days * _DAY_S
            store.record_gap(*plan.gap, expires=expires)
    send_watchdog(runtime, cursor.ticked_at)
    return TickReport(
        messages=len(jobs),
        targets=sum(len(job.specs) for job in jobs),
        planned_until=plan.end,
        gap_s=plan.gap[1] - plan.gap[0] if plan.gap else 0,
    )


def check_soon(runtime: Runtime, target: Target, *, is_planned: bool) -> None:
    """Have a target that is new, resumed or changed checked now.

    Minutes that are planned already were planned without it, unless `is_planned`: the checks at its
    ticks within them are sent from here.
    """
    ticks = [runtime.now]
    if not is_planned:
        with acting_as_system():
            planned_until = store.read_cursor().planned_until or 0
        offset = schedule.offset(target.owner, target.lane)
        ticks += schedule.ticks_in(target.spec.interval_s, offset, runtime.now + 1, planned_until)
    send_jobs(runtime, [single_job(target, tick) for tick in ticks])


def single_job(target: Target, tick: int) -> CheckJob:
    """The check of one target outside the lane's schedule."""
    spec = target.spec
    return CheckJob(target.owner, target.lane, tick, [spec], place=spec.place)


def send_jobs(runtime: Runtime, jobs: list[CheckJob]) -> None:
    """Send jobs to the checks queue, each hidden until its tick; raises SendError."""
    now = runtime.now
    runtime.checks.send(
        Message(job.to_json(), delay_s=min(max(job.tick - now, 0), 900)) for job in jobs
    )


def _jobs(plan: schedule.Plan, intervals: frozenset[int]) -> list[CheckJob]:
    specs: dict[tuple[int, str, int], list[CheckSpec]] = defaultdict(list)
    for interval_s, phase in plan.slots(intervals):
        for due in store.due_targets(f"{interval_s}:{phase}:0"):
            spec = CheckSpec.from_message(due.target_id, due.spec)
            offset = schedule.offset(due.owner, due.lane)
            for tick in plan.ticks(interval_s, offset):
                specs[tick, due.owner, due.lane].append(spec)
    return [CheckJob(owner, lane, tick, due) for (tick, owner, lane), due in sorted(specs.items())]
