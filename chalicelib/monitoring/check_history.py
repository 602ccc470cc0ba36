"""What the checks of a target found, newest first."""

from dataclasses import dataclass

from chalicelib.common.runtime import BaseRuntime
from chalicelib.monitoring.result import CheckResult, Verdict
from chalicelib.monitoring.storage.result_repository import LaneResults, Results
from chalicelib.monitoring.target import Target

_DAY_S = 86_400
_MOST_READ = 3_000
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
    """Up to `limit` checks and the key to go on from, None at the end of the range."""
    oldest = runtime.now - runtime.settings.results_retention_days * _DAY_S
    start = max(span.start, target.created_at, oldest)
    end = min(span.end, runtime.now + 1)
    stored = Results(target.owner).newest_first(
        target.lane, start, end, now=runtime.now, after=after
    )
    checks: list[Check] = []
    for read, found in enumerate(stored, 1):
        checks += _check(target, found, verdict)
        if len(checks) == limit or read == _MOST_READ:
            return checks, found.check
    return checks, None


def _check(target: Target, found: LaneResults, verdict: Verdict | None) -> list[Check]:
    if found.place is None and found.tick <= target.created_at:
        # The place belonged to another target then: this one's first check has a key of its own.
        return []
    result = found.by_place.get(target.spec.place)
    if result is None or verdict not in (None, result.verdict):
        return []
    return [Check(target.id, found.tick, found.region, result)]
