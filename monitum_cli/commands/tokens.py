"""Tokens: what one calls with."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import click

from monitum_cli.commands.options import json_option, moment, short, with_session, yes_option
from monitum_cli.commands.removing import remove
from monitum_cli.errors import Exit, Failure
from monitum_cli.finding import TOKEN, find
from monitum_cli.session import Session


@click.group()
def tokens() -> None:
    """What one calls with."""


@tokens.command("ls")
@json_option
@with_session
def list_tokens(session: Session, *, as_json: bool) -> None:
    """List one's tokens, never the tokens themselves."""
    found = list(session.api.each("/v1/tokens"))
    columns = ("NAME", "SCOPES", "HINT", "CREATED", "EXPIRES", "LAST USED", "ID")
    session.output.listed(found, columns, _row, as_json=as_json)


def _row(token: dict[str, Any]) -> tuple[object, ...]:
    return (
        token["name"],
        ", ".join(token["scopes"]),
        token["hint"],
        moment(token["created_at"]),
        moment(token["expires_at"]),
        moment(token.get("last_used_at")),
        short(token["id"]),
    )


@tokens.command()
@click.argument("name")
@click.option("--scope", "scopes", multiple=True, type=click.Choice(("read", "write", "admin")))
@click.option("--expires", metavar="TIME|DAYSd", help="Such as 2027-01-01T00:00:00Z, or 90d.")
@json_option
@with_session
def add(
    session: Session, name: str, *, scopes: tuple[str, ...], expires: str | None, as_json: bool
) -> None:
    """Make a token; it is printed this once. Its scopes are read and write if none are given."""
    body: dict[str, object] = {"name": name}
    if scopes:
        body["scopes"] = list(scopes)
    if expires is not None:
        body["expires_at"] = _time(expires)
    made = session.api.create("/v1/tokens", body)
    if as_json:
        session.output.json(made)
        return
    session.output.note(f"{made['name']}, {', '.join(made['scopes'])}; shown only now:")
    session.output.line(made["token"])


def _time(text: str) -> str:
    days = re.fullmatch(r"([1-9]\d{0,3})d", text, re.ASCII)
    if days is None:
        return text
    return (datetime.now(UTC) + timedelta(days=int(days[1]))).strftime("%Y-%m-%dT%H:%M:%SZ")


@tokens.command()
@click.argument("token", metavar="NAME|ID")
@yes_option
@json_option
@with_session
def rm(session: Session, token: str, *, yes: bool, as_json: bool) -> None:
    """Revoke a token, named by its id or name: it stops working at once."""
    if token.startswith("mon_"):
        raise Failure("name the token by its id or name, not by itself", Exit.USAGE)
    found = find(session.api, TOKEN, token)
    question = f"revoke the token {found['name']!r} ({found['hint']})"
    remove(session, TOKEN, found, question, word="revoked", yes=yes, as_json=as_json)
