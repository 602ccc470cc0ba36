"""What the commands print: tables and lines for people, JSON for scripts.

Everything is made as text first and written in one place, so that a pipe whose reader has gone and
an encoding that lacks a character are dealt with once.
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
from monitum_cli.texts import clean

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
_COLUMN, _GAP = 8, 2
"""A table with fewer characters for each column, and between two, could not be read."""
_HEIGHT = 25
"""Of no account, but without it the width would not count either."""
_UNBOUNDED = 100_000
"""As wide as any table."""


class Output:
    """The two streams of a command.

    `env` decides with the streams about colour and width: NO_COLOR, TERM and COLUMNS count.
    """

    def __init__(self, out: TextIO, err: TextIO, env: Mapping[str, str]) -> None:
        self._out, self._err, self._env = out, err, env

    @property
    def is_terminal(self) -> bool:
        return self._out.isatty()

    def told(self, value: object, text: object, *, as_json: bool) -> None:
        """What came of something: as JSON, or in a line."""
        if as_json:
            self.json(value)
        else:
            self.line(text)

    def listed(
        self,
        items: list[dict[str, Any]],
        columns: Sequence[str],
        row: Callable[[dict[str, Any]], Sequence[object]],
        *,
        as_json: bool,
    ) -> None:
        """A list: as one page of JSON with everything in it, or as a table with a row of each."""
        if as_json:
            self.json({"items": items, "next_cursor": None})
        else:
            self.table(columns, map(row, items))

    def table(self, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        """A table of cleaned texts, cut off where they are long; row by row where it is narrow."""
        titles = [Text(column) for column in columns]
        cells = [[_cell(value) for value in row] for row in rows]
        if self._width < (_COLUMN + _GAP) * len(columns):
            for row in cells:
                self._list(zip(columns, row, strict=True))
                self.line()
            return
        made = Table(box=None, pad_edge=False, header_style="bold", padding=(0, _GAP, 0, 0))
        longest = [
            max(text.cell_len for text in column) for column in zip(titles, *cells, strict=True)
        ]
        room = self._width - _GAP * len(columns)
        for title, width in zip(titles, _fitted(longest, room), strict=True):
            made.add_column(title, no_wrap=True, overflow="ellipsis", width=width)
        for row in cells:
            made.add_row(*row)
        self._render(made)

    def pairs(self, pairs: Iterable[tuple[str, object]]) -> None:
        """Names and values, one below the other; values are folded where they are long."""
        if self._width < 5 * _COLUMN:
            self._list(pairs)
            return
        made = Table(box=None, pad_edge=False, show_header=False, padding=(0, _GAP, 0, 0))
        made.add_column(style="bold", no_wrap=True)
        made.add_column(overflow="fold")
        for name, value in pairs:
            made.add_row(Text(name), _cell(value))
        self._render(made)

    def _list(self, pairs: Iterable[tuple[str, object]]) -> None:
        for name, value in pairs:
            self._render(Text.assemble((f"{name}: ", "bold"), _cell(value)), soft=True)

    def line(self, text: object = "", style: str = "") -> None:
        """One line, cleaned and in one style."""
        self._render(Text(clean(text), style=style), soft=True)

    def json(self, value: object) -> None:
        """JSON as the API has it, in ASCII, so that no text in it can move the cursor."""
        self._write(json.dumps(value, indent=2) + "\n")

    def json_line(self, value: object) -> None:
        """One value on one line, at once: for what is followed."""
        self._write(json.dumps(value) + "\n")

    def raw(self, text: str) -> None:
        """A file's text, as it is."""
        self._write(text)

    def note(self, text: object) -> None:
        """A line beside the output, on the other stream."""
        self._write(clean(text) + "\n", self._err)

    def json_note(self, value: object) -> None:
        """One value on one line, on the other stream."""
        self._write(json.dumps(value) + "\n", self._err)

    def prompt(self, text: object) -> None:
        """A question beside the output; the answer comes on the same line."""
        self._write(clean(text), self._err)

    def warn(self, text: object) -> None:
        self.note(f"warning: {text}")

    @property
    def _width(self) -> int:
        """Characters in a line; in a pipe nothing is cut off."""
        if not self.is_terminal:
            return _UNBOUNDED
        said = self._env.get("COLUMNS", "")
        return int(said) if said.isdecimal() and int(said) else shutil.get_terminal_size().columns

    def _console(self) -> Console:
        return Console(
            file=io.StringIO(),
            force_terminal=self.is_terminal,
            width=self._width,
            height=_HEIGHT,
            no_color="NO_COLOR" in self._env or None,
            highlight=False,
            markup=False,
            emoji=False,
            _environ={**self._env},
        )

    def _render(self, what: Table | Text, *, soft: bool = False) -> None:
        console = self._console()
        console.print(what, soft_wrap=soft)
        made: Any = console.file
        lines = made.getvalue().splitlines()
        self._write("".join(f"{line.rstrip()}\n" for line in lines))

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


def _fitted(longest: Sequence[int], room: int) -> list[int]:
    """The widths of columns in `room` characters: what is long gives way first."""
    widths = list(longest)
    while sum(widths) > room and max(widths) > _COLUMN:
        widths[widths.index(max(widths))] -= 1
    return widths


def _cell(value: object) -> Text:
    if isinstance(value, Text):
        return value
    if value is None:
        return Text("-", style="dim")
    text = clean(value)
    return Text(text, style=STYLES.get(text, ""))
