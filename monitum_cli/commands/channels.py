"""Channels: where alerts go."""

from itertools import islice
from typing import Any

import click

from monitum_cli.commands.options import (
    json_option,
    limit_option,
    moment,
    short,
    with_session,
    yes_option,
)
from monitum_cli.errors import Exit, Failure
from monitum_cli.finding import CHANNEL, find, find_id
from monitum_cli.session import Session

_EVENTS = ("down", "recovered", "degraded", "up", "tls_expiring", "reminder")
_one = click.argument("channel", metavar="CHANNEL")


@click.group()
def channels() -> None:
    """Where alerts go."""


@channels.command("ls")
@json_option
@with_session
def list_channels(session: Session, *, as_json: bool) -> None:
    """List channels."""
    found = list(session.api.each("/v1/channels"))
    if as_json:
        session.output.json({"items": found, "next_cursor": None})
        return
    session.output.table(
        ("NAME", "KIND", "ADDRESS", "CONFIRMED", "TAGS", "ID"),
        (
            (
                one["name"],
                one["kind"],
                one["url"] or one["address"],
                {True: "yes", False: "not yet"}.get(one["confirmed"]),
                ", ".join(one["tags"]) or None,
                short(one["id"]),
            )
            for one in found
        ),
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
@click.option("--event", "events", multiple=True, type=click.Choice(_EVENTS))
@click.option("--delay", "delay_s", type=int, metavar="SECONDS")
@click.option("--repeat", "repeat_s", type=int, metavar="SECONDS")
@click.option("--tag", "tags", multiple=True, help="Only for targets that share a tag.")
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
    body: dict[str, Any] = {"name": name}
    body |= {key: value for key, value in given.items() if value not in (None, ())}
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


def _tell_secret(session: Session, channel: dict[str, Any]) -> None:
    if channel.get("secret"):
        session.output.line(f"signing secret, shown only now: {channel['secret']}")


@channels.command()
@_one
@yes_option
@with_session
def rm(session: Session, channel: str, *, yes: bool) -> None:
    """Delete a channel."""
    found = find(session.api, CHANNEL, channel)
    session.confirm(f"delete the channel {found['name']!r}", yes=yes)
    session.api.remove(f"/v1/channels/{found['id']}")
    session.output.line(f"{found['name']} is deleted")


@channels.command()
@_one
@json_option
@with_session
def test(session: Session, channel: str, *, as_json: bool) -> None:
    """Have a test alert delivered, at most one a minute; see `deliveries`."""
    found = find(session.api, CHANNEL, channel)
    delivery = session.api.do(f"/v1/channels/{found['id']}/test")
    if as_json:
        session.output.json(delivery)
    else:
        session.output.line(
            f"a test is on its way: monitum channels deliveries {short(found['id'])}"
        )


@channels.command()
@_one
@limit_option(20)
@json_option
@with_session
def deliveries(session: Session, channel: str, *, limit: int, as_json: bool) -> None:
    """List the alerts of a channel with what became of them, newest first."""
    path = f"/v1/channels/{find_id(session.api, CHANNEL, channel)}/deliveries"
    found = list(islice(session.api.each(path, limit=min(limit, 200)), limit))
    if as_json:
        session.output.json({"items": found, "next_cursor": None})
        return
    session.output.table(
        ("AT", "EVENT", "STATUS", "TARGETS", "ATTEMPTS", "LAST ANSWER"),
        (
            (
                moment(one["created_at"]),
                one["event"],
                one["status"],
                one["targets"],
                len(one["attempts"]),
                _answer(one["attempts"]),
            )
            for one in found
        ),
    )


def _answer(attempts: list[dict[str, Any]]) -> object:
    return (attempts[-1]["reason"] or attempts[-1]["status_code"]) if attempts else None


@channels.command()
@_one
@json_option
@with_session
def confirm(session: Session, channel: str, *, as_json: bool) -> None:
    """Mail the link that confirms an address once more."""
    identifier = find_id(session.api, CHANNEL, channel)
    after = session.api.do(f"/v1/channels/{identifier}/confirmation")
    if as_json:
        session.output.json(after)
    else:
        session.output.line(f"the link was mailed to {after['address']}")


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
