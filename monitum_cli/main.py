"""The entry point: run a command, print errors and return the exit code."""

import os
import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import click

from monitum_cli.commands import (
    channels,
    checks,
    imports,
    incidents,
    login,
    maintenance,
    manifest,
    pages,
    targets,
    tokens,
    users,
)
from monitum_cli.errors import BrokenPipe, CliError, ExitCode
from monitum_cli.output import Output
from monitum_cli.session import Session

_EPILOG = """Exit codes: 0 success, 1 failed, 2 usage error, 3 denied, 4 not found, 5 conflict,
6 invalid, 7 rate limited, 8 unreachable, 9 partially applied, 10 negative result."""


def _version() -> str:
    try:
        return version("monitum")
    except PackageNotFoundError:
        return "not installed"


@click.group(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=_EPILOG,
)
@click.version_option(_version(), message="monitum %(version)s")
def cli() -> None:
    """The command line of Monitum, the uptime monitor that you own.

    Refer to resources by ID, ID prefix or name. With --json, commands print the API's JSON.
    """


for command in (
    login.login,
    login.logout,
    login.whoami,
    targets.targets,
    checks.checks,
    checks.stats,
    incidents.incidents,
    channels.channels,
    maintenance.maintenance,
    pages.pages,
    tokens.tokens,
    users.users,
    manifest.export,
    manifest.plan,
    manifest.apply,
    imports.import_,
):
    cli.add_command(command)


def main() -> None:
    """Run the command line and exit the process."""
    output = Output(sys.stdout, sys.stderr, os.environ)
    code = run(sys.argv[1:], Session(os.environ, Path.cwd(), output))
    if code == ExitCode.BROKEN_PIPE:
        # Otherwise Python fails at exit, when it flushes what is left to a pipe without a reader.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(code)


def run(arguments: Sequence[str], session: Session) -> int:
    """Run one command in a session and return its exit code."""
    # Errors have to be printed as JSON even if the arguments could not be parsed.
    as_json = "--json" in arguments
    try:
        return int(cli.main(list(arguments), "monitum", standalone_mode=False, obj=session) or 0)
    except BrokenPipe as error:
        return error.exit_code
    except CliError as error:
        return _report(session, error, as_json=as_json)
    except click.ClickException as error:
        return _report(session, _from_click(error), as_json=as_json)
    except (click.Abort, KeyboardInterrupt):
        session.output.message("")
        return ExitCode.INTERRUPTED


def _from_click(error: click.ClickException) -> CliError:
    message = error.format_message()
    if isinstance(error, click.UsageError):
        path = error.ctx.command_path if error.ctx else "monitum"
        message = f"{message.rstrip('.')} (see {path} --help)"
    return CliError(message, ExitCode(error.exit_code))


def _report(session: Session, error: CliError, *, as_json: bool) -> int:
    try:
        if as_json:
            session.output.json_message({"error": error.as_json()})
        else:
            session.output.message(f"error: {error}")
    except BrokenPipe:
        return ExitCode.BROKEN_PIPE
    return error.exit_code
