"""Who is calling."""

import click

from monitum_cli.client import Api
from monitum_cli.commands.options import json_option, with_session
from monitum_cli.config import Login, check_token, check_url, forget_login, write_login
from monitum_cli.errors import Exit, Failure
from monitum_cli.session import Session


@click.command()
@click.option("--url", help="The API's address; asked for where it is not given.")
@json_option
@with_session
def login(session: Session, url: str | None, *, as_json: bool) -> None:
    """Log in: try a token and store it with its address.

    The token is asked for, or read as one line of standard input; it is never an argument, which
    others could see.
    """
    if url is None:
        if not session.can_ask:
            raise Failure("give the address: monitum login --url https://…", Exit.USAGE)
        session.output.prompt("Address of the API: ")
        url = session.input.readline()
    address = check_url(url, session.env)
    given = Login(address, check_token(session.read_secret("Token: ")), "the prompt")
    me = Api(given, sleep=session.sleep, notice=session.output.note).get("/v1/me")
    path = write_login(session.env, given)
    told = f"logged in as {me['name']} at {address}; stored in {path}"
    session.output.told({**me, "url": address, "stored_in": str(path)}, told, as_json=as_json)
    if session.env.get("MONITUM_TOKEN"):
        session.output.warn("MONITUM_TOKEN is set and is used instead")


@click.command()
@json_option
@with_session
def logout(session: Session, *, as_json: bool) -> None:
    """Forget the stored login. The token goes on working until it is revoked."""
    done = forget_login(session.env)
    told = "logged out" if done else "no login was stored"
    session.output.told({"logged_out": done}, told, as_json=as_json)


@click.command()
@json_option
@with_session
def whoami(session: Session, *, as_json: bool) -> None:
    """Show who is calling, where, and what of the limits is used."""
    me = session.api.get("/v1/me")
    if as_json:
        session.output.json(me)
        return
    used = [(f"{name} used", _used(usage)) for name, usage in me["limits"].items()]
    session.output.pairs(
        [
            ("user", me["name"]),
            ("token", f"{me['token']['name']} ({', '.join(me['token']['scopes'])})"),
            ("API", session.api.login.url),
            ("login from", session.api.login.source),
            *used,
        ]
    )


def _used(usage: dict[str, int | None]) -> str:
    limit = usage.get("limit")
    return f"{usage['used']}" if limit is None else f"{usage['used']} of {limit}"
