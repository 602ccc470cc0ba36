"""The check worker: checks the targets of lanes, stores the results, updates their states.

Every step may run twice, or be the last one before a crash. Results are written once per lane and
tick and never replaced; states follow from results alone; writes of a lane are conditional on the
version that was read.
"""

import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace

from chalicelib.aws.tenancy import acting_for
from chalicelib.history.dispatch import roll_up_late
from chalicelib.history.rollups.requests import request_rollups
from chalicelib.maintenance.skip_rule_repository import Rules, skipped
from chalicelib.monitoring.alert_messages import Entry
from chalicelib.monitoring.check_job import CheckJob
from chalicelib.monitoring.check_spec import CheckSpec
from chalicelib.monitoring.lane import Lane
from chalicelib.monitoring.outbox import flush
from chalicelib.monitoring.regions import agreed_results
from chalicelib.monitoring.result import CheckResult
from chalicelib.monitoring.schedule import DAY_S
from chalicelib.monitoring.state_machine import Flip, Observation, Policy, State, Status, observe
from chalicelib.monitoring.storage.lane_repository import Lanes, read_lanes
from chalicelib.monitoring.storage.result_repository import (
    CheckKey,
    Results,
    read_results,
    write_results,
)
from chalicelib.worker.definitions import current_specs, is_left_out
from chalicelib.worker.outage_guard import trusted_results
from chalicelib.worker.runtime import WorkerRuntime

_LOG = logging.getLogger(__name__)
_MAX_ATTEMPTS = 8
_DAYS_PER_ROLLUP = 10
"""A rollup of this many days takes some seconds."""
_SLOW_S = 1.0
"""After checks that took longer, targets that were changed meanwhile are looked for."""


class ContendedError(Exception):
    """A lane was changed during every attempt to write it."""


@dataclass
class WorkReport:
    """The outcome of one batch; `failed` are the indices of the jobs to retry."""

    failed: list[int] = field(default_factory=list)
    verdicts: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class _Work:
    """One job with its lane, read at `started`, the stored results of an earlier run, and the specs
    to check and judge by.
    """

    started: float
    job: CheckJob
    key: CheckKey
    lane: Lane
    stored: Mapping[int, CheckResult] | None
    specs: Sequence[CheckSpec]


def run_checks(runtime: WorkerRuntime, jobs: Sequence[CheckJob]) -> WorkReport:
    """Check the jobs' targets concurrently; each lane is finished as soon as its checks are."""
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
        except Exception:  # noqa: BLE001 - the other lanes continue, this one is retried
            fields = {"owner": work.job.owner, "lane": work.job.lane, "tick": work.job.tick}
            _LOG.exception("lane failed", extra=fields)
            report.failed.append(number)
    return report


def _distinct(works: Iterable[_Work]) -> dict[int, _Work]:
    """The work by job number, without the duplicates of messages delivered twice.

    Work without specs is dropped first: it may be for a deleted target, and must not hide work with
    the same key for the next target in its place.
    """
    first: dict[CheckKey, int] = {}
    numbered = {number: work for number, work in enumerate(works) if work.specs}
    return {n: work for n, work in numbered.items() if first.setdefault(work.key, n) == n}


def _prepare(
    runtime: WorkerRuntime, jobs: Sequence[CheckJob], report: WorkReport
) -> Iterator[_Work]:
    started = runtime.clock()
    lanes = {
        key: _catch_up(runtime, lane)
        for key, lane in read_lanes((job.owner, job.lane) for job in jobs).items()
    }
    keys = [_key(runtime, job) for job in jobs]
    stored = read_results(keys, consistent=True)
    rules = _rules(runtime, lanes.values())
    wanted = []
    for job, key in zip(jobs, keys, strict=True):
        lane = lanes[job.owner, job.lane]
        in_maintenance = skipped(rules.get((job.owner, job.lane), ()), job.tick)
        specs = [
            spec
            for spec in job.specs
            if key in stored or not _skip(runtime, job, spec, lane, in_maintenance, report)
        ]
        wanted.append((job, lane, [spec for spec in specs if not is_left_out(job, spec, lane)]))
    for (job, lane, _), key, specs in zip(wanted, keys, current_specs(wanted), strict=True):
        yield _Work(started, job, key, lane, stored.get(key), specs)


def _catch_up(runtime: WorkerRuntime, lane: Lane) -> Lane:
    """Send what an earlier run left in the lane's outbox, and index the lane by its shard."""
    try:
        flushed = flush(runtime, lane)
        _backfill_shard(runtime, lane)
    except Exception:  # noqa: BLE001 - alerts must not delay checks; flushed again after them
        _LOG.exception("lane not caught up", extra={"owner": lane.owner, "lane": lane.number})
        return lane
    return flushed


def _backfill_shard(runtime: WorkerRuntime, lane: Lane) -> None:
    """Give a lane of an early version, which had no shards, its shard, and roll up its results.

    Rollups find lanes by shard only, so nothing of it was rolled up so far. They are requested
    before the write, so that a crash in between repeats both.
    """
    if lane.is_indexed:
        return
    now, length = runtime.now, _DAYS_PER_ROLLUP * DAY_S
    oldest = now - runtime.settings.results_retention_days * DAY_S
    periods = [(start, min(start + length, now)) for start in range(oldest, now, length)]
    request_rollups(lane.owner, lane.number, periods)
    Lanes(lane.owner).backfill(lane)


def _rules(runtime: WorkerRuntime, lanes: Iterable[Lane]) -> Mapping[tuple[str, int], Rules]:
    """The skip rules of the lanes; none if they cannot be read."""
    try:
        return runtime.skips.of(lanes)
    except Exception:  # noqa: BLE001 - an extra check does less harm than a missing one
        _LOG.exception("skip rules not read")
        return {}


def _skip(
    runtime: WorkerRuntime,
    job: CheckJob,
    spec: CheckSpec,
    lane: Lane,
    in_maintenance: frozenset[str],
    report: WorkReport,
) -> bool:
    """Whether not to check a target; counts the reason in `report`."""
    state = lane.state_of(spec.target_id, spec.place)
    if spec.target_id in in_maintenance:
        reason = "maintenance"
    elif state is None:
        reason = "gone"
    elif lane.is_suspended:
        reason = "resting"
    elif state.status is Status.PAUSED:
        reason = "paused"
    elif job.is_stale(spec, runtime.clock()):
        reason = "stale"
    elif is_left_out(job, spec, lane):
        reason = "changed"
    else:
        return False
    report.skipped[reason] += 1
    return True


def _results(
    runtime: WorkerRuntime, works: Mapping[int, _Work]
) -> Iterator[tuple[int, Mapping[int, CheckResult]]]:
    """Results by job: first those stored by an earlier run, then the others as they finish."""
    to_check: dict[int, Sequence[CheckSpec]] = {}
    for number, work in works.items():
        if work.stored is not None:
            yield number, work.stored
        else:
            to_check[number] = work.specs
    if to_check:
        found = runtime.checker.check_lanes(to_check, owner=lambda number: works[number].job.owner)
        yield from trusted_results(runtime, runtime.connectivity, found, to_check)


def _finish(runtime: WorkerRuntime, work: _Work, results: Mapping[int, CheckResult]) -> None:
    if work.stored is None:
        results = _unchanged(runtime, work, results)
        if not results:
            return
        if not write_results(
            work.key,
            results,
            retention_days=runtime.settings.results_retention_days,
            intervals_s={spec.place: spec.interval_s for spec in work.specs},
        ):
            # Another worker has stored results for this key: those count instead of ours.
            results = read_results([work.key], consistent=True)[work.key]
    roll_up_late(runtime, work.job)
    flush(runtime, _apply(runtime, work, _agreed(runtime, work, results)))


def _agreed(
    runtime: WorkerRuntime, work: _Work, results: Mapping[int, CheckResult]
) -> Mapping[int, CheckResult]:
    """The results that count in all regions."""
    if not runtime.settings.further_regions:
        return results
    changes = _observe(runtime, work, work.lane, results)
    before = work.lane.places
    changing = {
        place
        for place, (after, _) in changes.items()
        if replace(after, changed=before[place].state.changed) != before[place].state
    }
    intervals_s = {one.place: one.interval_s for one in work.specs if one.place in changing}
    return agreed_results(runtime, work.key, results, intervals_s)


def _unchanged(
    runtime: WorkerRuntime, work: _Work, results: Mapping[int, CheckResult]
) -> Mapping[int, CheckResult]:
    """The results without those of targets that were changed during their checks.

    The lane is read again only after slow checks. A change during a quick one is noticed when
    states are written; its result is stored at a tick before the change.
    """
    if runtime.clock() - work.started < _SLOW_S:
        return results
    lane = Lanes(work.job.owner).get(work.job.lane)
    kept = {spec.place for spec in work.specs if _is_current(work, spec, lane)}
    return {place: result for place, result in results.items() if place in kept}


def _is_current(work: _Work, spec: CheckSpec, lane: Lane) -> bool:
    """Whether the target in `lane`, read after the check started, is still defined by `spec`.

    So it is if nothing was changed since, or if the spec itself was read after the change.
    """
    state = lane.state_of(spec.target_id, spec.place)
    if state is None or state.status is Status.PAUSED:
        return False
    version = lane.definition_of(spec.place).version
    return version in (spec.version, work.lane.definition_of(spec.place).version)


def _apply(runtime: WorkerRuntime, work: _Work, results: Mapping[int, CheckResult]) -> Lane:
    """Update the states and return the lane with its outbox. Raises ContendedError.

    Without changes nothing is written. Places with a newer stored result are left out: an older
    result must not change a state that already reflects a newer one.
    """
    lanes, lane = Lanes(work.job.owner), work.lane
    outdated: set[int] | None = None
    for _ in range(_MAX_ATTEMPTS):
        changes = _observe(runtime, work, lane, results)
        if changes and outdated is None:
            outdated = Results(work.job.owner).places_after(work.key, runtime.now)
        changes = {place: one for place, one in changes.items() if place not in (outdated or ())}
        if not changes:
            return lane
        entries = [entry for _, entry in changes.values() if entry]
        if lanes.write(lane, {place: state for place, (state, _) in changes.items()}, entries):
            _log(work, entries)
            return replace(lane, version=lane.version + 1, outbox=[*lane.outbox, *entries])
        lane = lanes.get(work.job.lane)
    raise ContendedError(f"lane {work.job.lane} changed {_MAX_ATTEMPTS} times")


def _observe(
    runtime: WorkerRuntime, work: _Work, lane: Lane, results: Mapping[int, CheckResult]
) -> dict[int, tuple[State, Entry | None]]:
    """The states that `results` change, by place, with the flips they cause."""
    changes = {}
    flaps = runtime.settings.flap_changes, runtime.settings.flap_window_s
    for spec in work.specs:
        result, state = results.get(spec.place), lane.state_of(spec.target_id, spec.place)
        if result is None or state is None or not _is_current(work, spec, lane):
            continue
        observation = Observation(work.job.tick, result.verdict, result.reason)
        policy = Policy(spec.failure_threshold, spec.recovery_threshold, *flaps, spec.interval_s)
        after, flip = observe(state, observation, policy, runtime.now)
        if work.job.place is not None and _counts(state, work.job.tick):
            # Scheduled ticks are computed; one outside the schedule is only known if stored here.
            after = replace(after, changed=work.job.tick)
        if after is not state:
            changes[spec.place] = after, _entry(spec, flip, result) if flip else None
    return changes


def _entry(spec: CheckSpec, flip: Flip, result: CheckResult) -> Entry:
    return Entry(
        target_id=spec.target_id, flip=flip, error=result.error, status_code=result.status_code
    )


def _log(work: _Work, entries: Sequence[Entry]) -> None:
    for entry in entries:
        fields = {"owner": work.job.owner, "target": entry.target_id, **asdict(entry.flip)}
        _LOG.info("flip", extra=fields)


def _counts(state: State, tick: int) -> bool:
    return state.status is not Status.PAUSED and state.changed < tick


def _key(runtime: WorkerRuntime, job: CheckJob) -> CheckKey:
    return CheckKey(job.owner, job.lane, job.tick, runtime.settings.region, job.place)
