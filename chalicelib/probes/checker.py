"""The entry point of the probes: checks one target, or many at the same time."""

import time
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import suppress

from chalicelib.monitoring.check_spec import CheckSpec
from chalicelib.monitoring.result import CheckResult
from chalicelib.probes.deadline import Attempt
from chalicelib.probes.errors import CheckFailure
from chalicelib.probes.net.dialer import Dialer
from chalicelib.probes.net.resolver import Resolver, SystemResolver
from chalicelib.probes.net.ssrf_guard import Guard
from chalicelib.probes.net.tls_context import TlsContexts
from chalicelib.probes.net.urls import parse_host
from chalicelib.probes.pool import CONCURRENCY, Key, Pool
from chalicelib.probes.run import PAUSE_S, run_check


class Checker:
    """Checks targets behind one SSRF guard. Safe to share between threads; create one per process.

    `resolver` and `ca_file` (PEM) replace the system's resolver and certifi's CAs; `pause_s` is
    the longest pause before the second attempt at a failed connection.
    """

    def __init__(
        self,
        guard: Guard,
        *,
        resolver: Resolver | None = None,
        ca_file: str | None = None,
        concurrency: int = CONCURRENCY,
        pause_s: float = PAUSE_S,
    ) -> None:
        resolver = resolver or SystemResolver(search=guard.allow_private)
        self.dialer = Dialer(guard, resolver, TlsContexts(ca_file))
        self._pause_s = pause_s
        self._pool = Pool(concurrency)

    def check(
        self, spec: CheckSpec, deadline: float, on_connected: Callable[[], None] = lambda: None
    ) -> CheckResult:
        """Check one target by `deadline` (time.monotonic()). Never raises.

        `on_connected` is called when the connection is open.
        """
        return run_check(
            spec, self.dialer, deadline, on_connected=on_connected, pause_s=self._pause_s
        )

    def check_lanes(
        self,
        lanes: Mapping[Key, Sequence[CheckSpec]],
        *,
        owner: Callable[[Key], Hashable] = lambda key: key,
    ) -> Iterator[tuple[Key, dict[int, CheckResult]]]:
        """Check many targets concurrently; yield each lane's results by place when it is done.

        `owner` returns the owner of a lane; owners are served in turn. The `timeout_s` of a check
        counts from its start.
        """
        return self._pool.check_lanes(lanes, self.check, owner=owner)

    def is_connected(self, endpoints: Sequence[tuple[str, int]], within_s: float = 3.0) -> bool:
        """Whether this machine can connect to one of several well-known hosts and ports.

        When all checks of a worker fail at once, this tells an outage of Monitum's own network
        from an outage of the targets.
        """
        for index, (host, port) in enumerate(endpoints):
            share = within_s / (len(endpoints) - index)
            began = time.monotonic()
            try:
                self.dialer.connect(parse_host(host), port, Attempt(began + share)).close()
            except CheckFailure:
                within_s -= time.monotonic() - began
            else:
                return True
        return False

    def can_resolve(self, names: Sequence[str], within_s: float = 3.0) -> bool:
        """Whether this machine's resolver finds an address for one of several names."""
        until = time.monotonic() + within_s
        for index, name in enumerate(names):
            now = time.monotonic()
            with suppress(CheckFailure):
                return bool(
                    self.dialer.resolver.resolve(name, now + (until - now) / (len(names) - index))
                )
        return False

    def close(self) -> None:
        """End the threads once their checks are done."""
        self._pool.close()
