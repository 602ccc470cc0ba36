"""From other monitors."""

from collections.abc import Callable
from typing import Any

import click

from monitum_cli.commands.options import json_option, with_session
from monitum_cli.errors import Exit
from monitum_cli.importers import gatus, kuma, uptimerobot
from monitum_cli.importers.common import Imported
from monitum_cli.manifest.load import read_file
from monitum_cli.manifest.variables import escaped
from monitum_cli.manifest.write import as_yaml
from monitum_cli.session import Session

_file = click.argument("file", metavar="FILE")
_strict = click.option("--strict", is_flag=True, help="Exit with 10 where anything is left out.")


@click.group("import")
def import_file() -> None:
    """From other monitors: print a file that `apply` takes, and tell what could not be taken."""


@import_file.command("uptime-kuma")
@_file
@_strict
@json_option
@with_session
def from_kuma(session: Session, file: str, *, strict: bool, as_json: bool) -> int:
    """Uptime Kuma: its JSON backup, or a list of monitors from its API."""
    return _run(session, file, kuma.read, escaped, strict=strict, as_json=as_json)


@import_file.command("gatus")
@_file
@_strict
@json_option
@with_session
def from_gatus(session: Session, file: str, *, strict: bool, as_json: bool) -> int:
    """Gatus: its configuration file. Its environment variables stay such."""
    return _run(session, file, gatus.read, lambda as_is: as_is, strict=strict, as_json=as_json)


@import_file.command("uptimerobot")
@_file
@_strict
@json_option
@with_session
def from_uptimerobot(session: Session, file: str, *, strict: bool, as_json: bool) -> int:
    """UptimeRobot: what getMonitors of its API v2 answers, as JSON."""
    return _run(session, file, uptimerobot.read, escaped, strict=strict, as_json=as_json)


def _run(
    session: Session,
    file: str,
    read: Callable[[str, bytes], Imported],
    escape: Callable[[Any], Any],
    *,
    strict: bool,
    as_json: bool,
) -> int:
    source, raw = read_file(file, session.input)
    imported = read(source.name, raw)
    things = escape(imported.things())
    if as_json:
        session.output.json({**things, "notes": imported.notes})
    else:
        session.output.raw(as_yaml(things))
    for note in imported.notes:
        session.output.note(note)
    if imported.secrets:
        session.output.note(
            f"{imported.secrets} secrets are in this file as they were in the other:"
            " keep it to yourself, or put ${VARIABLE} in their place"
        )
    session.output.note(
        f"{len(imported.targets)} targets and {len(imported.channels)} channels taken over,"
        f" {imported.left_out} left out"
    )
    return Exit.NO if strict and imported.left_out else Exit.OK
