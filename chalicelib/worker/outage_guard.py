"""Before a whole batch of failures is believed, the worker looks whether it is its own.

As long as nothing in a batch has been reached, its lanes are held; one answer of any target proves
that the network works. If there is none, the canaries decide: with them unreached, what looked like
DOWN is UNKNOWN, and moves nothing.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Final

from chalicelib.common.metrics import report_error
from chalicelib.monitoring.result import CheckResult, Reason, Verdict
from chalicelib.worker.runtime import WorkerRuntime

# A blocked address is judged without the network.
_UNREACHED: Final = frozenset(
    {Reason.DNS, Reason.CONNECT, Reason.REFUSED, Reason.TIMEOUT, Reason.BLOCKED}
)
Results = Mapping[int, CheckResult]


def believed(
    runtime: WorkerRuntime, found: Iterable[tuple[int, Results]]
) -> Iterator[tuple[int, Results]]:
    """The results that `found` gives, by job, as they can be believed."""
    held: list[tuple[int, Results]] = []
    is_proved = False
    for number, results in found:
        is_proved = is_proved or any(map(_proves, results.values()))
        held.append((number, results))
        if is_proved:
            yield from held
            held.clear()
    if held and any(map(_looks_down, _all(held))) and not runtime.connectivity.is_reached():
        targets = sum(len(results) for _, results in held)
        report_error(
            runtime, "CanariesUnreached", "nothing can be reached from here", targets=targets
        )
        held = [(number, _doubted(results)) for number, results in held]
    yield from held


def _proves(result: CheckResult) -> bool:
    """Whether something of the target was reached."""
    return result.verdict is not Verdict.UNKNOWN and result.reason not in _UNREACHED


def _looks_down(result: CheckResult) -> bool:
    return result.verdict is Verdict.DOWN


def _all(held: list[tuple[int, Results]]) -> Iterator[CheckResult]:
    return (result for _, results in held for result in results.values())


def _doubted(results: Results) -> Results:
    text = "Monitum itself could not reach anything"
    return {
        place: replace(result, verdict=Verdict.UNKNOWN, reason=Reason.INTERNAL, error=text)
        if _looks_down(result)
        else result
        for place, result in results.items()
    }
