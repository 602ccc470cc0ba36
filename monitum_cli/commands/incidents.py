"""Incidents: what went wrong, and who looks after it."""

from itertools import islice
from typing import Any

import click

from monitum_cli.commands.options import (
    duration,
    json_option,
    limit_option,
    moment,
    short,
    with_session,
)
from monitum_cli.finding import INCIDENT, TARGET, find, find_id
from monitum_cli.session import Session

_one = click.argument("incident", metavar="INCIDENT")


@click.group()
def incidents() -> None:
    """What went wrong."""


@incidents.command("ls")
@click.option("--open", "only_open", is_flag=True, help="Only those that have not ended.")
@click.option("--target", help="Only those of one target.")
@limit_option(50)
@json_option
@with_session
def list_incidents(
    session: Session, *, only_open: bool, target: str | None, limit: int, as_json: bool
) -> None:
    """List incidents, newest first."""
    path = "/v1/incidents"
    if target is not None:
        path = f"/v1/targets/{find_id(session.api, TARGET, target)}/incidents"
    found = list(islice(session.api.each(path, open=only_open or None), limit))
    columns = ("TARGET", "STATUS", "OPENED", "LASTED", "REASON", "ERROR", "ID")
    session.output.listed(found, columns, _row, as_json=as_json)


def _row(incident: dict[str, Any]) -> tuple[object, ...]:
    return (
        incident["target_name"],
        incident["status"],
        moment(incident["opened_at"]),
        duration(incident["duration_s"]),
        incident["reason"],
        incident["error"],
        short(incident["id"]),
    )


@incidents.command()
@_one
@json_option
@with_session
def show(session: Session, incident: str, *, as_json: bool) -> None:
    """Show an incident with its timeline."""
    identifier = find_id(session.api, INCIDENT, incident)
    story = session.api.get(f"/v1/incidents/{identifier}")
    if as_json:
        session.output.json(story)
        return
    given = story["acknowledgement"]
    session.output.pairs(
        [
            ("target", story["target_name"]),
            ("status", story["status"]),
            ("opened", moment(story["opened_at"])),
            ("closed", moment(story["closed_at"])),
            ("lasted", duration(story["duration_s"])),
            ("reason", story["reason"]),
            ("error", story["error"]),
            ("acknowledged", f"{given['by']}, {moment(given['at'])}" if given else None),
            ("id", story["id"]),
        ]
    )
    session.output.line()
    session.output.table(("AT", "WHAT", "MORE"), map(_moment, story["timeline"]))


def _moment(told: dict[str, Any]) -> tuple[object, ...]:
    more = [told[name] for name in ("error", "by", "note", "delivery_status") if told.get(name)]
    return moment(told["at"]), told["what"], ", ".join(more) or told.get("reason")


@incidents.command()
@_one
@click.option("--note", help="What to say about it.")
@json_option
@with_session
def ack(session: Session, incident: str, *, note: str | None, as_json: bool) -> None:
    """Say that somebody looks after it, which stops reminders."""
    found = find(session.api, INCIDENT, incident)
    body = {} if note is None else {"note": note}
    after = session.api.do(f"/v1/incidents/{found['id']}/acknowledge", body, again=True)
    by = after["acknowledgement"]["by"]
    told = f"{after['target_name']}: acknowledged by {by}"
    session.output.told(after, told, as_json=as_json)
