"""Notification channels."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

import click

from monitum_cli.commands.common import (
    Command,
    delete,
    given,
    limit_option,
    with_session,
    yes_option,
)
from monitum_cli.errors import CliError, ExitCode
from monitum_cli.formatting import short_id, timestamp
from monitum_cli.lookup import CHANNEL, find, find_id
from monitum_cli.session import Session

_EVENTS = ("down", "recovered", "degraded", "up", "tls_expiring", "reminder", "stale")
_channel_argument = click.argument("channel", metavar="CHANNEL")


def _alert_options(command: Command) -> Command:
    """Add the options that select the alerts of a channel."""
    for option in (
        click.option("--tag", "tags", multiple=True, help="Only targets with one of these tags."),
        click.option(
            "--repeat", "repeat_s", type=int, metavar="SECONDS", help="Time between reminders."
        ),
        click.option(
            "--delay", "delay_s", type=int, metavar="SECONDS", help="Time to wait before alerting."
        ),
        click.option("--event", "events", multiple=True, type=click.Choice(_EVENTS)),
    ):
        command = option(command)
    return command


@click.group()
def channels() -> None:
    """Manage notification channels."""


@channels.command("ls")
@with_session
def list_channels(session: Session) -> None:
    """List channels."""
    found = list(session.api.paginate("/v1/channels"))
    columns = ("NAME", "KIND", "ADDRESS", "STATUS", "TAGS", "ID")
    session.output.items(found, columns, _row)


def _row(channel: dict[str, Any]) -> tuple[object, ...]:
    return (
        channel["name"],
        channel["kind"],
        channel["url"] or channel["address"],
        _status(channel),
        ", ".join(channel["tags"]) or None,
        short_id(channel["id"]),
    )


def _status(channel: dict[str, Any]) -> str:
    if channel.get("disabled"):
        return "disabled"
    return "not confirmed" if channel["confirmed"] is False else "enabled"


@channels.command()
@_channel_argument
@with_session
def show(session: Session, channel: str) -> None:
    """Show a channel."""
    found = find(session.api, CHANNEL, channel)
    session.output.item(found, _fields(found))


def _fields(channel: dict[str, Any]) -> Iterator[tuple[str, object]]:
    for name, value in channel.items():
        if name == "disabled" and value:
            yield name, f"{timestamp(value['at'])}: {value['reason']}"
        else:
            yield name, (", ".join(value) or None) if name in {"events", "tags"} else value


@channels.command()
@click.argument("name")
@click.option("--webhook", metavar="URL", help="Send signed webhooks to a URL.")
@click.option("--email", metavar="ADDRESS", help="Send emails to an address once it is confirmed.")
@click.option(
    "--apprise",
    is_flag=True,
    help="Send to a chat service. Its apprise URL, a secret, is prompted for or read from stdin.",
)
@_alert_options
@with_session
def add(
    session: Session,
    /,
    name: str,
    *,
    webhook: str | None,
    email: str | None,
    apprise: bool,
    **options: Any,
) -> None:
    """Create a channel. The signing secret of a webhook is shown only once."""
    if sum((webhook is not None, email is not None, apprise)) != 1:
        raise CliError("give exactly one of --webhook, --email and --apprise", ExitCode.USAGE)
    body: dict[str, Any] = {"name": name, **given(options)}
    if webhook is not None:
        body |= {"kind": "webhook", "url": webhook}
    elif email is not None:
        body |= {"kind": "email", "address": email}
    else:
        body |= {"kind": "apprise", "url": session.read_secret("URL of the service: ")}
    created = session.api.create("/v1/channels", body)
    lines = [f"Created channel {created['name']}: {created['id']}"]
    if created.get("secret"):
        lines.append(_secret(created))
    if created["confirmed"] is False:
        lines.append(f"Alerts start once the link sent to {created['address']} is opened")
    if session.output.as_json:
        session.output.json(created)
        return
    for line in lines:
        session.output.line(line)


def _secret(channel: dict[str, Any]) -> str:
    return f"Signing secret (shown only once): {channel['secret']}"


@channels.command()
@_channel_argument
@click.option("--name", help="New name.")
@_alert_options
@with_session
def change(session: Session, /, channel: str, **options: Any) -> None:
    """Change a channel's name or alerts. To change its destination, use `apply`."""
    body = given(options)
    if not body:
        expected = "--name, --event, --delay, --repeat or --tag"
        raise CliError(f"nothing to change: give {expected}", ExitCode.USAGE)
    path = f"/v1/channels/{find_id(session.api, CHANNEL, channel)}"
    updated = session.api.update(path, body).value
    session.output.result(updated, f"Updated channel {updated['name']}")


@channels.command()
@_channel_argument
@yes_option
@with_session
def rm(session: Session, channel: str, *, yes: bool) -> None:
    """Delete a channel."""
    delete(session, CHANNEL, find(session.api, CHANNEL, channel), yes=yes)


@channels.command()
@_channel_argument
@with_session
def test(session: Session, channel: str) -> None:
    """Send a test alert, at most once a minute. See `deliveries` for its status."""
    identifier = find_id(session.api, CHANNEL, channel)
    delivery = session.api.post(f"/v1/channels/{identifier}/test")
    command = f"monitum channels deliveries {short_id(identifier)}"
    session.output.result(delivery, f"Test alert queued. Check its status: {command}")


@channels.command()
@_channel_argument
@limit_option(20)
@with_session
def deliveries(session: Session, channel: str, *, limit: int) -> None:
    """List the alerts sent to a channel, newest first."""
    path = f"/v1/channels/{find_id(session.api, CHANNEL, channel)}/deliveries"
    found = list(islice(session.api.paginate(path, limit=min(limit, 200)), limit))
    columns = ("AT", "EVENT", "STATUS", "TARGETS", "ATTEMPTS", "LAST ANSWER")
    session.output.items(found, columns, _delivery_row)


def _delivery_row(delivery: dict[str, Any]) -> tuple[object, ...]:
    attempts = delivery["attempts"]
    return (
        timestamp(delivery["created_at"]),
        delivery["event"],
        delivery["status"],
        delivery["targets"],
        len(attempts),
        (attempts[-1]["reason"] or attempts[-1]["status_code"]) if attempts else None,
    )


@channels.command()
@_channel_argument
@with_session
def confirm(session: Session, channel: str) -> None:
    """Send the confirmation email of an email channel again."""
    identifier = find_id(session.api, CHANNEL, channel)
    updated = session.api.post(f"/v1/channels/{identifier}/confirmation")
    session.output.result(updated, f"Confirmation link sent to {updated['address']}")


@channels.command()
@_channel_argument
@with_session
def enable(session: Session, channel: str) -> None:
    """Enable a channel that was disabled because its receiver was gone."""
    identifier = find_id(session.api, CHANNEL, channel)
    updated = session.api.post(f"/v1/channels/{identifier}/enable")
    session.output.result(updated, f"Enabled channel {updated['name']}")


@channels.command("rotate-secret")
@_channel_argument
@yes_option
@with_session
def rotate_secret(session: Session, channel: str, *, yes: bool) -> None:
    """Create a new signing secret, shown only once. The old one stays valid for a day."""
    found = find(session.api, CHANNEL, channel)
    session.confirm(f"create a new signing secret for {found['name']!r}", yes=yes)
    updated = session.api.post(f"/v1/channels/{found['id']}/rotate-secret")
    session.output.result(updated, _secret(updated))
