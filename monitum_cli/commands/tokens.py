"""API tokens."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import click

from monitum_cli.commands.common import delete, with_session, yes_option
from monitum_cli.errors import CliError, ExitCode
from monitum_cli.formatting import short_id, timestamp
from monitum_cli.lookup import TOKEN, find
from monitum_cli.session import Session


@click.group()
def tokens() -> None:
    """Manage your API tokens."""


@tokens.command("ls")
@with_session
def list_tokens(session: Session) -> None:
    """List your tokens, without the tokens themselves."""
    found = list(session.api.paginate("/v1/tokens"))
    columns = ("NAME", "SCOPES", "HINT", "CREATED", "EXPIRES", "LAST USED", "ID")
    session.output.items(found, columns, _row)


def _row(token: dict[str, Any]) -> tuple[object, ...]:
    return (
        token["name"],
        ", ".join(token["scopes"]),
        token["hint"],
        timestamp(token["created_at"]),
        timestamp(token["expires_at"]),
        timestamp(token.get("last_used_at")),
        short_id(token["id"]),
    )


@tokens.command()
@click.argument("name")
@click.option("--scope", "scopes", multiple=True, type=click.Choice(("read", "write", "admin")))
@click.option(
    "--expires", metavar="TIME|DAYSd", help="For example 2027-01-01T00:00:00Z, or 90d for 90 days."
)
@with_session
def add(session: Session, name: str, *, scopes: tuple[str, ...], expires: str | None) -> None:
    """Create a token, shown only once. Its scopes default to read and write."""
    body: dict[str, object] = {"name": name}
    if scopes:
        body["scopes"] = list(scopes)
    if expires is not None:
        body["expires_at"] = _expiry(expires)
    created = session.api.create("/v1/tokens", body)
    if not session.output.as_json:
        scope_list = ", ".join(created["scopes"])
        session.output.message(f"Created token {created['name']} ({scope_list}), shown only once:")
    session.output.result(created, created["token"])


def _expiry(text: str) -> str:
    days = re.fullmatch(r"([1-9]\d{0,3})d", text, re.ASCII)
    if days is None:
        return text
    return (datetime.now(UTC) + timedelta(days=int(days[1]))).strftime("%Y-%m-%dT%H:%M:%SZ")


@tokens.command()
@click.argument("token", metavar="NAME|ID")
@yes_option
@with_session
def rm(session: Session, token: str, *, yes: bool) -> None:
    """Revoke a token by name or ID; it stops working immediately."""
    if token.startswith("mon_"):
        raise CliError("give the token's name or ID, not the token itself", ExitCode.USAGE)
    found = find(session.api, TOKEN, token)
    question = f"revoke the token {found['name']!r} ({found['hint']})"
    delete(session, TOKEN, found, question=question, verb="revoked", yes=yes)
