"""Import the configuration of other monitors."""

from collections.abc import Callable
from typing import Any

import click

from monitum_cli.commands.common import Command, with_session
from monitum_cli.errors import ExitCode
from monitum_cli.formatting import plural
from monitum_cli.importers import gatus, kuma, uptimerobot
from monitum_cli.importers.common import ImportResult
from monitum_cli.manifest.export import to_yaml
from monitum_cli.manifest.variables import escape
from monitum_cli.manifest.yaml_reader import Source, read_file
from monitum_cli.session import Session


def _import_options(command: Command) -> Any:
    """Pass the session, and add the argument and options of all imports."""
    command = with_session(command)
    command = click.option("--strict", is_flag=True, help="Exit with 10 if anything is skipped.")(
        command
    )
    return click.argument("file", metavar="FILE")(command)


@click.group("import")
def import_() -> None:
    """Convert another monitor's configuration to a file for `apply`.

    What is not imported is printed to standard error.
    """


@import_.command("uptime-kuma")
@_import_options
def import_kuma(session: Session, file: str, *, strict: bool) -> int:
    """Import from Uptime Kuma: a JSON backup, or a list of monitors from its API."""
    return _import(session, file, kuma.read, strict=strict)


@import_.command("gatus")
@_import_options
def import_gatus(session: Session, file: str, *, strict: bool) -> int:
    """Import from Gatus: its configuration file. Environment variables are kept."""
    return _import(session, file, gatus.read, strict=strict, keep_variables=True)


@import_.command("uptimerobot")
@_import_options
def import_uptimerobot(session: Session, file: str, *, strict: bool) -> int:
    """Import from UptimeRobot: the JSON response of getMonitors of its API v2."""
    return _import(session, file, uptimerobot.read, strict=strict)


def _import(
    session: Session,
    file: str,
    read: Callable[[Source, bytes], ImportResult],
    *,
    strict: bool,
    keep_variables: bool = False,
) -> int:
    result = read(*read_file(file, session.input))
    resources = result.resources() if keep_variables else escape(result.resources())
    if session.output.as_json:
        session.output.json({**resources, "notes": result.notes})
    else:
        session.output.raw(to_yaml(resources))
    for note in result.notes:
        session.output.message(note)
    if result.secrets:
        session.output.message(
            f"note: the output contains {plural(result.secrets, 'secret')} in plain text:"
            " keep it private, or replace them with ${VARIABLE}"
        )
    session.output.message(result.summary())
    return ExitCode.NEGATIVE if strict and result.skipped else ExitCode.OK
