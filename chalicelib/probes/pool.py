"""Concurrent checks: each with its full timeout, owners in turn, lanes as they finish.

Two limits keep the response times accurate on one core (docs/decisions/0011-check-concurrency.md):
how many checks run, and how many of them are connecting, which is what costs CPU. The timeout of a
check starts after it has passed both, so waiting does not shorten it.
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

CONCURRENCY: Final = 128
MAX_CONNECTING: Final = 8
PATIENCE_S: Final = 0.02
Key = TypeVar("Key", bound=Hashable)
Check = Callable[[CheckSpec, float, Callable[[], None]], CheckResult]


class ConnectLimiter:
    """Limits how many checks are connecting at a time, so that their timings are accurate.

    A slot expires after `patience_s` even if its check is still connecting: targets that hang must
    not delay the others.
    """

    def __init__(self, slots: int = MAX_CONNECTING, patience_s: float = PATIENCE_S) -> None:
        self._slots = slots
        self._patience_s = patience_s
        self._entered: dict[int, float] = {}  # oldest first
        self._changed = threading.Condition()
        self._number = 0

    def enter(self) -> Callable[[], None]:
        """Wait for a slot; return the function that frees it, to be called once connected."""
        with self._changed:
            while len(self._entered) >= self._slots:
                oldest = next(iter(self._entered))
                wait = self._entered[oldest] + self._patience_s - time.monotonic()
                if wait <= 0:
                    del self._entered[oldest]
                else:
                    self._changed.wait(wait)
            self._number += 1
            self._entered[self._number] = time.monotonic()
            return partial(self._leave, self._number)

    def _leave(self, number: int) -> None:
        with self._changed:
            if self._entered.pop(number, None) is not None:
                self._changed.notify()


class Pool:
    """A thread pool that outlives an invocation. Safe to share between threads."""

    def __init__(self, concurrency: int = CONCURRENCY) -> None:
        self._threads = ThreadPoolExecutor(concurrency, thread_name_prefix="check")
        self._slots = threading.BoundedSemaphore(concurrency)
        self._connect_limiter = ConnectLimiter()

    def check_lanes(
        self,
        lanes: Mapping[Key, Sequence[CheckSpec]],
        check: Check,
        *,
        owner: Callable[[Key], Hashable],
    ) -> Iterator[tuple[Key, dict[int, CheckResult]]]:
        """Yield (lane, results by place) as soon as each lane is done."""
        run = _Run(lanes, check)
        checks = round_robin(lanes, owner)
        threading.Thread(
            target=self._start_all, args=(run, checks), name="checks", daemon=True
        ).start()
        try:
            yield from run.finished()
        finally:
            run.stopped = True

    def _start_all(self, run: "_Run[Key]", checks: Iterable[tuple[Key, CheckSpec]]) -> None:
        for key, spec in checks:
            self._slots.acquire()
            if run.stopped:
                self._slots.release()
                return
            on_connected = self._connect_limiter.enter()
            try:
                future = self._threads.submit(run.check, key, spec, on_connected)
            except RuntimeError as error:  # the pool was closed, or no thread can be started
                self._slots.release()
                run.fail(error)
                return
            future.add_done_callback(partial(self._free, run, on_connected))

    def _free(
        self, run: "_Run[Key]", on_connected: Callable[[], None], future: "Future[None]"
    ) -> None:
        """Free the slots of a check, even of one that never ran because the pool was closed."""
        on_connected()
        self._slots.release()
        if future.cancelled():
            run.fail(RuntimeError("the pool was closed before the check started"))

    def close(self) -> None:
        """End the threads once their checks are done."""
        self._threads.shutdown(wait=True, cancel_futures=True)


class _Run(Generic[Key]):
    """One call of `check_lanes` and its results so far."""

    def __init__(self, lanes: Mapping[Key, Sequence[CheckSpec]], check: Check) -> None:
        self.stopped = False
        self._check = check
        self._done: queue.SimpleQueue[tuple[Key, int, CheckResult] | Exception]
        self._done = queue.SimpleQueue()
        self._missing = {key: len(specs) for key, specs in lanes.items()}

    def check(self, key: Key, spec: CheckSpec, on_connected: Callable[[], None]) -> None:
        """Run one check, whose timeout starts now."""
        try:
            result = self._check(spec, time.monotonic() + spec.timeout_s, on_connected)
        except Exception as error:  # noqa: BLE001 - `finished` raises it
            self.fail(error)
        else:
            self._done.put((key, spec.place, result))

    def fail(self, error: Exception) -> None:
        """Make `finished` raise an error; otherwise it would wait forever."""
        self._done.put(error)

    def finished(self) -> Iterator[tuple[Key, dict[int, CheckResult]]]:
        """Yield each lane when its last check is done; raise the error of a check that failed."""
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


def round_robin(
    lanes: Mapping[Key, Sequence[CheckSpec]], owner: Callable[[Key], Hashable]
) -> Iterable[tuple[Key, CheckSpec]]:
    """Yield every check, one per owner in turn; an owner's lanes come one after the other."""
    waiting: dict[Hashable, deque[tuple[Key, CheckSpec]]] = {}
    for key, specs in lanes.items():
        waiting.setdefault(owner(key), deque()).extend((key, spec) for spec in specs)
    turns = deque(line for line in waiting.values() if line)
    while turns:
        line = turns.popleft()
        yield line.popleft()
        if line:
            turns.append(line)
