"""The session: everything that one run of the command line works with."""

import getpass
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TextIO

from monitum_cli.client import Api
from monitum_cli.credentials import find_credentials
from monitum_cli.errors import CliError, ExitCode
from monitum_cli.output import Output


@dataclass
class Session:
    """The environment, working directory, streams and clock of one run."""

    env: Mapping[str, str]
    directory: Path
    output: Output
    input: TextIO = field(default_factory=lambda: sys.stdin)
    sleep: Callable[[float], None] = time.sleep

    @cached_property
    def api(self) -> Api:
        """The API; raises CliError without credentials, which not every command needs."""
        credentials = find_credentials(self.env, self.directory)
        return Api(credentials, sleep=self.sleep, notify=self.output.message)

    @property
    def is_interactive(self) -> bool:
        return self.input.isatty()

    def confirm(self, question: str, *, yes: bool) -> None:
        """Return if the user confirms, or has by `--yes`; raises CliError otherwise."""
        if yes:
            return
        if not self.is_interactive:
            raise CliError(f"{question}: confirm with --yes", ExitCode.USAGE)
        self.output.prompt(f"{question}? [y/N] ")
        if self.input.readline().strip().lower() not in {"y", "yes"}:
            raise CliError("cancelled")

    def read_secret(self, prompt: str) -> str:
        """Read a line without echoing it, or the first line of a pipe."""
        if not self.is_interactive:
            return self.input.readline().strip()
        return getpass.getpass(prompt).strip()
