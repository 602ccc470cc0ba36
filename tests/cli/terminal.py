"""Run the command line as a person at a terminal or as a script."""

import io
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from monitum_cli.main import run
from monitum_cli.output import Output
from monitum_cli.session import Session


class Stream(io.StringIO):
    """A text stream that can claim to be a terminal."""

    def __init__(self, text: str = "", *, terminal: bool = False) -> None:
        super().__init__(text)
        self._terminal = terminal

    def isatty(self) -> bool:
        return self._terminal

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return "utf-8"


@dataclass(frozen=True)
class Outcome:
    """The exit code and output of a command."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass(frozen=True)
class Terminal:
    """Runs commands in a separate home directory; interactive if `tty` is set."""

    home: Path
    env: dict[str, str] = field(default_factory=dict)
    tty: bool = False
    slept: list[float] = field(default_factory=list)
    when_sleeping: Callable[[float], None] = lambda _: None

    def logged_in(self, url: str, token: str) -> "Terminal":
        return self.with_env(MONITUM_URL=url, MONITUM_TOKEN=token)

    def with_env(self, **env: str) -> "Terminal":
        return replace(self, env={**self.env, **env})

    def run(self, *arguments: str, typed: str = "") -> Outcome:
        out, err = Stream(terminal=self.tty), Stream(terminal=self.tty)
        env = {"HOME": str(self.home), "COLUMNS": "100", "TERM": "xterm", **self.env}
        session = Session(
            env, self.home, Output(out, err, env), Stream(typed, terminal=self.tty), self._sleep
        )
        return Outcome(run(arguments, session), out.getvalue(), err.getvalue())

    def ok(self, *arguments: str, typed: str = "") -> Outcome:
        """Run a command and assert that it succeeds."""
        outcome = self.run(*arguments, typed=typed)
        assert outcome.code == 0, outcome
        return outcome

    def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.when_sleeping(seconds)
