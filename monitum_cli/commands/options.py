"""What several commands take, and how they get at their session."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

_Command = TypeVar("_Command", bound=Callable[..., Any])
SHORT_ID = 18
"""Characters of an id in a table, its time and twelve random bits: enough to name it by."""

with_session = click.pass_obj
"""Have a command get the session of this run as its first argument."""


def json_option(command: _Command) -> _Command:
    """`--json`: what the API says, instead of a table."""
    return click.option("--json", "as_json", is_flag=True, help="Print what the API says.")(command)


def yes_option(command: _Command) -> _Command:
    """`--yes`: do not ask."""
    return click.option("--yes", "-y", is_flag=True, help="Do not ask.")(command)


def limit_option(default: int) -> Callable[[_Command], _Command]:
    """`--limit`: how many of a long list."""
    return click.option(
        "--limit", type=click.IntRange(1, 100_000), default=default, show_default=True
    )


def short(identifier: str) -> str:
    return identifier[:SHORT_ID]


def moment(text: str | None) -> str | None:
    """The API's `2026-11-22T06:40:04Z` as people read it, still in UTC."""
    return None if text is None else text.replace("T", " ").replace("Z", "")


def milliseconds(value: float | None) -> str | None:
    return None if value is None else f"{value:,.0f} ms"


def duration(seconds: int | None) -> str | None:
    """`2 d 3 h`, in the two largest units."""
    if seconds is None:
        return None
    parts, left = [], seconds
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)):
        count, left = divmod(left, length)
        if count:
            parts.append(f"{count} {unit}")
    return " ".join(parts[:2]) or "0 s"


def percent(ratio: float | None) -> str | None:
    """Rounded down, so that nothing but all is shown as 100 %."""
    if ratio is None:
        return None
    return f"{int(ratio * 100_000) / 1000:.3f} %"
