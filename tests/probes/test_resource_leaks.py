"""Thousands of failing checks leave nothing behind: no descriptor, no thread, no memory."""

import gc
import resource
import threading
import time
from itertools import cycle, islice
from pathlib import Path

from chalicelib.probes.checker import Checker
from chalicelib.probes.net.ssrf_guard import Guard
from tests.probes.fake_resolver import FakeNames
from tests.probes.hostile import Peer, answers, redirect, resets_after, serving
from tests.probes.specs import spec

MANY = 10_000
POOL = 32
MEMORY_KIB = 16 * 1024


def test_nothing_is_left_of_many_failing_checks() -> None:
    checker = Checker(Guard(allow_private=True), resolver=FakeNames(), concurrency=POOL, pause_s=0)
    with (
        serving(Peer.reset) as resetting,
        serving(resets_after(b"HTTP/1.1 200")) as breaking,
        serving(answers(redirect("http://169.254.1.1/"))) as luring,
        serving(answers(b"nonsense")) as raving,
    ):
        at_rest = threading.active_count()
        rare = [f"http://127.0.0.1:{s.port}/" for s in (breaking, luring, raving)]
        rare.append(f"https://127.0.0.1:{raving.port}/")
        frequent = ["http://gone.example/", "http://127.0.0.1:1/", "http://0.0.0.0/", "x"]
        frequent.append(f"http://127.0.0.1:{resetting.port}/")
        run(checker, (frequent + rare) * 12)  # whatever is made once is made now
        before = footprint()
        run(checker, list(islice(cycle(frequent[:4]), MANY - 360)) + (frequent + rare) * 40)
        give_up = time.monotonic() + 20
        # The threads of the test's own servers may take their time on a busy machine.
        while threading.active_count() > before[1] + 2 and time.monotonic() < give_up:
            time.sleep(0.1)
        after = settled(at_rest + POOL)
        checker.close()
    assert after[0] <= before[0] + 2, "descriptors"
    assert after[1] <= at_rest + POOL + 2, "threads"
    assert after[2] - before[2] < MEMORY_KIB, "memory"


def run(checker: Checker, urls: list[str]) -> None:
    lanes = {
        number: [spec(url=url, place=place) for place, url in enumerate(urls[number::200])]
        for number in range(200)
    }
    verdicts = {
        result.verdict for _, lane in checker.check_lanes(lanes) for result in lane.values()
    }
    assert verdicts == {"DOWN"}


def settled(threads: int) -> tuple[int, int, int]:
    """Return the footprint once the servers' threads, which are not the checker's, have ended."""
    until = time.monotonic() + 10
    while threading.active_count() > threads and time.monotonic() < until:
        time.sleep(0.1)
    return footprint()


def footprint() -> tuple[int, int, int]:
    gc.collect()
    return (
        sum(1 for _ in Path("/proc/self/fd").iterdir()),
        threading.active_count(),
        resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
    )
