"""Users, for admins."""

from collections.abc import Iterator
from typing import Any

import click

from monitum_cli.commands.common import with_session, yes_option
from monitum_cli.errors import CliError, ExitCode
from monitum_cli.formatting import short_id, timestamp
from monitum_cli.lookup import USER, find, find_id
from monitum_cli.session import Session

_user_argument = click.argument("user", metavar="USER")


@click.group()
def users() -> None:
    """Manage users; requires an admin token."""


@users.command("ls")
@with_session
def list_users(session: Session) -> None:
    """List users."""
    found = list(session.api.paginate("/v1/users"))
    session.output.items(found, ("NAME", "ADMIN", "DISABLED", "CREATED", "ID"), _row)


def _row(user: dict[str, Any]) -> tuple[object, ...]:
    return (
        user["name"],
        "yes" if user["admin"] else None,
        "yes" if user["disabled"] else None,
        timestamp(user["created_at"]),
        short_id(user["id"]),
    )


@users.command()
@_user_argument
@with_session
def show(session: Session, user: str) -> None:
    """Show a user with individual limits."""
    found = find(session.api, USER, user)
    session.output.item(found, _fields(found))


def _fields(user: dict[str, Any]) -> Iterator[tuple[str, object]]:
    for name, value in user.items():
        if name != "limits":
            yield name, value
    for name, limit in user["limits"].items():
        yield f"limit of {name}", f"{limit}"
    if not user["limits"]:
        yield "limits", "the installation's"


@users.command()
@click.argument("name")
@click.option("--admin", is_flag=True, help="Allow the user to manage users.")
@with_session
def add(session: Session, name: str, *, admin: bool) -> None:
    """Create a user and a first token, shown only once."""
    created = session.api.create("/v1/users", {"name": name, "admin": admin})
    if not session.output.as_json:
        session.output.message(
            f"Created user {created['name']}: {created['id']}. The token, shown only once:"
        )
    session.output.result(created, created["token"])


@users.command()
@_user_argument
@yes_option
@with_session
def disable(session: Session, user: str, *, yes: bool) -> None:
    """Disable a user; their tokens stop working immediately."""
    found = find(session.api, USER, user)
    session.confirm(f"disable the user {found['name']!r}", yes=yes)
    updated = session.api.update(f"/v1/users/{found['id']}", {"disabled": True}).value
    session.output.result(updated, f"Disabled user {updated['name']}")


@users.command()
@_user_argument
@with_session
def enable(session: Session, user: str) -> None:
    """Enable a disabled user."""
    path = f"/v1/users/{find_id(session.api, USER, user)}"
    updated = session.api.update(path, {"disabled": False}).value
    session.output.result(updated, f"Enabled user {updated['name']}")


@users.command()
@_user_argument
@click.argument("values", metavar="[NAME=NUMBER]...", nargs=-1)
@with_session
def limit(session: Session, user: str, values: tuple[str, ...]) -> None:
    """Replace a user's individual limits, such as rate_per_minute=600 targets=20000.

    Limits that are not given revert to the installation's defaults.
    """
    limits = dict(map(_parse_limit, values))
    path = f"/v1/users/{find_id(session.api, USER, user)}"
    updated = session.api.update(path, {"limits": limits}).value
    listed = ", ".join(f"{name} {value}" for name, value in updated["limits"].items())
    session.output.result(updated, f"{updated['name']}: {listed or 'default limits'}")


def _parse_limit(text: str) -> tuple[str, int]:
    name, _, number = text.partition("=")
    if not name or not (number.isascii() and number.isdigit()):
        raise CliError(f"{text!r} is not a limit such as targets=20000", ExitCode.USAGE)
    return name, int(number)
