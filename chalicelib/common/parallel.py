"""Parallel calls, such as the reads of a long range."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TypeVar

Result = TypeVar("Result")
_MAX_THREADS = 16
"""The size of the DynamoDB client's connection pool."""


def run_parallel(calls: Sequence[Callable[[], Result]]) -> list[Result]:
    """Run the calls in threads and return their results in order; raises the first error.

    Each runs in a copy of the context, so that the owner guard sees the caller's owner.
    """
    if len(calls) < 2:
        return [call() for call in calls]
    with ThreadPoolExecutor(min(_MAX_THREADS, len(calls)), thread_name_prefix="read") as threads:
        futures = [threads.submit(copy_context().run, call) for call in calls]
        return [future.result() for future in futures]
