"""Checks that the worker itself is online before it trusts a batch of failures.

Results are held back until one in the batch proves that the network works: any response of any
target. Without one, the connectivity check decides: if it fails, DOWN becomes UNKNOWN, which
changes no status.
"""

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

from chalicelib.common.metrics import report_error
from chalicelib.common.runtime import BaseRuntime
from chalicelib.monitoring.result import CheckResult, Reason, Verdict

# BLOCKED is among them because a blocked address is rejected without using the network.
_UNREACHED: Final = frozenset(
    {Reason.DNS, Reason.CONNECT, Reason.REFUSED, Reason.TIMEOUT, Reason.BLOCKED}
)
_TRUSTED_S: Final = 20.0
_LOG = logging.getLogger(__name__)
Results = Mapping[int, CheckResult]
Address = tuple[str, int]


class ConnectivityCheck:
    """Whether this machine reaches any of the canaries; without canaries it counts as online.

    `connects` says whether one of the addresses accepts a connection. A success is trusted for some
    seconds; a failure is checked again each time.
    """

    def __init__(
        self,
        canaries: Sequence[Address],
        connects: Callable[[Sequence[Address]], bool],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._canaries = canaries
        self._connects = connects
        self._clock = clock
        self._reached_at = -_TRUSTED_S

    def is_online(self) -> bool:
        """Whether at least one canary accepts a connection."""
        if not self._canaries or self._clock() < self._reached_at + _TRUSTED_S:
            return True
        if self._connects(self._canaries):
            self._reached_at = self._clock()
            return True
        _LOG.warning("no canary is reached", extra={"canaries": len(self._canaries)})
        return False


def trusted_results(
    runtime: BaseRuntime, connectivity: ConnectivityCheck, found: Iterable[tuple[int, Results]]
) -> Iterator[tuple[int, Results]]:
    """The results in `found`, by job, with untrusted failures as UNKNOWN."""
    held: list[tuple[int, Results]] = []
    is_proved = False
    for number, results in found:
        is_proved = is_proved or any(map(_was_reached, results.values()))
        held.append((number, results))
        if is_proved:
            yield from held
            held.clear()
    is_down = any(_is_down(result) for _, results in held for result in results.values())
    if is_down and not connectivity.is_online():
        targets = sum(len(results) for _, results in held)
        report_error(
            runtime, "CanariesUnreached", "nothing can be reached from here", targets=targets
        )
        held = [(number, _doubted(results)) for number, results in held]
    yield from held


def _was_reached(result: CheckResult) -> bool:
    return result.verdict is not Verdict.UNKNOWN and result.reason not in _UNREACHED


def _is_down(result: CheckResult) -> bool:
    return result.verdict is Verdict.DOWN


def _doubted(results: Results) -> Results:
    text = "Monitum itself could not reach anything"
    return {
        place: replace(result, verdict=Verdict.UNKNOWN, reason=Reason.INTERNAL, error=text)
        if _is_down(result)
        else result
        for place, result in results.items()
    }
