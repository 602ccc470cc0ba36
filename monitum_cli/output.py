"""Print the results of commands: tables and lines for people, JSON for scripts.

Everything is rendered to text first and written in one place, which handles a closed pipe and an
encoding that lacks a character.
"""

import errno
import io
import json
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TextIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from monitum_cli.errors import BrokenPipe
from monitum_cli.formatting import escape_control

STYLES: Mapping[str, str] = {
    "UP": "green",
    "DOWN": "bold red",
    "DEGRADED": "yellow",
    "UNKNOWN": "magenta",
    "PAUSED": "dim",
    "PENDING": "cyan",
    "open": "bold red",
    "closed": "green",
    "failed": "bold red",
    "sent": "green",
}
_MIN_COLUMN, _GAP = 8, 2
"""A table with narrower columns is unreadable and printed as a list instead."""
_HEIGHT = 25
"""Unused, but rich ignores the width unless it is given a height too."""
_UNLIMITED_WIDTH = 100_000

Item = dict[str, Any]
Field = tuple[str, object]


class Output:
    """The output streams of a command. With `as_json` results are printed as JSON.

    NO_COLOR, TERM and COLUMNS of `env` apply if the streams are terminals.
    """

    def __init__(self, out: TextIO, err: TextIO, env: Mapping[str, str]) -> None:
        self._out, self._err, self._env = out, err, env
        self.as_json = False

    @property
    def is_terminal(self) -> bool:
        return self._out.isatty()

    def result(self, value: object, text: str) -> None:
        """Print what a command did: the value as JSON, or a line of text."""
        if self.as_json:
            self.json(value)
        else:
            self.line(text)

    def items(
        self, items: list[Item], columns: Sequence[str], row: Callable[[Item], Sequence[object]]
    ) -> None:
        """Print a list: as JSON, one page with everything on it, or as a table."""
        if self.as_json:
            self.json({"items": items, "next_cursor": None})
        else:
            self.table(columns, map(row, items))

    def item(self, value: object, fields: Iterable[Field]) -> None:
        """Print one resource: as JSON, or its fields; these are not evaluated for JSON."""
        if self.as_json:
            self.json(value)
        else:
            self.fields(fields)

    def table(self, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        """Print a table, truncating the widest columns first; a list if the terminal is narrow."""
        if self._width < (_MIN_COLUMN + _GAP) * len(columns):
            for row in rows:
                self._list(zip(columns, row, strict=True))
                self.line()
            return
        table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, _GAP, 0, 0))
        for column in columns:
            table.add_column(_truncated(column))
        for row in rows:
            table.add_row(*map(_truncated, row))
        self._render(table)

    def fields(self, fields: Iterable[Field]) -> None:
        """Print names and values, one pair below the other; long values are wrapped."""
        if self._width < 5 * _MIN_COLUMN:
            self._list(fields)
            return
        table = Table(box=None, pad_edge=False, show_header=False, padding=(0, _GAP, 0, 0))
        table.add_column(style="bold", no_wrap=True)
        table.add_column(overflow="fold")
        for name, value in fields:
            table.add_row(Text(name), _cell(value))
        self._render(table)

    def _list(self, fields: Iterable[Field]) -> None:
        for name, value in fields:
            self._render(Text.assemble((f"{name}: ", "bold"), _cell(value)), soft_wrap=True)

    def line(self, text: str = "", style: str = "") -> None:
        self._render(Text(escape_control(text), style=style), soft_wrap=True)

    def json(self, value: object, *, indent: int | None = 2) -> None:
        """Print JSON in ASCII, so that no text in it can control the terminal."""
        self._write(json.dumps(value, indent=indent) + "\n")

    def raw(self, text: str) -> None:
        """Print a file."""
        self._write(text)

    def message(self, text: object) -> None:
        """Print a line to standard error."""
        self._write(escape_control(text) + "\n", self._err)

    def warning(self, text: object) -> None:
        self.message(f"warning: {text}")

    def json_message(self, value: object) -> None:
        """Print JSON on one line to standard error."""
        self._write(json.dumps(value) + "\n", self._err)

    def prompt(self, text: str) -> None:
        """Print a question to standard error, leaving the cursor behind it."""
        self._write(escape_control(text), self._err)

    @property
    def _width(self) -> int:
        """The width of a line in characters; nothing is truncated in a pipe."""
        if not self.is_terminal:
            return _UNLIMITED_WIDTH
        columns = self._env.get("COLUMNS", "")
        if columns.isdecimal() and int(columns):
            return int(columns)
        return shutil.get_terminal_size().columns

    def _render(self, content: Table | Text, *, soft_wrap: bool = False) -> None:
        text = io.StringIO()
        console = Console(
            file=text,
            force_terminal=self.is_terminal,
            width=self._width,
            height=_HEIGHT,
            no_color="NO_COLOR" in self._env or None,
            highlight=False,
            markup=False,
            emoji=False,
            _environ={**self._env},
        )
        console.print(content, soft_wrap=soft_wrap)
        self._write("".join(f"{line.rstrip()}\n" for line in text.getvalue().splitlines()))

    def _write(self, text: str, stream: TextIO | None = None) -> None:
        stream = stream or self._out
        encoding = stream.encoding or "utf-8"
        try:
            stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
            stream.flush()
        except OSError as error:
            if error.errno not in {errno.EPIPE, errno.EINVAL}:
                raise
            raise BrokenPipe("the output was closed") from error


def _cell(value: object) -> Text:
    if value is None:
        return Text("-", style="dim")
    text = escape_control(value)
    return Text(text, style=STYLES.get(text, ""))


def _truncated(value: object) -> Text:
    """Return a cell that stays on one line.

    Only the cell says so, not its column: rich would shrink such columns evenly instead of the
    widest first.
    """
    cell = _cell(value)
    cell.no_wrap, cell.overflow = True, "ellipsis"
    return cell
