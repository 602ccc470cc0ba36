"""Targets."""

import json
from collections.abc import Iterator
from typing import Any

import click

from monitum_cli.commands.common import delete, given, with_session, yes_option
from monitum_cli.errors import CliError, ExitCode
from monitum_cli.formatting import milliseconds, short_id, timestamp
from monitum_cli.lookup import CHANNEL, TARGET, find, find_id, names_by_id
from monitum_cli.session import Session

_SORT_ORDERS = ("oldest", "newest", "name", "status")
_STATUSES = ("PENDING", "UP", "DOWN", "DEGRADED", "PAUSED", "UNKNOWN")
_target_argument = click.argument("target", metavar="TARGET")
_targets_argument = click.argument("names", metavar="TARGET...", nargs=-1, required=True)


@click.group()
def targets() -> None:
    """Manage targets, the things that Monitum checks."""


@targets.command("ls")
@click.option("--status", type=click.Choice(_STATUSES, case_sensitive=False))
@click.option("--tag")
@click.option("--kind")
@click.option("--enabled/--paused", default=None, help="Only enabled or only paused targets.")
@click.option("-q", "--search", "q", metavar="TEXT", help="A part of the name or URL.")
@click.option("--sort", type=click.Choice(_SORT_ORDERS), help="By status: worst first.")
@with_session
def list_targets(session: Session, /, **filters: Any) -> None:
    """List targets with their current status."""
    found = list(session.api.paginate("/v1/targets", **filters))
    columns = ("NAME", "STATUS", "SINCE", "RESPONSE", "EVERY", "ADDRESS", "ID")
    session.output.items(found, columns, _row)


def _row(target: dict[str, Any]) -> tuple[object, ...]:
    state = target["state"]
    return (
        target["name"],
        state["status"],
        timestamp(state["since"]),
        milliseconds(state["response_ms"]),
        f"{target['interval_s']} s",
        _address(target),
        short_id(target["id"]),
    )


def _address(target: dict[str, Any]) -> str:
    if url := target.get("url"):
        return str(url)
    host, port = target.get("host", "-"), target.get("port")
    return f"{host}:{port}" if port else str(host)


@targets.command()
@_target_argument
@with_session
def show(session: Session, target: str) -> None:
    """Show a target with its current status."""
    found = find(session.api, TARGET, target)
    session.output.item(found, _fields(session, found))


def _fields(session: Session, target: dict[str, Any]) -> Iterator[tuple[str, object]]:
    state, channel_ids = target["state"], target["channel_ids"]
    names = names_by_id(session.api.paginate("/v1/channels")) if channel_ids else {}
    yield "name", target["name"]
    yield "id", target["id"]
    yield "status", state["status"]
    yield "since", timestamp(state["since"])
    if state.get("stale"):
        yield "stale", "no recent check has shown whether it is up"
    yield "last checked", timestamp(state["last_checked_at"])
    yield "response", milliseconds(state["response_ms"])
    yield "open incident", state["open_incident_id"]
    yield "channels", ", ".join(names.get(one, one) for one in channel_ids) or "by tag"
    yield "tags", ", ".join(target["tags"]) or None
    yield "expect", _expectations(target.get("expect", {}))
    done = {"name", "id", "tags", "expect", "state", "channel_ids", "created_at", "updated_at"}
    for name, value in target.items():
        if name not in done:
            yield name, value if value is None or isinstance(value, str) else json.dumps(value)


def _expectations(expect: dict[str, Any]) -> str | None:
    values = {name: value for name, value in expect.items() if value not in (None, [], {})}
    return ", ".join(f"{name} {json.dumps(value)}" for name, value in values.items()) or None


@targets.command()
@click.argument("name")
@click.option("--url", help="The URL to check; implies --kind http.")
@click.option("--kind", help="http, tcp, tls or dns.")
@click.option("--host")
@click.option("--port", type=click.IntRange(1, 65_535))
@click.option("--interval", "interval_s", type=int, metavar="SECONDS")
@click.option("--timeout", "timeout_s", type=int, metavar="SECONDS")
@click.option("--tag", "tags", multiple=True)
@click.option(
    "--channel", "channels", multiple=True, help="A channel to alert; default channels by tag."
)
@click.option(
    "--set",
    "fields",
    multiple=True,
    metavar="FIELD=VALUE",
    help="Any other field, such as expect.body_contains=OK. VALUE is JSON or text.",
)
@with_session
def add(
    session: Session,
    /,
    name: str,
    *,
    fields: tuple[str, ...],
    channels: tuple[str, ...],
    **options: Any,
) -> None:
    """Create a target. For fields with secrets, use `monitum apply`."""
    body: dict[str, Any] = {"name": name, "kind": "http" if options["url"] else None}
    body |= given(options)
    if body["kind"] is None:
        raise CliError("give --url, or --kind with --host", ExitCode.USAGE)
    if channels:
        body["channel_ids"] = [find_id(session.api, CHANNEL, channel) for channel in channels]
    for field in fields:
        _set_field(body, field)
    created = session.api.create("/v1/targets", body)
    session.output.result(created, f"Created target {created['name']}: {created['id']}")


def _set_field(body: dict[str, Any], assignment: str) -> None:
    """Apply an assignment such as `a.b=value` to the body."""
    path, equals, text = assignment.partition("=")
    if not path or not equals:
        raise CliError(f"--set must be FIELD=VALUE, not {assignment!r}", ExitCode.USAGE)
    *parents, last = path.split(".")
    container = body
    for parent in parents:
        container = container.setdefault(parent, {})
        if not isinstance(container, dict):
            raise CliError(f"--set {path}: {parent} has no fields", ExitCode.USAGE)
    try:
        container[last] = json.loads(text)
    except ValueError:
        container[last] = text


@targets.command()
@_targets_argument
@with_session
def pause(session: Session, names: tuple[str, ...]) -> None:
    """Stop checking targets."""
    _post_each(session, names, "pause")


@targets.command()
@_targets_argument
@with_session
def resume(session: Session, names: tuple[str, ...]) -> None:
    """Resume checking targets, starting immediately."""
    _post_each(session, names, "resume")


def _post_each(session: Session, names: tuple[str, ...], action: str) -> None:
    # All names are looked up first, so that a wrong one fails before anything is changed.
    for identifier in [find_id(session.api, TARGET, name) for name in names]:
        updated = session.api.post(f"/v1/targets/{identifier}/{action}", retry=True)
        session.output.result(updated, f"{updated['name']}: {updated['state']['status']}")


@targets.command()
@_targets_argument
@yes_option
@with_session
def rm(session: Session, names: tuple[str, ...], *, yes: bool) -> None:
    """Delete targets and their history."""
    for target in [find(session.api, TARGET, name) for name in names]:
        question = f"delete the target {target['name']!r} and its history"
        delete(session, TARGET, target, question=question, yes=yes)


@targets.command()
@_target_argument
@with_session
def check(session: Session, target: str) -> int:
    """Check a target now. Exits with 10 unless it is UP or DEGRADED."""
    found = session.api.post(f"/v1/targets/{find_id(session.api, TARGET, target)}/check")
    code = f", {found['status_code']}" if found["status_code"] else ""
    reason = f": {found['reason']}: {found['error']}" if found["reason"] else ""
    text = f"{found['verdict']} in {milliseconds(found['response_ms'])}{code}{reason}"
    session.output.result(found, text)
    return ExitCode.OK if found["verdict"] in {"UP", "DEGRADED"} else ExitCode.NEGATIVE
