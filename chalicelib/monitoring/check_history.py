"""The checks of a target, newest first."""

from dataclasses import dataclass

from chalicelib.common.runtime import BaseRuntime
from chalicelib.monitoring.result import CheckResult, Verdict
from chalicelib.monitoring.schedule import DAY_S
from chalicelib.monitoring.storage.result_repository import LaneResults, Results
from chalicelib.monitoring.target import Target

_MAX_READ = 3_000
"""Items one page may read in search of a verdict; the page then ends early, with a cursor."""


@dataclass(frozen=True, slots=True)
class Check:
    """One check of one target; `tick` is its scheduled instant in epoch seconds."""

    target_id: str
    tick: int
    region: str
    result: CheckResult


@dataclass(frozen=True, slots=True)
class Range:
    """Epoch seconds, `start` inclusive, `end` exclusive."""

    start: int
    end: int


def page_of_checks(
    runtime: BaseRuntime,
    target: Target,
    span: Range,
    verdict: Verdict | None,
    after: str | None,
    limit: int,
) -> tuple[list[Check], str | None]:
    """Up to `limit` checks and the key to continue from, None at the end of the range."""
    now = runtime.now
    oldest = now - runtime.settings.results_retention_days * DAY_S
    start, end = max(span.start, target.created_at, oldest), min(span.end, now + 1)
    stored = Results(target.owner).newest_first(target.lane, start, end, now=now, after=after)
    checks: list[Check] = []
    for read, found in enumerate(stored, 1):
        checks += _check(target, found, verdict)
        if len(checks) == limit or read == _MAX_READ:
            return checks, found.check
    return checks, None


def _check(target: Target, found: LaneResults, verdict: Verdict | None) -> list[Check]:
    if found.place is None and found.tick <= target.created_at:
        # The place belonged to another target then: this target's first check has a separate key.
        return []
    result = found.by_place.get(target.spec.place)
    if result is None or verdict not in (None, result.verdict):
        return []
    return [Check(target.id, found.tick, found.region, result)]
