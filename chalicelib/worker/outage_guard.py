"""Checks that the worker itself is online before it trusts failures to reach targets.

A failure of our own network or resolver looks like an outage of every target. So a failure to
connect counts only with evidence that the network works: a response from another target in the
batch, or a connection to a canary. A failed name lookup counts only if a canary's name can be
resolved. Without evidence DOWN becomes UNKNOWN, which changes no status.

Evidence is per network: a target on this machine or in a private network can respond while the
internet is unreachable.
"""

import ipaddress
import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Final
from urllib.parse import urlsplit

from chalicelib.common.metrics import report_error
from chalicelib.common.runtime import BaseRuntime
from chalicelib.monitoring.check_spec import CheckSpec
from chalicelib.monitoring.result import CheckResult, Reason, Verdict

# BLOCKED is among them because a blocked address is rejected without using the network.
_UNREACHED: Final = frozenset(
    {Reason.DNS, Reason.CONNECT, Reason.REFUSED, Reason.TIMEOUT, Reason.BLOCKED}
)
_TRUSTED_S: Final = 20.0
_DISTRUSTED_S: Final = 5.0
_PRIVATE_SUFFIXES: Final = (".local", ".lan", ".internal", ".home.arpa")
_LOG = logging.getLogger(__name__)
Results = Mapping[int, CheckResult]
Address = tuple[str, int]


class Network(IntEnum):
    """The network in which a target is, nearest first."""

    LOOPBACK = 0
    PRIVATE = 1
    PUBLIC = 2


class ConnectivityCheck:
    """Whether this machine can connect to the canaries and resolve their names.

    `connects` says whether one of the addresses accepts a connection, `resolves` whether one of the
    names has an address. A success is trusted for 20 s, a failure for 5 s. Without canaries, or
    without names among them, the answer is yes.
    """

    def __init__(
        self,
        canaries: Sequence[Address],
        connects: Callable[[Sequence[Address]], bool],
        resolves: Callable[[Sequence[str]], bool],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        names = [host for host, _ in canaries if not _is_address(host)]
        self._connection = _CachedAnswer(lambda: not canaries or connects(canaries), clock)
        self._resolution = _CachedAnswer(lambda: not names or resolves(names), clock)

    def is_online(self) -> bool:
        """Whether a canary accepts a connection."""
        return self._connection.get()

    def can_resolve(self) -> bool:
        """Whether a canary's name can be resolved."""
        return self._resolution.get()


@dataclass
class _CachedAnswer:
    ask: Callable[[], bool]
    clock: Callable[[], float]
    answer: bool = False
    valid_until: float = float("-inf")

    def get(self) -> bool:
        if self.clock() >= self.valid_until:
            self.answer = self.ask()
            self.valid_until = self.clock() + (_TRUSTED_S if self.answer else _DISTRUSTED_S)
        return self.answer


def trusted_results(
    runtime: BaseRuntime,
    connectivity: ConnectivityCheck,
    found: Iterable[tuple[int, Results]],
    specs: Mapping[int, Sequence[CheckSpec]],
) -> Iterator[tuple[int, Results]]:
    """The results in `found`, by job, with untrusted failures as UNKNOWN.

    `specs` are the specs of each job. Jobs with failures that need evidence are held back until
    there is some.
    """
    by_place = {number: {spec.place: spec for spec in of_job} for number, of_job in specs.items()}
    held: list[tuple[int, Results]] = []
    reach = Network.LOOPBACK
    for number, found_results in found:
        results = _with_trusted_lookups(runtime, connectivity, found_results, by_place[number])
        if reach < Network.PUBLIC:
            reach = max(reach, _reach(results, by_place[number]))
        held.append((number, results))
        waiting = []
        for job, one in held:
            if _doubtful(one, by_place[job], reach):
                waiting.append((job, one))
            else:
                yield job, one
        held = waiting
    if held and not connectivity.is_online():
        doubtful = {job: _doubtful(one, by_place[job], reach) for job, one in held}
        targets = sum(map(len, doubtful.values()))
        report_error(
            runtime, "CanariesUnreached", "nothing can be reached from here", targets=targets
        )
        text = "Monitum itself could not reach anything"
        held = [(job, _as_unknown(one, doubtful[job], text)) for job, one in held]
    yield from held


def network_of(spec: CheckSpec) -> Network:
    """The network of a target by its host; a name that does not tell is taken as public."""
    config = spec.config
    host = config.get("resolver") or urlsplit(str(config.get("url") or "")).hostname
    name = str(host or config.get("host") or "").lower().rstrip(".")
    if name == "localhost" or name.endswith(".localhost"):
        return Network.LOOPBACK
    try:
        address = ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        is_private = "." not in name or name.endswith(_PRIVATE_SUFFIXES)
        return Network.PRIVATE if is_private else Network.PUBLIC
    if address.is_loopback:
        return Network.LOOPBACK
    return Network.PRIVATE if address.is_private else Network.PUBLIC


def _with_trusted_lookups(
    runtime: BaseRuntime,
    connectivity: ConnectivityCheck,
    results: Results,
    specs: Mapping[int, CheckSpec],
) -> Results:
    """The results, with failed lookups as UNKNOWN if our resolver resolves no canary either."""
    failed = {
        place
        for place, one in results.items()
        if _is_down(one) and one.reason is Reason.DNS and not specs[place].config.get("resolver")
    }
    if not failed or connectivity.can_resolve():
        return results
    report_error(runtime, "CanariesUnreached", "no name can be resolved here", targets=len(failed))
    return _as_unknown(results, failed, "Monitum itself could not resolve any name")


def _reach(results: Results, specs: Mapping[int, CheckSpec]) -> Network:
    """The farthest network from which a target responded, which proves that nearer ones work."""
    reached = (network_of(specs[place]) for place, one in results.items() if _was_reached(one))
    return max(reached, default=Network.LOOPBACK)


def _doubtful(results: Results, specs: Mapping[int, CheckSpec], reach: Network) -> set[int]:
    """The places whose failure needs evidence, as nothing that far away has responded."""
    return {
        place
        for place, one in results.items()
        if _is_down(one) and one.reason in _UNREACHED and network_of(specs[place]) > reach
    }


def _was_reached(result: CheckResult) -> bool:
    return result.verdict is not Verdict.UNKNOWN and result.reason not in _UNREACHED


def _is_down(result: CheckResult) -> bool:
    return result.verdict is Verdict.DOWN


def _as_unknown(results: Results, places: set[int], text: str) -> Results:
    return {
        place: replace(one, verdict=Verdict.UNKNOWN, reason=Reason.INTERNAL, error=text)
        if place in places
        else one
        for place, one in results.items()
    }


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True
