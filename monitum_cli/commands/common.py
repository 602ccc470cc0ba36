"""Options and actions that several commands share."""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import click

from monitum_cli.formatting import plural
from monitum_cli.lookup import ResourceType
from monitum_cli.session import Session

Command = TypeVar("Command", bound=Callable[..., Any])

yes_option = click.option("--yes", "-y", is_flag=True, help="Do not ask for confirmation.")


def _set_json(context: click.Context, _: click.Parameter, value: object) -> None:
    context.obj.output.as_json = bool(value)


def with_session(command: Command) -> Any:
    """Pass the Session as the first argument, and add `--json`."""
    option = click.option(
        "--json",
        is_flag=True,
        expose_value=False,
        callback=_set_json,
        help="Print JSON instead of text.",
    )
    return option(click.pass_obj(command))


def limit_option(default: int) -> Callable[[Command], Command]:
    """Add `--limit`, the number of items to list."""
    return click.option(
        "--limit", type=click.IntRange(1, 100_000), default=default, show_default=True
    )


def given(options: dict[str, Any]) -> dict[str, Any]:
    """Return the options that are set, as fields of a request."""
    return {name: value for name, value in options.items() if value not in (None, ())}


def delete(
    session: Session,
    type_: ResourceType,
    item: dict[str, Any],
    *,
    yes: bool,
    question: str | None = None,
    verb: str = "deleted",
) -> None:
    """Delete a resource after asking for confirmation."""
    name = item["name"]
    session.confirm(question or f"delete the {type_.noun} {name!r}", yes=yes)
    session.api.delete(f"{type_.path}/{item['id']}")
    text = f"{verb.capitalize()} {type_.noun} {name}"
    session.output.result({"id": item["id"], "name": name, verb: True}, text)


def selection(tags: Iterable[str], target_count: int) -> str | None:
    """Summarize what a maintenance window or status page selects, as in `prod, 2 targets`."""
    counted = [plural(target_count, "target")] if target_count else []
    return ", ".join([*tags, *counted]) or None
