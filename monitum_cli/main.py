"""The entry: arguments in, an exit code out, and one line for whatever goes wrong."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from monitum_cli.commands import root
from monitum_cli.errors import BrokenPipe, Exit, Failure
from monitum_cli.output import Output
from monitum_cli.session import Session


def main() -> None:
    """Run as a program."""
    output = Output(sys.stdout, sys.stderr, os.environ)
    code = run(sys.argv[1:], Session(os.environ, Path.cwd(), output))
    if code == Exit.BROKEN_PIPE:
        # What is still buffered has no reader; Python would complain of that at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(code)


def run(arguments: Sequence[str], session: Session) -> int:
    """Run one command line in a session; returns the exit code."""
    as_json = "--json" in arguments
    try:
        outcome = root.cli.main(list(arguments), "monitum", standalone_mode=False, obj=session)
        return int(outcome or 0)
    except BrokenPipe as failure:
        return failure.code
    except Failure as failure:
        return _tell(session, failure, as_json=as_json)
    except click.UsageError as error:
        path = error.ctx.command_path if error.ctx else "monitum"
        text = error.format_message().rstrip(".")
        told = Failure(f"{text} ({path} --help tells more)", Exit.USAGE)
        return _tell(session, told, as_json=as_json)
    except click.ClickException as error:
        told = Failure(error.format_message(), Exit(error.exit_code))
        return _tell(session, told, as_json=as_json)
    except (click.Abort, KeyboardInterrupt):
        session.output.note("")
        return Exit.INTERRUPTED


def _tell(session: Session, failure: Failure, *, as_json: bool) -> int:
    try:
        if as_json:
            session.output.json_note({"error": failure.told()})
        else:
            session.output.note(f"error: {failure}")
    except BrokenPipe:
        return Exit.BROKEN_PIPE
    return failure.code
