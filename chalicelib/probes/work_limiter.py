"""Limits on the CPU that content from targets may cost, so that no check starves the others."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from chalicelib.monitoring.result import Reason
from chalicelib.probes.errors import CheckFailure

_MIN_WAIT_S: Final = 0.02


class TooMuchWork(Exception):
    """A document, or a path on it, takes more work or time than a check may use."""


@dataclass(slots=True)
class Budget:
    """The steps that one evaluation may take, and its deadline (monotonic)."""

    steps: int
    deadline: float


class WorkLimiter:
    """Admits a few threads at a time; waiting in vain is an internal failure."""

    def __init__(self, slots: int, work: str) -> None:
        self._slots = threading.BoundedSemaphore(slots)
        self._work = work

    @contextmanager
    def enter(self, deadline: float) -> Iterator[None]:
        """Wait for a slot until `deadline` (monotonic); raise CheckFailure if none gets free."""
        if not self._slots.acquire(timeout=max(_MIN_WAIT_S, deadline - time.monotonic())):
            text = f"Monitum had no time to {self._work}"
            raise CheckFailure(Reason.INTERNAL, text, internal=True, final=True)
        try:
            yield
        finally:
            self._slots.release()


# A body of 1 MiB can become tens of MiB of objects.
JSON_LIMITER: Final = WorkLimiter(2, "read the JSON")
# A decoder of brotli takes up to 30 MiB.
DECODING_LIMITER: Final = WorkLimiter(1, "decode the body")
REGEX_LIMITER: Final = WorkLimiter(1, "look for a regular expression")
