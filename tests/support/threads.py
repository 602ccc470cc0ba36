"""Concurrent calls in tests."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Result = TypeVar("Result")


def run_concurrently(work: Callable[[int], Result], count: int) -> list[Result]:
    """Call `work(0)`, `work(1)`, … in `count` threads at once and return the results in order."""
    with ThreadPoolExecutor(count) as threads:
        return list(threads.map(work, range(count)))
