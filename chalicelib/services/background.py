"""What a function does that others start without waiting: several kinds of work in one event."""

import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from chalicelib.services.arranging import arrange
from chalicelib.services.erasing import erase_text
from chalicelib.services.folding import fold_text
from chalicelib.services.runtime import Runtime
from chalicelib.store.tripwire import acting_for

_LOG = logging.getLogger(__name__)


class UnfinishedError(Exception):
    """Some of the work failed: Lambda has the event run again."""


def run_background(runtime: Runtime, event: Mapping[str, Any]) -> dict[str, int]:
    """Do the work that an event names, by kind: `{"folds": [...], "erase": [...]}`.

    Returns how much of each kind was done. Raises UnfinishedError where some failed, after all else
    is done; doing again what is done changes nothing.
    """
    report = {kind: _each(runtime, kind, wanted) for kind, wanted in event.items()}
    failed = sum(failures for _, failures in report.values())
    if failed:
        raise UnfinishedError(f"{failed} of {sum(map(len, event.values()))} failed")
    return {kind: done for kind, (done, _) in report.items()}


def _each(runtime: Runtime, kind: str, wanted: Iterable[str]) -> tuple[int, int]:
    """How much was done, and how many failed."""
    done, failed = 0, 0
    for text in wanted:
        try:
            done += _WORK[kind](runtime, text)
        except Exception:  # noqa: BLE001 - the others go on, all come again
            _LOG.exception("%s failed", kind)
            failed += 1
    return done, failed


def _arrange(runtime: Runtime, owner: str) -> int:
    with acting_for(owner):
        return arrange(runtime, owner)


_WORK: Mapping[str, Callable[[Runtime, str], int]] = {
    "folds": fold_text,
    "arrange": _arrange,
    "erase": erase_text,
}
