"""Saves the state of a running process without stopping it: a forked child writes what it inherits.

The child has a copy of the memory as it was at the fork, in which nothing changes any more. A fork
takes milliseconds; writing 20 MB takes a second, during which the process goes on serving requests.
"""

import asyncio
import gc
import os
import signal
import time
import traceback
import warnings
from collections.abc import Callable
from contextlib import suppress

EVERY_S = 10
"""With the time that a save takes, less than 15 seconds are lost by a kill."""
TIMEOUT_S = 60


class Saver:
    """Runs `write` in a child process, some time after changes or at once after urgent ones."""

    def __init__(self, write: Callable[[], None], every_s: float = EVERY_S) -> None:
        self._write = write
        self._every_s = every_s
        self._changed = False
        self._urgent = asyncio.Event()
        self._child: int | None = None

    def note_change(self, *, urgent: bool) -> None:
        """Have the state saved: within the interval, or at once."""
        self._changed = True
        if urgent:
            self._urgent.set()

    async def run(self) -> None:
        """Save whenever something has changed. A failed save is repeated after the interval."""
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._urgent.wait(), self._every_s)
            self._urgent.clear()
            if self._changed:
                self._changed = False
                if not await self._save():
                    self._changed = True

    def finish(self) -> None:
        """Save once more before the process exits.

        Raises:
            OSError: the state could not be saved; the child has printed why.
        """
        if self._child is not None:
            os.kill(self._child, signal.SIGKILL)
            os.waitpid(self._child, 0)
            self._child = None
        _, status = os.waitpid(_fork(self._write), 0)
        if status != 0:
            raise OSError("the state could not be saved")

    async def _save(self) -> bool:
        """Whether a new child has saved the state."""
        self._child, deadline = _fork(self._write), time.monotonic() + TIMEOUT_S
        while True:
            await asyncio.sleep(0.02)
            pid, status = os.waitpid(self._child, os.WNOHANG)  # noqa: ASYNC222 - does not block
            if pid:
                self._child = None
                return status == 0
            if time.monotonic() > deadline:
                # It inherited a lock that a thread of this process held, or the disk hangs.
                os.kill(self._child, signal.SIGKILL)


def _fork(write: Callable[[], None]) -> int:
    """Start a child that calls `write` and exits; returns its process id."""
    with warnings.catch_warnings():
        # Python warns of locks that other threads hold: see TIMEOUT_S.
        warnings.simplefilter("ignore", DeprecationWarning)
        gc.freeze()
        pid = os.fork()
    if pid:
        gc.unfreeze()
        return pid
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        # The port must not stay in use when the parent is killed.
        for descriptor in map(int, os.listdir("/dev/fd")):  # noqa: PTH208 - only numbers
            if descriptor > 2:
                with suppress(OSError):
                    os.close(descriptor)
        write()
    except BaseException as error:  # noqa: BLE001 - whatever happens, this process must end here
        reason = error if isinstance(error, OSError) else traceback.format_exc()
        os.write(2, f"could not save the state: {reason}\n".encode())
        os._exit(1)
    os._exit(0)
