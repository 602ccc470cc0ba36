"""The door of the checkers: one per process, for one target or for many."""

import time
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence

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
    """Checks targets through one guard. Safe to share between threads; `close` ends its threads.

    `resolver` and `ca_file` (PEM) take the place of the system's resolver and certifi's CAs;
    `pause_s` is how long a failed connection waits for its second try, at most.
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
        found = resolver or SystemResolver(search=guard.allow_private)
        self.dialer = Dialer(guard, found, TlsContexts(ca_file))
        self._pause_s = pause_s
        self._pool = Pool(concurrency)

    def check(
        self, spec: CheckSpec, deadline: float, on_connected: Callable[[], None] = lambda: None
    ) -> CheckResult:
        """Check one target by `deadline` (time.monotonic()). Never raises.

        `on_connected` is called once its connection is made, if it ever is.
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
        """Check many targets side by side; yield each lane's results by place when it is done.

        `owner` tells whose a lane is: owners are served by turns. Each check has its whole
        `timeout_s` from the moment it starts.
        """
        return self._pool.check_lanes(lanes, self.check, owner=owner)

    def is_connected(self, places: Sequence[tuple[str, int]], within_s: float = 3.0) -> bool:
        """Whether this machine reaches one of some well-known hosts and ports.

        For a worker all of whose checks fail at once: it asks this before it blames the targets.
        """
        for place, (host, port) in enumerate(places):
            share = within_s / (len(places) - place)
            began = time.monotonic()
            try:
                self.dialer.connect(parse_host(host), port, Attempt(began + share)).close()
            except CheckFailure:
                within_s -= time.monotonic() - began
            else:
                return True
        return False

    def close(self) -> None:
        """End the threads."""
        self._pool.close()
