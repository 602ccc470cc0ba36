"""Many checks side by side: each with its own full timeout, owners by turns, lanes as they finish.

Two limits keep the response times true on one core (docs/decisions/0011-check-concurrency.md):
how many checks are under way, and how many are making their connection, which is where the CPU
goes. A check that waits for either has not started, so it loses nothing.
"""

import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Final, Generic, TypeVar

from chalicelib.monitoring.check_spec import CheckSpec
from chalicelib.monitoring.result import CheckResult
from chalicelib.probes.connect_limiter import STARTING, ConnectLimiter

CONCURRENCY: Final = 128
Key = TypeVar("Key", bound=Hashable)
Check = Callable[[CheckSpec, float, Callable[[], None]], CheckResult]


class Pool:
    """Threads that wait for the next invocation. Safe to share; close it to end them."""

    def __init__(self, concurrency: int = CONCURRENCY, starting: int = STARTING) -> None:
        self._threads = ThreadPoolExecutor(concurrency, thread_name_prefix="check")
        self._places = threading.BoundedSemaphore(concurrency)
        self._gate = ConnectLimiter(starting)

    def check_lanes(
        self,
        lanes: Mapping[Key, Sequence[CheckSpec]],
        check: Check,
        *,
        owner: Callable[[Key], Hashable],
    ) -> Iterator[tuple[Key, dict[int, CheckResult]]]:
        """Yield (lane, results by place) as soon as each lane is done."""
        run = _Run(lanes, check)
        starter = threading.Thread(
            target=self._start_all, args=(run, by_turns(lanes, owner)), name="checks", daemon=True
        )
        starter.start()
        try:
            yield from run.finished()
        finally:
            run.stopped = True

    def _start_all(self, run: "_Run[Key]", checks: Iterable[tuple[Key, CheckSpec]]) -> None:
        for key, spec in checks:
            self._places.acquire()
            if run.stopped:
                self._places.release()
                return
            started = self._gate.enter()
            try:
                future = self._threads.submit(run.check, key, spec, started)
            except RuntimeError as error:  # closed meanwhile, or no thread can be made
                self._places.release()
                run.fail(error)
                return
            future.add_done_callback(partial(self._leave, run, started))

    def _leave(self, run: "_Run[Key]", started: Callable[[], None], future: "Future[None]") -> None:
        """Give the place back, also of a check that never ran because the pool was closed."""
        started()
        self._places.release()
        if future.cancelled():
            run.fail(RuntimeError("the pool was closed before the check began"))

    def close(self) -> None:
        """End the threads once their checks are done."""
        self._threads.shutdown(wait=True, cancel_futures=True)


class _Run(Generic[Key]):
    """One call of `check_lanes`: what has come of its checks so far."""

    def __init__(self, lanes: Mapping[Key, Sequence[CheckSpec]], check: Check) -> None:
        self.stopped = False
        self._check = check
        self._done: queue.SimpleQueue[tuple[Key, int, CheckResult] | Exception]
        self._done = queue.SimpleQueue()
        self._missing = {key: len(specs) for key, specs in lanes.items()}

    def check(self, key: Key, spec: CheckSpec, started: Callable[[], None]) -> None:
        """Do one check: its deadline begins here."""
        try:
            result = self._check(spec, time.monotonic() + spec.timeout_s, started)
        except Exception as error:  # noqa: BLE001 - raised where the results are awaited
            self.fail(error)
        else:
            self._done.put((key, spec.place, result))

    def fail(self, error: Exception) -> None:
        """Let whoever awaits the results raise an error instead of waiting for ever."""
        self._done.put(error)

    def finished(self) -> Iterator[tuple[Key, dict[int, CheckResult]]]:
        """Yield each lane when the last of its checks is done; raise what a check raised."""
        results: dict[Key, dict[int, CheckResult]] = {key: {} for key in self._missing}
        for key in [key for key, count in self._missing.items() if not count]:
            yield key, results.pop(key)
        for _ in range(sum(self._missing.values())):
            done = self._done.get()
            if isinstance(done, Exception):
                raise done
            key, place, result = done
            results[key][place] = result
            self._missing[key] -= 1
            if not self._missing[key]:
                yield key, results.pop(key)


def by_turns(
    lanes: Mapping[Key, Sequence[CheckSpec]], owner: Callable[[Key], Hashable]
) -> Iterable[tuple[Key, CheckSpec]]:
    """Return every check, the owners taking turns and an owner's lanes one after the other."""
    waiting: dict[Hashable, deque[tuple[Key, CheckSpec]]] = {}
    for key, specs in lanes.items():
        waiting.setdefault(owner(key), deque()).extend((key, spec) for spec in specs)
    turns = deque(waiting.values())
    while turns:
        line = turns.popleft()
        if line:
            yield line.popleft()
            turns.append(line)
