"""Maintenance windows."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import click

from monitum_cli.commands.common import delete, selection, with_session, yes_option
from monitum_cli.errors import CliError, ExitCode
from monitum_cli.formatting import duration, short_id, timestamp, yes_no
from monitum_cli.lookup import TARGET, WINDOW, find, find_id, names_by_id
from monitum_cli.session import Session

_UNITS_S = {"m": 60, "h": 3_600, "d": 86_400}
_window_argument = click.argument("window", metavar="WINDOW")


@click.group()
def maintenance() -> None:
    """Manage maintenance windows."""


@maintenance.command("ls")
@with_session
def list_windows(session: Session) -> None:
    """List maintenance windows, including those that are over."""
    found = list(session.api.paginate("/v1/maintenance"))
    columns = ("NAME", "NOW", "NEXT", "UNTIL", "MODE", "FOR", "ID")
    session.output.items(found, columns, _row)


def _row(window: dict[str, Any]) -> tuple[object, ...]:
    coming = window["next"] or {"starts_at": None, "ends_at": None}
    return (
        window["name"],
        "active" if window["active"] else None if window["next"] else "over",
        timestamp(coming["starts_at"]),
        timestamp(coming["ends_at"]),
        window["mode"],
        selection(window["tags"], len(window["target_ids"])) or "everything",
        short_id(window["id"]),
    )


@maintenance.command()
@_window_argument
@with_session
def show(session: Session, window: str) -> None:
    """Show a maintenance window."""
    found = find(session.api, WINDOW, window)
    session.output.item(found, _fields(session, found))


def _fields(session: Session, window: dict[str, Any]) -> Iterator[tuple[str, object]]:
    ids = window["target_ids"]
    names = names_by_id(session.api.paginate("/v1/targets")) if ids else {}
    coming = window["next"] or {"starts_at": None, "ends_at": None}
    yield "name", window["name"]
    yield "id", window["id"]
    yield "targets", ", ".join(names.get(one, one) for one in ids) or None
    yield "tags", ", ".join(window["tags"]) or None
    yield "mode", window["mode"]
    yield "counts in uptime", yes_no(window["counts_in_uptime"])
    yield "starts_at", timestamp(window["starts_at"])
    yield "ends_at", timestamp(window["ends_at"])
    yield "cron", window["cron"]
    yield "timezone", window["timezone"]
    yield "duration", duration(window["duration_s"])
    yield "active", yes_no(window["active"])
    yield "next", timestamp(coming["starts_at"])
    yield "until", timestamp(coming["ends_at"])


@maintenance.command()
@click.argument("name")
@click.option("--target", "targets", multiple=True, help="A target in maintenance; or use --tag.")
@click.option("--tag", "tags", multiple=True)
@click.option(
    "--from", "starts_at", metavar="TIME", help="For example 2026-11-22T22:00:00Z; default now."
)
@click.option("--to", "ends_at", metavar="TIME")
@click.option("--for", "length", metavar="DURATION", help="For example 90m, 2h or 1d.")
@click.option("--cron", help="Repeat, each time for the duration of --for: '0 3 * * 0'.")
@click.option("--timezone", help="The time zone of --cron; default UTC.")
@click.option("--skip", "mode", flag_value="skip", help="Do not run checks during maintenance.")
@click.option("--counts-in-uptime", is_flag=True)
@with_session
def add(
    session: Session,
    /,
    name: str,
    *,
    targets: tuple[str, ...],
    length: str | None,
    **options: Any,
) -> None:
    """Create a maintenance window, one-time or repeated by --cron."""
    body = {"name": name, **{field: value for field, value in options.items() if value}}
    body |= _times(options, None if length is None else _seconds(length))
    body["target_ids"] = [find_id(session.api, TARGET, target) for target in targets]
    created = session.api.create("/v1/maintenance", body)
    text = f"Created maintenance window {created['name']}: {created['id']}"
    session.output.result(created, text)


def _seconds(text: str) -> int:
    found = re.fullmatch(r"([1-9]\d{0,4})([mhd])", text, re.ASCII)
    if found is None:
        raise CliError(f"--for {text!r} is not a duration such as 90m, 2h or 1d", ExitCode.USAGE)
    return int(found[1]) * _UNITS_S[found[2]]


def _times(options: dict[str, Any], length_s: int | None) -> dict[str, Any]:
    """Return the request's times: a duration for cron, otherwise a start and an end."""
    if options["cron"]:
        return {"duration_s": length_s}
    now = datetime.now(UTC).replace(microsecond=0)
    try:
        start = datetime.fromisoformat(options["starts_at"]) if options["starts_at"] else now
    except ValueError:
        # Sent unchanged: the API responds with what is wrong.
        return {}
    times = {"starts_at": start.isoformat()}
    if length_s is not None and not options["ends_at"]:
        times["ends_at"] = (start + timedelta(seconds=length_s)).isoformat()
    return times


@maintenance.command()
@_window_argument
@yes_option
@with_session
def rm(session: Session, window: str, *, yes: bool) -> None:
    """Delete a maintenance window, ending it if it is active."""
    delete(session, WINDOW, find(session.api, WINDOW, window), yes=yes)
