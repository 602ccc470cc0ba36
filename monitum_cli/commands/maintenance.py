"""Maintenance windows: when what fails is expected to."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import click

from monitum_cli.commands.options import (
    duration,
    json_option,
    moment,
    short,
    with_session,
    yes_option,
)
from monitum_cli.commands.removing import remove
from monitum_cli.errors import Exit, Failure
from monitum_cli.finding import TARGET, WINDOW, find, find_id, names_by_id
from monitum_cli.session import Session

_UNITS_S = {"m": 60, "h": 3_600, "d": 86_400}
_one = click.argument("window", metavar="WINDOW")


@click.group()
def maintenance() -> None:
    """When what fails is expected to."""


@maintenance.command("ls")
@json_option
@with_session
def list_windows(session: Session, *, as_json: bool) -> None:
    """List maintenance windows, also those that are over."""
    found = list(session.api.each("/v1/maintenance"))
    columns = ("NAME", "NOW", "NEXT", "UNTIL", "MODE", "FOR", "ID")
    session.output.listed(found, columns, _row, as_json=as_json)


def _row(window: dict[str, Any]) -> tuple[object, ...]:
    coming = window["next"] or {"starts_at": None, "ends_at": None}
    count = len(window["target_ids"])
    what = [*window["tags"], *([f"{count} targets"] if count else [])]
    return (
        window["name"],
        "active" if window["active"] else None if window["next"] else "over",
        moment(coming["starts_at"]),
        moment(coming["ends_at"]),
        window["mode"],
        ", ".join(what) or "everything",
        short(window["id"]),
    )


@maintenance.command()
@_one
@json_option
@with_session
def show(session: Session, window: str, *, as_json: bool) -> None:
    """Show a maintenance window."""
    found = find(session.api, WINDOW, window)
    if as_json:
        session.output.json(found)
        return
    names = names_by_id(session.api.each("/v1/targets")) if found["target_ids"] else {}
    coming = found["next"]
    session.output.pairs(
        [
            ("name", found["name"]),
            ("id", found["id"]),
            ("targets", ", ".join(names.get(one, one) for one in found["target_ids"]) or None),
            ("tags", ", ".join(found["tags"]) or None),
            ("mode", found["mode"]),
            ("counts in uptime", "yes" if found["counts_in_uptime"] else "no"),
            *((name, moment(found[name])) for name in ("starts_at", "ends_at")),
            ("cron", found["cron"]),
            ("timezone", found["timezone"]),
            ("duration", duration(found["duration_s"])),
            ("active", "yes" if found["active"] else "no"),
            ("next", moment(coming["starts_at"]) if coming else None),
            ("until", moment(coming["ends_at"]) if coming else None),
        ]
    )


@maintenance.command()
@click.argument("name")
@click.option("--target", "targets", multiple=True, help="What it is for; or --tag.")
@click.option("--tag", "tags", multiple=True)
@click.option("--from", "starts_at", metavar="TIME", help="Such as 2026-11-22T22:00:00Z; else now.")
@click.option("--to", "ends_at", metavar="TIME")
@click.option("--for", "length", metavar="TIME", help="How long: 90m, 2h or 1d.")
@click.option("--cron", help="Again and again, each time for --for: '0 3 * * 0'.")
@click.option("--timezone", help="Of --cron; UTC where nothing is said.")
@click.option("--skip", "mode", flag_value="skip", help="Do not check meanwhile either.")
@click.option("--counts-in-uptime", is_flag=True)
@json_option
@with_session
def add(
    session: Session,
    /,
    name: str,
    *,
    targets: tuple[str, ...],
    length: str | None,
    as_json: bool,
    **given: Any,
) -> None:
    """Expect failures for a while: once, or by --cron."""
    body = {"name": name, **{key: value for key, value in given.items() if value}}
    body |= _times(given, None if length is None else _seconds(length))
    body["target_ids"] = [find_id(session.api, TARGET, target) for target in targets]
    made = session.api.create("/v1/maintenance", body)
    session.output.told(made, f"{made['name']} is planned: {made['id']}", as_json=as_json)


def _seconds(text: str) -> int:
    found = re.fullmatch(r"([1-9]\d{0,4})([mhd])", text, re.ASCII)
    if found is None:
        raise Failure(f"{text!r} is no length such as 90m, 2h or 1d", Exit.USAGE)
    return int(found[1]) * _UNITS_S[found[2]]


def _times(given: dict[str, Any], length_s: int | None) -> dict[str, Any]:
    """When: the API takes a beginning and an end, or a rule and a length."""
    if given["cron"]:
        return {"duration_s": length_s}
    try:
        start = datetime.fromisoformat(given["starts_at"]) if given["starts_at"] else _now()
    except ValueError:
        # The API says what is wrong with it.
        return {}
    times = {"starts_at": start.isoformat()}
    if length_s is not None and not given["ends_at"]:
        times["ends_at"] = (start + timedelta(seconds=length_s)).isoformat()
    return times


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


@maintenance.command()
@_one
@yes_option
@json_option
@with_session
def rm(session: Session, window: str, *, yes: bool, as_json: bool) -> None:
    """Delete a maintenance window: it ends now."""
    remove(session, WINDOW, find(session.api, WINDOW, window), yes=yes, as_json=as_json)
