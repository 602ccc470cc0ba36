"""Users, for admins."""

import click

from monitum_cli.commands.options import json_option, moment, short, with_session, yes_option
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
    if as_json:
        session.output.json({"items": found, "next_cursor": None})
        return
    session.output.table(
        ("NAME", "ADMIN", "DISABLED", "CREATED", "ID"),
        (
            (
                one["name"],
                "yes" if one["admin"] else None,
                "yes" if one["disabled"] else None,
                moment(one["created_at"]),
                short(one["id"]),
            )
            for one in found
        ),
    )


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
    if as_json:
        session.output.json(after)
    else:
        session.output.line(f"{after['name']} is {'disabled' if disabled else 'enabled'}")
