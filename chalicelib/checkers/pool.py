"""Many checks side by side: each with its own full timeout, owners by turns, lanes as they finish.

Why 128 at a time by default is measured in docs/decisions/0011-checker-concurrency.md.
"""

import queue
import time
from collections import deque
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from chalicelib.domain.results import CheckResult
from chalicelib.domain.specs import CheckSpec

CONCURRENCY: Final = 128
Key = TypeVar("Key", bound=Hashable)
Check = Callable[[CheckSpec, float], CheckResult]


class Pool:
    """Threads that wait for the next invocation. Safe to share; close it to end them."""

    def __init__(self, concurrency: int = CONCURRENCY) -> None:
        self._threads = ThreadPoolExecutor(concurrency, thread_name_prefix="check")

    def check_lanes(
        self,
        lanes: Mapping[Key, Sequence[CheckSpec]],
        check: Check,
        *,
        owner: Callable[[Key], Hashable] = lambda key: key,
    ) -> Iterator[tuple[Key, dict[int, CheckResult]]]:
        """Yield (lane, results by place) as soon as each lane is done.

        A check's timeout begins when it starts: waiting for a place costs it nothing.
        """
        done: queue.SimpleQueue[tuple[Key, int, CheckResult]] = queue.SimpleQueue()
        results: dict[Key, dict[int, CheckResult]] = {key: {} for key in lanes}
        missing = {key: len(specs) for key, specs in lanes.items()}
        for key in [key for key, count in missing.items() if not count]:
            yield key, {}

        def run(key: Key, spec: CheckSpec) -> None:
            done.put((key, spec.place, check(spec, time.monotonic() + spec.timeout_s)))

        for key, spec in by_turns(lanes, owner):
            self._threads.submit(run, key, spec)
        for _ in range(sum(missing.values())):
            key, place, result = done.get()
            results[key][place] = result
            missing[key] -= 1
            if not missing[key]:
                yield key, results.pop(key)

    def close(self) -> None:
        """End the threads once their checks are done."""
        self._threads.shutdown(wait=True, cancel_futures=True)


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
