"""Targets: what is watched."""

import json
from typing import Any

import click

from monitum_cli.commands.options import (
    json_option,
    milliseconds,
    moment,
    short,
    with_session,
    yes_option,
)
from monitum_cli.commands.removing import remove
from monitum_cli.errors import Exit, Failure
from monitum_cli.finding import CHANNEL, TARGET, find, find_id, names_by_id
from monitum_cli.session import Session

_ORDERS = ("oldest", "newest", "name", "status")
_STATUSES = ("PENDING", "UP", "DOWN", "DEGRADED", "PAUSED")
_one = click.argument("target", metavar="TARGET")
_some = click.argument("names", metavar="TARGET...", nargs=-1, required=True)


@click.group()
def targets() -> None:
    """What is watched."""


@targets.command("ls")
@click.option("--status", type=click.Choice(_STATUSES, case_sensitive=False))
@click.option("--tag")
@click.option("--kind")
@click.option("--enabled/--paused", default=None, help="Only those that are checked, or not.")
@click.option("-q", "--search", "q", metavar="TEXT", help="Part of the name or URL.")
@click.option("--sort", type=click.Choice(_ORDERS), help="By status the worst comes first.")
@json_option
@with_session
def list_targets(session: Session, /, *, as_json: bool, **filters: Any) -> None:
    """List targets with their present state."""
    found = list(session.api.each("/v1/targets", **filters))
    columns = ("NAME", "STATUS", "SINCE", "RESPONSE", "EVERY", "ADDRESS", "ID")
    session.output.listed(found, columns, _row, as_json=as_json)


def _row(target: dict[str, Any]) -> tuple[object, ...]:
    state = target["state"]
    return (
        target["name"],
        state["status"],
        moment(state["since"]),
        milliseconds(state["response_ms"]),
        f"{target['interval_s']} s",
        address(target),
        short(target["id"]),
    )


def address(target: dict[str, Any]) -> str:
    """Where a target is, in one word."""
    if url := target.get("url"):
        return str(url)
    port = target.get("port")
    return f"{target.get('host', '-')}:{port}" if port else str(target.get("host", "-"))


@targets.command()
@_one
@json_option
@with_session
def show(session: Session, target: str, *, as_json: bool) -> None:
    """Show a target with its present state."""
    found = find(session.api, TARGET, target)
    if as_json:
        session.output.json(found)
    else:
        _show(session, found)


def _show(session: Session, target: dict[str, Any]) -> None:
    state, names = target["state"], {}
    if target["channel_ids"]:
        names = names_by_id(session.api.each("/v1/channels"))
    shown: dict[str, Any] = {
        "name": target["name"],
        "id": target["id"],
        "status": state["status"],
        "since": moment(state["since"]),
        "last checked": moment(state["last_checked_at"]),
        "response": milliseconds(state["response_ms"]),
        "open incident": state["open_incident_id"],
        "channels": ", ".join(names.get(one, one) for one in target["channel_ids"]) or "by tag",
        "tags": ", ".join(target["tags"]) or None,
        "expect": _short_json(target.get("expect", {})),
    }
    hidden = {*shown, "state", "channel_ids", "created_at", "updated_at"}
    rest = {name: value for name, value in target.items() if name not in hidden}
    session.output.pairs([*shown.items(), *((name, _plain(value)) for name, value in rest.items())])


def _short_json(values: dict[str, Any]) -> str | None:
    given = {name: value for name, value in values.items() if value not in (None, [], {})}
    return ", ".join(f"{name} {json.dumps(value)}" for name, value in given.items()) or None


def _plain(value: object) -> object:
    return value if value is None or isinstance(value, str) else json.dumps(value)


@targets.command()
@click.argument("name")
@click.option("--url", help="What to ask for; makes the kind http.")
@click.option("--kind", help="http, tcp, tls or dns.")
@click.option("--host")
@click.option("--port", type=click.IntRange(1, 65_535))
@click.option("--interval", "interval_s", type=int, metavar="SECONDS")
@click.option("--timeout", "timeout_s", type=int, metavar="SECONDS")
@click.option("--tag", "tags", multiple=True)
@click.option("--channel", "channels", multiple=True, help="Whom to tell; else by tag.")
@click.option(
    "--set",
    "fields",
    multiple=True,
    metavar="FIELD=VALUE",
    help="Any other field, such as expect.body_contains=OK; VALUE is JSON or text.",
)
@json_option
@with_session
def add(
    session: Session,
    /,
    name: str,
    *,
    fields: tuple[str, ...],
    channels: tuple[str, ...],
    as_json: bool,
    **given: Any,
) -> None:
    """Watch something new. Secrets do not belong here: use `monitum apply`."""
    body: dict[str, Any] = {"name": name, "kind": "http" if given["url"] else None}
    body |= {key: value for key, value in given.items() if value not in (None, ())}
    if body["kind"] is None:
        raise Failure("say what to watch: --url, or --kind with --host", Exit.USAGE)
    if channels:
        body["channel_ids"] = [find_id(session.api, CHANNEL, channel) for channel in channels]
    for field in fields:
        _set(body, field)
    made = session.api.create("/v1/targets", body)
    session.output.told(made, f"{made['name']} is watched: {made['id']}", as_json=as_json)


def _set(body: dict[str, Any], field: str) -> None:
    """Put `a.b=value` into the body."""
    path, equals, text = field.partition("=")
    if not path or not equals:
        raise Failure(f"--set wants FIELD=VALUE, not {field!r}", Exit.USAGE)
    *parents, last = path.split(".")
    place = body
    for parent in parents:
        place = place.setdefault(parent, {})
        if not isinstance(place, dict):
            raise Failure(f"--set {path}: {parent} has no fields", Exit.USAGE)
    try:
        place[last] = json.loads(text)
    except ValueError:
        place[last] = text


@targets.command()
@_some
@json_option
@with_session
def pause(session: Session, names: tuple[str, ...], *, as_json: bool) -> None:
    """Stop checking targets."""
    _switch(session, names, "pause", as_json=as_json)


@targets.command()
@_some
@json_option
@with_session
def resume(session: Session, names: tuple[str, ...], *, as_json: bool) -> None:
    """Check targets again, at once."""
    _switch(session, names, "resume", as_json=as_json)


def _switch(session: Session, names: tuple[str, ...], how: str, *, as_json: bool) -> None:
    for identifier in [find_id(session.api, TARGET, name) for name in names]:
        after = session.api.do(f"/v1/targets/{identifier}/{how}", again=True)
        session.output.told(after, f"{after['name']}: {after['state']['status']}", as_json=as_json)


@targets.command()
@_some
@yes_option
@json_option
@with_session
def rm(session: Session, names: tuple[str, ...], *, yes: bool, as_json: bool) -> None:
    """Delete targets with their history."""
    for target in [find(session.api, TARGET, name) for name in names]:
        question = f"delete {target['name']!r} with its history"
        remove(session, TARGET, target, question, yes=yes, as_json=as_json)


@targets.command()
@_one
@json_option
@with_session
def check(session: Session, target: str, *, as_json: bool) -> int:
    """Check a target now. The exit code is 10 where it is not UP or DEGRADED."""
    found = session.api.do(f"/v1/targets/{find_id(session.api, TARGET, target)}/check")
    code = f", {found['status_code']}" if found["status_code"] else ""
    why = f": {found['reason']}: {found['error']}" if found["reason"] else ""
    told = f"{found['verdict']} in {milliseconds(found['response_ms'])}{code}{why}"
    session.output.told(found, told, as_json=as_json)
    return Exit.OK if found["verdict"] in {"UP", "DEGRADED"} else Exit.NO
