"""Room for work on what the other side sent: so much of it at a time, so that no check's share of
the CPU is eaten up by others.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from chalicelib.monitoring.result import Reason
from chalicelib.probes.errors import CheckFailure

_LEAST_S: Final = 0.02


class WorkLimiter:
    """A few places; who finds none in time is told that Monitum is to blame."""

    def __init__(self, places: int, work: str) -> None:
        self._places = threading.BoundedSemaphore(places)
        self._work = work

    @contextmanager
    def enter(self, until: float) -> Iterator[None]:
        """Wait for a place, at most until `until` (monotonic); raise CheckFailure."""
        if not self._places.acquire(timeout=max(_LEAST_S, until - time.monotonic())):
            text = f"Monitum had no time to {self._work}"
            raise CheckFailure(Reason.INTERNAL, text, ours=True, final=True)
        try:
            yield
        finally:
            self._places.release()


# A body of 1 MiB can become tens of MiB of objects.
DOCUMENTS: Final = WorkLimiter(2, "read the JSON")
PATTERNS: Final = WorkLimiter(1, "look for a regular expression")
