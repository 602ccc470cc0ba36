"""What one run of the command works with."""

import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TextIO

from monitum_cli.client import Api
from monitum_cli.config import find_login
from monitum_cli.errors import Exit, Failure
from monitum_cli.output import Output


@dataclass
class Session:
    """The environment, the directory, the streams and the clock of one run; the API when needed."""

    env: Mapping[str, str]
    directory: Path
    output: Output
    input: TextIO = field(default_factory=lambda: sys.stdin)
    sleep: Callable[[float], None] = time.sleep

    @cached_property
    def api(self) -> Api:
        login = find_login(self.env, self.directory)
        return Api(login, sleep=self.sleep, notice=self.output.note)

    @property
    def can_ask(self) -> bool:
        """Whether there is somebody to ask."""
        return self.input.isatty()

    def confirm(self, question: str, *, yes: bool) -> None:
        """Go on if somebody says so, or said so before; raises Failure."""
        if yes:
            return
        if not self.can_ask:
            raise Failure(f"{question}: say so with --yes", Exit.USAGE)
        self.output.prompt(f"{question}? [y/N] ")
        if self.input.readline().strip().lower() not in {"y", "yes"}:
            raise Failure("nothing was done")

    def read_secret(self, prompt: str) -> str:
        """One line that is not shown while it is typed, or the first line of a pipe."""
        if not self.can_ask:
            return self.input.readline().strip()
        import getpass  # noqa: PLC0415 - needs a terminal, which most runs do not have

        return getpass.getpass(prompt).strip()
