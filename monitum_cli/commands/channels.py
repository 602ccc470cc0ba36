"""Channels: where alerts go."""

from collections.abc import Callable
from itertools import islice
from typing import Any, TypeVar

import click

from monitum_cli.commands.options import (
    json_option,
    limit_option,
    moment,
    short,
    with_session,
    yes_option,
)
from monitum_cli.commands.removing import remove
from monitum_cli.errors import Exit, Failure
from monitum_cli.finding import CHANNEL, find, find_id
from monitum_cli.session import Session

_EVENTS = ("down", "recovered", "degraded", "up", "tls_expiring", "reminder")
_one = click.argument("channel", metavar="CHANNEL")
_Command = TypeVar("_Command", bound=Callable[..., Any])


def _told(command: _Command) -> _Command:
    """Of what a channel tells, when, and for which targets."""
    for option in (
        click.option("--tag", "tags", multiple=True, help="Only for targets that share a tag."),
        click.option("--repeat", "repeat_s", type=int, metavar="SECONDS"),
        click.option("--delay", "delay_s", type=int, metavar="SECONDS"),
        click.option("--event", "events", multiple=True, type=click.Choice(_EVENTS)),
    ):
        command = option(command)
    return command


@click.group()
def channels() -> None:
    """Where alerts go."""


@channels.command("ls")
@json_option
@with_session
def list_channels(session: Session, *, as_json: bool) -> None:
    """List channels."""
    found = list(session.api.each("/v1/channels"))
    columns = ("NAME", "KIND", "ADDRESS", "CONFIRMED", "TAGS", "ID")
    session.output.listed(found, columns, _row, as_json=as_json)


def _row(channel: dict[str, Any]) -> tuple[object, ...]:
    return (
        channel["name"],
        channel["kind"],
        channel["url"] or channel["address"],
        {True: "yes", False: "not yet"}.get(channel["confirmed"]),
        ", ".join(channel["tags"]) or None,
        short(channel["id"]),
    )


@channels.command()
@_one
@json_option
@with_session
def show(session: Session, channel: str, *, as_json: bool) -> None:
    """Show a channel."""
    found = find(session.api, CHANNEL, channel)
    if as_json:
        session.output.json(found)
        return
    lists = {name: ", ".join(found[name]) or None for name in ("events", "tags")}
    session.output.pairs({**found, **lists}.items())


@channels.command()
@click.argument("name")
@click.option("--webhook", metavar="URL", help="Post signed alerts to a URL.")
@click.option("--email", metavar="ADDRESS", help="Mail to an address, once it is confirmed.")
@click.option(
    "--apprise",
    is_flag=True,
    help="A chat service: its URL, which is a secret, is asked for or read from standard input.",
)
@_told
@json_option
@with_session
def add(
    session: Session,
    /,
    name: str,
    *,
    webhook: str | None,
    email: str | None,
    apprise: bool,
    as_json: bool,
    **given: Any,
) -> None:
    """Have alerts sent somewhere. A webhook's signing secret is printed this once."""
    if sum((webhook is not None, email is not None, apprise)) != 1:
        raise Failure("give one of --webhook, --email and --apprise", Exit.USAGE)
    body: dict[str, Any] = {"name": name, **_given(given)}
    if webhook is not None:
        body |= {"kind": "webhook", "url": webhook}
    elif email is not None:
        body |= {"kind": "email", "address": email}
    else:
        body |= {"kind": "apprise", "url": session.read_secret("URL of the service: ")}
    made = session.api.create("/v1/channels", body)
    if as_json:
        session.output.json(made)
        return
    session.output.line(f"{made['name']} is made: {made['id']}")
    _tell_secret(session, made)
    if made["confirmed"] is False:
        session.output.line("alerts come once the link that was mailed there is confirmed")


def _given(options: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in options.items() if value not in (None, ())}


def _tell_secret(session: Session, channel: dict[str, Any]) -> None:
    if channel.get("secret"):
        session.output.line(f"signing secret, shown only now: {channel['secret']}")


@channels.command()
@_one
@click.option("--name", help="Another name.")
@_told
@json_option
@with_session
def change(session: Session, /, channel: str, *, as_json: bool, **given: Any) -> None:
    """Change what a channel tells, as `add` takes it; where it leads to is `apply`'s."""
    body = _given(given)
    if not body:
        raise Failure("say what to change: --name, --event, --delay, --repeat, --tag", Exit.USAGE)
    found = find(session.api, CHANNEL, channel)
    after = session.api.change(f"/v1/channels/{found['id']}", body).value
    session.output.told(after, f"{after['name']} is changed", as_json=as_json)


@channels.command()
@_one
@yes_option
@json_option
@with_session
def rm(session: Session, channel: str, *, yes: bool, as_json: bool) -> None:
    """Delete a channel."""
    remove(session, CHANNEL, find(session.api, CHANNEL, channel), yes=yes, as_json=as_json)


@channels.command()
@_one
@json_option
@with_session
def test(session: Session, channel: str, *, as_json: bool) -> None:
    """Have a test alert delivered, at most one a minute; see `deliveries`."""
    found = find(session.api, CHANNEL, channel)
    delivery = session.api.do(f"/v1/channels/{found['id']}/test")
    told = f"a test is on its way: monitum channels deliveries {short(found['id'])}"
    session.output.told(delivery, told, as_json=as_json)


@channels.command()
@_one
@limit_option(20)
@json_option
@with_session
def deliveries(session: Session, channel: str, *, limit: int, as_json: bool) -> None:
    """List the alerts of a channel with what became of them, newest first."""
    path = f"/v1/channels/{find_id(session.api, CHANNEL, channel)}/deliveries"
    found = list(islice(session.api.each(path, limit=min(limit, 200)), limit))
    columns = ("AT", "EVENT", "STATUS", "TARGETS", "ATTEMPTS", "LAST ANSWER")
    session.output.listed(found, columns, _sent, as_json=as_json)


def _sent(delivery: dict[str, Any]) -> tuple[object, ...]:
    attempts = delivery["attempts"]
    return (
        moment(delivery["created_at"]),
        delivery["event"],
        delivery["status"],
        delivery["targets"],
        len(attempts),
        (attempts[-1]["reason"] or attempts[-1]["status_code"]) if attempts else None,
    )


@channels.command()
@_one
@json_option
@with_session
def confirm(session: Session, channel: str, *, as_json: bool) -> None:
    """Mail the link that confirms an address once more."""
    identifier = find_id(session.api, CHANNEL, channel)
    after = session.api.do(f"/v1/channels/{identifier}/confirmation")
    session.output.told(after, f"the link was mailed to {after['address']}", as_json=as_json)


@channels.command("rotate-secret")
@_one
@yes_option
@json_option
@with_session
def rotate_secret(session: Session, channel: str, *, yes: bool, as_json: bool) -> None:
    """Make a new signing secret, printed this once; the old one signs too for a day."""
    found = find(session.api, CHANNEL, channel)
    session.confirm(f"make a new signing secret for {found['name']!r}", yes=yes)
    after = session.api.do(f"/v1/channels/{found['id']}/rotate-secret")
    if as_json:
        session.output.json(after)
    else:
        _tell_secret(session, after)
