"""Handler of the function `rollup`: runs the background work that an event names."""

import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from chalicelib.aws.runtime import AwsRuntime
from chalicelib.aws.tenancy import acting_for
from chalicelib.history.erasure import run_erasure
from chalicelib.history.rollups.worker import run_rollup_job
from chalicelib.maintenance.skip_rules import update_skip_rules

_LOG = logging.getLogger(__name__)


class UnfinishedError(Exception):
    """Some of the work failed: Lambda has the event run again."""


def run_background(runtime: AwsRuntime, event: Mapping[str, Any]) -> dict[str, int]:
    """Do the work that an event names, by kind: `{"folds": [...], "erase": [...]}`.

    Returns how much of each kind was done. Raises UnfinishedError where some failed, after all else
    is done; doing again what is done changes nothing.
    """
    report = {kind: _each(runtime, kind, wanted) for kind, wanted in event.items()}
    failed = sum(failures for _, failures in report.values())
    if failed:
        raise UnfinishedError(f"{failed} of {sum(map(len, event.values()))} failed")
    return {kind: done for kind, (done, _) in report.items()}


def _each(runtime: AwsRuntime, kind: str, wanted: Iterable[str]) -> tuple[int, int]:
    """How much was done, and how many failed."""
    done, failed = 0, 0
    for text in wanted:
        try:
            done += _WORK[kind](runtime, text)
        except Exception:  # noqa: BLE001 - the others go on, all come again
            _LOG.exception("%s failed", kind)
            failed += 1
    return done, failed


def _update_skip_rules(runtime: AwsRuntime, owner: str) -> int:
    with acting_for(owner):
        return update_skip_rules(runtime, owner)


_WORK: Mapping[str, Callable[[AwsRuntime, str], int]] = {
    "folds": run_rollup_job,
    "arrange": _update_skip_rules,
    "erase": run_erasure,
}
