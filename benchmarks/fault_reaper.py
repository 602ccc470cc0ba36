"""Death at every AWS call: the life that goes on forks one that dies there.

Up to its death a life is the undisturbed one. So that one is lived once, and at each point a copy
of the process dies instead of going on: nothing is set up, or lived, twice.
"""

import os
import pickle
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal, NoReturn
from unittest.mock import patch

from botocore.client import BaseClient

from benchmarks.fault_parts import Death

Moment = Literal["before", "after"]


@dataclass(frozen=True, slots=True)
class Life:
    """A life in a process of its own, and where its outcome comes from."""

    name: str
    pid: int
    pipe: int


@dataclass
class Lives:
    """Lives that go on beside this process, `most` at a time; `outcomes` by name as they end."""

    most: int
    running: list[Life] = field(default_factory=list)
    outcomes: dict[str, Any] = field(default_factory=dict)
    to: int | None = None
    """In a forked process: where its outcome goes."""

    def fork(self, name: str) -> bool:
        """Whether this is the new process; False in the old one, which goes on."""
        while len(self.running) >= self.most:
            self._end_first()
        come, go = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(come)
            self.to = go
            return True
        os.close(go)
        self.running.append(Life(name, pid, come))
        return False

    def hand_over(self, outcome: Any) -> NoReturn:
        """Give the outcome of this forked process to its parent, and end."""
        assert self.to is not None
        with os.fdopen(self.to, "wb") as pipe:
            pickle.dump(outcome, pipe)
        os._exit(0)

    def wait(self) -> dict[str, Any]:
        """The outcomes of all, once they have ended."""
        while self.running:
            self._end_first()
        return self.outcomes

    def _end_first(self) -> None:
        life = self.running.pop(0)
        with os.fdopen(life.pipe, "rb") as pipe:
            told = pipe.read()
        os.waitpid(life.pid, 0)
        self.outcomes[life.name] = pickle.loads(told) if told else {"ended": "without a word"}
        if len(self.outcomes) % 50 == 0:
            print(f"{len(self.outcomes)} lives lived", file=sys.stderr, flush=True)


@dataclass
class Reaper:
    """Sees every call of every AWS client, whatever it is; has lives die around those wanted."""

    lives: Lives
    wanted: Callable[[int], bool]
    calls: list[str] = field(default_factory=list)

    @contextmanager
    def watching(self) -> Iterator[None]:
        """While it lasts, calls are seen."""
        call = BaseClient._make_api_call  # noqa: SLF001 - where all calls of botocore pass

        def seen(client: BaseClient, name: str, params: Any) -> Any:
            number = len(self.calls)
            self.calls.append(name)
            self._strike("before", number)
            try:
                return call(client, name, params)
            finally:
                self._strike("after", number)

        with patch.object(BaseClient, "_make_api_call", seen):
            yield

    def _strike(self, moment: Moment, number: int) -> None:
        if self.lives.to is not None or not self.wanted(number):
            return
        # A forked process keeps this thread only.
        assert threading.current_thread() is threading.main_thread(), "a call from a thread"
        if self.lives.fork(f"{moment} call {number} ({self.calls[number]})"):
            raise Death


def in_own_process(lives: Lives, name: str, live: Callable[[], Any]) -> None:
    """Have a whole life lived beside this process."""
    if lives.fork(name):
        finish(lives, live)


def finish(lives: Lives, live: Callable[[], Any]) -> Any:
    """The outcome of a life; a process that was forked meanwhile hands its own over and ends."""
    try:
        outcome = live()
    except BaseException:
        if lives.to is None:
            raise
        outcome = {"ended": traceback.format_exc()}
    if lives.to is not None:
        lives.hand_over(outcome)
    return outcome
