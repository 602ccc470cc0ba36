"""Log in, log out and show the current login."""

from collections.abc import Iterator
from typing import Any

import click

from monitum_cli.client import Api
from monitum_cli.commands.common import with_session
from monitum_cli.credentials import (
    Credentials,
    check_token,
    check_url,
    delete_login,
    write_login,
)
from monitum_cli.errors import CliError, ExitCode
from monitum_cli.session import Session


@click.command()
@click.option("--url", help="The URL of the API; prompted for by default.")
@with_session
def login(session: Session, url: str | None) -> None:
    """Verify a token and store it with the API's URL.

    The token is prompted for, or read as one line from standard input. It is never an argument,
    because other processes can read arguments.
    """
    if url is None:
        if not session.is_interactive:
            raise CliError("--url is required: monitum login --url https://…", ExitCode.USAGE)
        session.output.prompt("URL of the API: ")
        url = session.input.readline()
    url = check_url(url, session.env)
    credentials = Credentials(url, check_token(session.read_secret("Token: ")), "the prompt")
    me = Api(credentials, sleep=session.sleep, notify=session.output.message).get("/v1/me")
    path = write_login(session.env, credentials)
    session.output.result(
        {**me, "url": url, "stored_in": str(path)},
        f"Logged in as {me['name']} at {url}; stored in {path}",
    )
    if session.env.get("MONITUM_TOKEN"):
        session.output.warning("MONITUM_TOKEN is set and takes precedence over this login")


@click.command()
@with_session
def logout(session: Session) -> None:
    """Delete the stored login. The token stays valid until it is revoked."""
    deleted = delete_login(session.env)
    session.output.result({"logged_out": deleted}, "Logged out" if deleted else "No stored login")


@click.command()
@with_session
def whoami(session: Session) -> None:
    """Show the current user, token, API and usage of limits."""
    me = session.api.get("/v1/me")
    session.output.item(me, _fields(session, me))


def _fields(session: Session, me: dict[str, Any]) -> Iterator[tuple[str, object]]:
    credentials = session.api.credentials
    yield "user", me["name"]
    yield "token", f"{me['token']['name']} ({', '.join(me['token']['scopes'])})"
    yield "API", credentials.url
    yield "login from", credentials.source
    for name, usage in me["limits"].items():
        limit = usage.get("limit")
        yield f"{name} used", f"{usage['used']}" + (f" of {limit}" if limit is not None else "")
