"""Handler of the function `rollup`: runs the background jobs of an event."""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from chalicelib.aws.runtime import AwsRuntime
from chalicelib.aws.tenancy import acting_for
from chalicelib.history.erasure import run_erasures
from chalicelib.history.rollups.worker import run_rollup_job, run_rollup_request
from chalicelib.history.stale_search import search_stale_targets
from chalicelib.maintenance.skip_rules import update_skip_rules

_LOG = logging.getLogger(__name__)
_LONGEST_S: Final = 780
"""Erasures end after that, before Lambda ends the run."""


class UnfinishedError(Exception):
    """Some of the jobs failed; Lambda repeats the event."""


def run_background(runtime: AwsRuntime, event: Mapping[str, Any]) -> dict[str, int]:
    """Run the jobs of an event, by kind: `{"folds": [...], "erase": [...]}`.

    Returns how much of each kind was done. Raises UnfinishedError if some failed, after all others
    are done; repeating a job changes nothing.
    """
    end = time.monotonic() + _LONGEST_S
    report = {kind: _each(runtime, kind, jobs, end) for kind, jobs in event.items()}
    failed = sum(failures for _, failures in report.values())
    if failed:
        raise UnfinishedError(f"{failed} of {sum(map(len, event.values()))} failed")
    return {kind: done for kind, (done, _) in report.items()}


def _each(runtime: AwsRuntime, kind: str, jobs: Sequence[str], end: float) -> tuple[int, int]:
    """How much was done, and how many failed."""
    done, failed = 0, 0
    for number, job in enumerate(jobs):
        now = time.monotonic()
        if kind == "erase" and now >= end:
            break
        try:
            # Each owner's erasures have an equal share of the time that is left.
            done += _WORK[kind](runtime, job, now + (end - now) / (len(jobs) - number))
        except Exception:  # noqa: BLE001 - must not affect the other jobs; Lambda repeats all
            _LOG.exception("%s failed", kind)
            failed += 1
    return done, failed


def _update_skip_rules(runtime: AwsRuntime, owner: str, _until: float) -> int:
    with acting_for(owner):
        return update_skip_rules(runtime, owner)


_WORK: Mapping[str, Callable[[AwsRuntime, str, float], int]] = {
    "folds": lambda runtime, text, _: run_rollup_job(runtime, text),
    "requests": lambda runtime, text, _: run_rollup_request(runtime, text),
    "arrange": _update_skip_rules,
    "stale": lambda runtime, owner, _: search_stale_targets(runtime, owner),
    "erase": run_erasures,
}
