"""The check worker: checks the targets of lanes, keeps the results, moves their states.

Every step may run twice or be the last one before a crash. Results are written once per lane and
tick and then stand; states follow from results alone; a lane is written only as it was read.
"""

import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace

from chalicelib.aws.tenancy import acting_for
from chalicelib.history.dispatch import roll_up_late
from chalicelib.maintenance.skip_rule_cache import Rules, skipped
from chalicelib.monitoring.alert_messages import Entry
from chalicelib.monitoring.check_job import CheckJob
from chalicelib.monitoring.check_spec import CheckSpec
from chalicelib.monitoring.lane import Lane
from chalicelib.monitoring.outbox import flush
from chalicelib.monitoring.regions import agreed_results
from chalicelib.monitoring.result import CheckResult
from chalicelib.monitoring.secrets import Secrets
from chalicelib.monitoring.state_machine import Flip, Observation, Policy, State, Status, observe
from chalicelib.monitoring.storage.lane_repository import Lanes, read_lanes, read_secrets
from chalicelib.monitoring.storage.result_repository import (
    CheckKey,
    Results,
    read_results,
    write_results,
)
from chalicelib.worker.lane_backfill import backfill
from chalicelib.worker.outage_guard import believed
from chalicelib.worker.runtime import WorkerRuntime

_LOG = logging.getLogger(__name__)
_ATTEMPTS = 8


class ContendedError(Exception):
    """A lane changed under every attempt to write it."""


@dataclass
class WorkReport:
    """What one batch came to; `failed` are the indices of the jobs to be delivered again."""

    failed: list[int] = field(default_factory=list)
    verdicts: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class _Work:
    """One job with what was read for it: the lane, results of a run before, what is to check."""

    job: CheckJob
    key: CheckKey
    lane: Lane
    stored: Mapping[int, CheckResult] | None
    specs: Sequence[CheckSpec]


def run_checks(runtime: WorkerRuntime, jobs: Sequence[CheckJob]) -> WorkReport:
    """Check the jobs' targets side by side; each lane is finished as soon as its checks are."""
    report = WorkReport()
    owners = {job.owner for job in jobs}
    with acting_for(*owners):
        works = _distinct(_prepare(runtime, jobs, report))
    for number, results in _results(runtime, works):
        work = works[number]
        try:
            with acting_for(work.job.owner):
                _finish(runtime, work, results)
            report.verdicts.update(result.verdict for result in results.values())
        except Exception:  # noqa: BLE001 - the other lanes go on, this one comes again
            told = {"owner": work.job.owner, "lane": work.job.lane, "tick": work.job.tick}
            _LOG.exception("lane failed", extra=told)
            report.failed.append(number)
    return report


def _distinct(works: Iterable[_Work]) -> dict[int, _Work]:
    """Work by the number of its job; a message that is there twice is worked off once.

    One with nothing left to do does not stand before another of the same key: it may be of a
    target that was deleted, the other of the next in its place.
    """
    seen: dict[CheckKey, int] = {}
    numbered = {number: work for number, work in enumerate(works) if work.specs}
    return {
        number: work
        for number, work in numbered.items()
        if seen.setdefault(work.key, number) == number
    }


def _prepare(
    runtime: WorkerRuntime, jobs: Sequence[CheckJob], report: WorkReport
) -> Iterator[_Work]:
    lanes = {
        key: _tended(runtime, lane)
        for key, lane in read_lanes((job.owner, job.lane) for job in jobs).items()
    }
    keys = [_key(runtime, job) for job in jobs]
    stored = read_results(keys, consistent=True)
    guarded = {(job.owner, job.lane) for job in jobs if any(spec.has_secrets for spec in job.specs)}
    secrets = read_secrets(guarded) if guarded else {}
    rules = _rules(runtime, lanes.values())
    for job, key in zip(jobs, keys, strict=True):
        lane = lanes[job.owner, job.lane]
        in_lane = secrets.get((job.owner, job.lane), {})
        left_alone = skipped(rules.get((job.owner, job.lane), ()), job.tick)
        specs = [
            replace(spec, secrets=in_lane.get(spec.place, Secrets()).to_json())
            if spec.has_secrets
            else spec
            for spec in job.specs
            if key in stored
            or (
                not _is_left_alone(spec, left_alone, report)
                and _is_wanted(runtime, job, spec, lane, report)
            )
        ]
        yield _Work(job, key, lane, stored.get(key), specs)


def _tended(runtime: WorkerRuntime, lane: Lane) -> Lane:
    """The lane as it should be: in its shard, and what an earlier run left to send is sent."""
    try:
        tended = flush(runtime, lane)
        backfill(runtime, lane)
    except Exception:  # noqa: BLE001 - checks do not wait for alerts; it is tried again after them
        _LOG.exception("lane not tended", extra={"owner": lane.owner, "lane": lane.number})
        return lane
    return tended


def _rules(runtime: WorkerRuntime, lanes: Iterable[Lane]) -> Mapping[tuple[str, int], Rules]:
    """When targets of the lanes are not to be checked; if that cannot be read, they are checked."""
    try:
        return runtime.skips.of(lanes)
    except Exception:  # noqa: BLE001 - a check too many does less harm than none
        _LOG.exception("calendars not read")
        return {}


def _is_left_alone(spec: CheckSpec, left_alone: frozenset[str], report: WorkReport) -> bool:
    if spec.target_id not in left_alone:
        return False
    report.skipped["maintenance"] += 1
    return True


def _is_wanted(
    runtime: WorkerRuntime, job: CheckJob, spec: CheckSpec, lane: Lane, report: WorkReport
) -> bool:
    state = lane.state_of(spec.target_id, spec.place)
    if state is None:
        report.skipped["gone"] += 1
    elif lane.rests:
        report.skipped["resting"] += 1
    elif state.status is Status.PAUSED:
        report.skipped["paused"] += 1
    elif job.is_stale(spec, runtime.clock()):
        report.skipped["stale"] += 1
    else:
        return True
    return False


def _results(
    runtime: WorkerRuntime, works: Mapping[int, _Work]
) -> Iterator[tuple[int, Mapping[int, CheckResult]]]:
    """Results by job: those that a run before this one left, then the others as they come in."""
    to_check: dict[int, Sequence[CheckSpec]] = {}
    for number, work in works.items():
        if work.stored is not None:
            yield number, work.stored
        else:
            to_check[number] = work.specs
    if to_check:
        found = runtime.checker.check_lanes(to_check, owner=lambda number: works[number].job.owner)
        yield from believed(runtime, found)


def _finish(runtime: WorkerRuntime, work: _Work, results: Mapping[int, CheckResult]) -> None:
    if work.stored is None and not write_results(
        work.key,
        results,
        retention_days=runtime.settings.results_retention_days,
        intervals_s={spec.place: spec.interval_s for spec in work.job.specs},
    ):
        results = read_results([work.key], consistent=True)[work.key]
    roll_up_late(runtime, work.job)
    flush(runtime, _apply(runtime, work, agreed_results(runtime, work.key, results)))


def _apply(runtime: WorkerRuntime, work: _Work, results: Mapping[int, CheckResult]) -> Lane:
    """Move the states on and return the lane with its outbox as it then is.

    In the steady state nothing is written. Raises ContendedError.
    """
    lanes, lane = Lanes(work.job.owner), work.lane
    outdated: set[int] | None = None
    for _ in range(_ATTEMPTS):
        moved = _observe(runtime, work, lane, results)
        if moved and outdated is None:
            outdated = Results(work.job.owner).places_after(work.key, runtime.now)
        moved = {place: move for place, move in moved.items() if place not in (outdated or ())}
        if not moved:
            return lane
        entries = [entry for _, entry in moved.values() if entry]
        if lanes.write(lane, {place: state for place, (state, _) in moved.items()}, entries):
            _log(work, entries)
            return replace(lane, version=lane.version + 1, outbox=[*lane.outbox, *entries])
        lane = lanes.get(work.job.lane)
    raise ContendedError(f"lane {work.job.lane}")


def _observe(
    runtime: WorkerRuntime, work: _Work, lane: Lane, results: Mapping[int, CheckResult]
) -> dict[int, tuple[State, Entry | None]]:
    """The states that `results` change, by place, with the flips they make."""
    moved = {}
    flaps = runtime.settings.flap_changes, runtime.settings.flap_window_s
    for spec in work.job.specs:
        result, state = results.get(spec.place), lane.state_of(spec.target_id, spec.place)
        if result is None or state is None:
            continue
        observation = Observation(work.job.tick, result.verdict, result.reason)
        policy = Policy(spec.failure_threshold, spec.recovery_threshold, *flaps)
        after, flip = observe(state, observation, policy, runtime.now)
        if work.job.place is not None and _counts(state, work.job.tick):
            # A check outside the schedule is found again by this tick, not by arithmetic.
            after = replace(after, changed=work.job.tick)
        if after is not state:
            moved[spec.place] = after, _entry(spec, flip, result) if flip else None
    return moved


def _entry(spec: CheckSpec, flip: Flip, result: CheckResult) -> Entry:
    return Entry(
        target_id=spec.target_id, flip=flip, error=result.error, status_code=result.status_code
    )


def _log(work: _Work, entries: Sequence[Entry]) -> None:
    for entry in entries:
        told = {"owner": work.job.owner, "target": entry.target_id, **asdict(entry.flip)}
        _LOG.info("flip", extra=told)


def _counts(state: State, tick: int) -> bool:
    return state.status is not Status.PAUSED and state.changed < tick


def _key(runtime: WorkerRuntime, job: CheckJob) -> CheckKey:
    return CheckKey(job.owner, job.lane, job.tick, runtime.settings.region, job.place)
