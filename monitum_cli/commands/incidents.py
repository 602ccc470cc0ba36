"""Incidents."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

import click

from monitum_cli.commands.common import limit_option, with_session
from monitum_cli.formatting import duration, short_id, timestamp
from monitum_cli.lookup import INCIDENT, TARGET, find_id
from monitum_cli.session import Session

_incident_argument = click.argument("incident", metavar="INCIDENT")


@click.group()
def incidents() -> None:
    """List, show and acknowledge incidents."""


@incidents.command("ls")
@click.option("--open", "only_open", is_flag=True, help="Short for --status open.")
@click.option("--status", type=click.Choice(["open", "closed"]), help="Only these incidents.")
@click.option("--target", help="Only incidents of one target.")
@click.option("--tag", help="Only incidents of targets with this tag.")
@limit_option(50)
@with_session
def list_incidents(
    session: Session,
    *,
    only_open: bool,
    status: str | None,
    target: str | None,
    tag: str | None,
    limit: int,
) -> None:
    """List incidents, newest first."""
    filters: dict[str, object] = {"status": "open" if only_open else status, "tag": tag}
    if target is not None:
        filters["target_id"] = find_id(session.api, TARGET, target)
    found = list(islice(session.api.paginate("/v1/incidents", **filters), limit))
    columns = ("TARGET", "STATUS", "OPENED", "LASTED", "REASON", "ERROR", "ID")
    session.output.items(found, columns, _row)


def _row(incident: dict[str, Any]) -> tuple[object, ...]:
    return (
        incident["target_name"],
        incident["status"],
        timestamp(incident["opened_at"]),
        duration(incident["duration_s"]),
        incident["reason"],
        incident["error"],
        short_id(incident["id"]),
    )


@incidents.command()
@_incident_argument
@with_session
def show(session: Session, incident: str) -> None:
    """Show an incident with its timeline."""
    found = session.api.get(f"/v1/incidents/{find_id(session.api, INCIDENT, incident)}")
    session.output.item(found, _fields(found))
    if not session.output.as_json:
        session.output.line()
        session.output.table(("AT", "WHAT", "MORE"), map(_timeline_row, found["timeline"]))


def _fields(incident: dict[str, Any]) -> Iterator[tuple[str, object]]:
    yield "target", incident["target_name"]
    yield "status", incident["status"]
    yield "first failed", timestamp(incident["first_failed_at"])
    yield "opened", timestamp(incident["opened_at"])
    yield "closed", timestamp(incident["closed_at"])
    yield "lasted", duration(incident["duration_s"])
    yield "reason", incident["reason"]
    yield "error", incident["error"]
    ack = incident["acknowledgement"]
    yield "acknowledged", f"{ack['by']}, {timestamp(ack['at'])}" if ack else None
    yield "id", incident["id"]


def _timeline_row(entry: dict[str, Any]) -> tuple[object, ...]:
    names = ("error", "by", "note", "delivery_status")
    details = ", ".join(entry[name] for name in names if entry.get(name))
    return timestamp(entry["at"]), entry["what"], details or entry.get("reason")


@incidents.command()
@_incident_argument
@click.option("--note", help="A note for the timeline.")
@with_session
def ack(session: Session, incident: str, *, note: str | None) -> None:
    """Acknowledge an incident, which stops its reminders."""
    path = f"/v1/incidents/{find_id(session.api, INCIDENT, incident)}/acknowledge"
    updated = session.api.post(path, {} if note is None else {"note": note}, retry=True)
    by = updated["acknowledgement"]["by"]
    session.output.result(updated, f"{updated['target_name']}: acknowledged by {by}")
