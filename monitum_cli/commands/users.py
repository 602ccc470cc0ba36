"""Users, for admins."""

from typing import Any

import click

from monitum_cli.commands.options import json_option, moment, short, with_session, yes_option
from monitum_cli.errors import Exit, Failure
from monitum_cli.finding import USER, find
from monitum_cli.session import Session

_one = click.argument("user", metavar="USER")


@click.group()
def users() -> None:
    """Users, for admins."""


@users.command("ls")
@json_option
@with_session
def list_users(session: Session, *, as_json: bool) -> None:
    """List users."""
    found = list(session.api.each("/v1/users"))
    columns = ("NAME", "ADMIN", "DISABLED", "CREATED", "ID")
    session.output.listed(found, columns, _row, as_json=as_json)


def _row(user: dict[str, Any]) -> tuple[object, ...]:
    return (
        user["name"],
        "yes" if user["admin"] else None,
        "yes" if user["disabled"] else None,
        moment(user["created_at"]),
        short(user["id"]),
    )


@users.command()
@_one
@json_option
@with_session
def show(session: Session, user: str, *, as_json: bool) -> None:
    """Show a user with the limits of the user's own."""
    found = find(session.api, USER, user)
    if as_json:
        session.output.json(found)
        return
    own = found.pop("limits")
    limits = [(f"limit of {name}", f"{most}") for name, most in own.items()]
    session.output.pairs([*found.items(), *(limits or [("limits", "the installation's")])])


@users.command()
@click.argument("name")
@click.option("--admin", is_flag=True, help="May make and disable users.")
@json_option
@with_session
def add(session: Session, name: str, *, admin: bool, as_json: bool) -> None:
    """Make a user with a first token, which is printed this once."""
    made = session.api.create("/v1/users", {"name": name, "admin": admin})
    if as_json:
        session.output.json(made)
        return
    session.output.note(f"{made['name']} is made: {made['id']}; the token is shown only now:")
    session.output.line(made["token"])


@users.command()
@_one
@yes_option
@json_option
@with_session
def disable(session: Session, user: str, *, yes: bool, as_json: bool) -> None:
    """Disable a user: all tokens stop working at once."""
    _switch(session, user, disabled=True, yes=yes, as_json=as_json)


@users.command()
@_one
@json_option
@with_session
def enable(session: Session, user: str, *, as_json: bool) -> None:
    """Enable a user again."""
    _switch(session, user, disabled=False, yes=True, as_json=as_json)


def _switch(session: Session, user: str, *, disabled: bool, yes: bool, as_json: bool) -> None:
    found = find(session.api, USER, user)
    session.confirm(f"disable the user {found['name']!r}", yes=yes)
    after = session.api.change(f"/v1/users/{found['id']}", {"disabled": disabled}).value
    told = f"{after['name']} is {'disabled' if disabled else 'enabled'}"
    session.output.told(after, told, as_json=as_json)


@users.command()
@_one
@click.argument("given", metavar="[NAME=NUMBER]...", nargs=-1)
@json_option
@with_session
def limit(session: Session, user: str, given: tuple[str, ...], *, as_json: bool) -> None:
    """Set limits of a user's own, all at once, such as rate_per_minute=600 targets=20000.

    Those that are not given are the installation's.
    """
    limits = dict(map(_limit, given))
    found = find(session.api, USER, user)
    after = session.api.change(f"/v1/users/{found['id']}", {"limits": limits}).value
    own = ", ".join(f"{name} {most}" for name, most in after["limits"].items())
    session.output.told(
        after, f"{after['name']}: {own or 'limits of the installation'}", as_json=as_json
    )


def _limit(text: str) -> tuple[str, int]:
    name, _, number = text.partition("=")
    if not name or not (number.isascii() and number.isdigit()):
        raise Failure(f"{text!r} is no limit such as targets=20000", Exit.USAGE)
    return name, int(number)
