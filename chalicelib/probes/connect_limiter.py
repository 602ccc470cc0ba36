"""Lets few checks at a time make their connection, so that the CPU is there for their timing."""

import threading
import time
from collections.abc import Callable
from typing import Final

STARTING: Final = 8
PATIENCE_S: Final = 0.02


class ConnectLimiter:
    """A few slots, which count until the connection is made or patience ends.

    Patience is short, so that targets which hang delay no others.
    """

    def __init__(self, slots: int = STARTING, patience_s: float = PATIENCE_S) -> None:
        self._slots = slots
        self._patience_s = patience_s
        self._entered: dict[int, float] = {}
        self._changed = threading.Condition()
        self._number = 0

    def enter(self) -> Callable[[], None]:
        """Wait for a slot; the answer is to be called when the connection is made."""
        with self._changed:
            while len(self._entered) >= self._slots:
                oldest = next(iter(self._entered))
                wait = self._entered[oldest] + self._patience_s - time.monotonic()
                if wait <= 0:
                    del self._entered[oldest]
                else:
                    self._changed.wait(wait)
            self._number += 1
            number = self._number
            self._entered[number] = time.monotonic()
        return lambda: self._leave(number)

    def _leave(self, number: int) -> None:
        with self._changed:
            if self._entered.pop(number, None) is not None:
                self._changed.notify()
