"""Read YAML from untrusted files, within limits and with line numbers.

Supports a subset: one document of maps with text keys, lists, and scalars as in JSON (the core
schema of YAML 1.2, so `no` and `12:30` are text). Anchors, aliases and `<<` work; tags do not.

It builds values from pyyaml's events, because pyyaml's loaders drop line numbers and limit neither
nesting nor the values that aliases multiply to.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from monitum_cli.errors import CliError, ExitCode

MAX_BYTES = 4 * 1024 * 1024
MAX_DEPTH = 20
MAX_NODES = 500_000
"""The values in a file, where those of an anchor count again for each alias."""
_INTEGER = re.compile(r"[-+]?\d{1,18}", re.ASCII)
_FLOAT = re.compile(r"[-+]?\d+\.\d*([eE][-+]?\d+)?", re.ASCII)
_CONSTANTS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class Node:
    """A value and its line, which is the line of its key in a map.

    `value` is a scalar, a list of nodes or a dict of nodes; `size` counts the nodes in it.
    """

    value: Any
    line: int
    size: int = 1

    def plain(self) -> Any:
        """Return the value without line numbers."""
        if isinstance(self.value, list):
            return [item.plain() for item in self.value]
        if isinstance(self.value, dict):
            return {key: item.plain() for key, item in self.value.items()}
        return self.value


@dataclass(frozen=True, slots=True)
class Source:
    """The name of a file, for error messages."""

    name: str

    def error(self, line: int, message: str) -> CliError:
        return CliError(f"{self.name}:{line}: {message}", ExitCode.INVALID)

    def check_size(self, raw: bytes) -> None:
        if len(raw) > MAX_BYTES:
            message = f"{self.name} is larger than {MAX_BYTES // 1024**2} MiB"
            raise CliError(message, ExitCode.INVALID)


def read_file(name: str, stdin: Any) -> tuple[Source, bytes]:
    """Read a file, or standard input for `-`; raises CliError."""
    if name == "-":
        return Source("standard input"), getattr(stdin, "buffer", stdin).read()
    try:
        return Source(name), Path(name).read_bytes()
    except OSError as error:
        raise CliError(f"{name}: {error.strerror}", ExitCode.INVALID) from error


def parse(source: Source, raw: bytes) -> Node:
    """Parse the only document of a file; raises CliError with the line number."""
    source.check_size(raw)
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise source.error(line, "the file is not valid UTF-8") from None
    try:
        return _Builder(source, yaml.parse(text, Loader=_Loader)).document()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line if mark else 0
        failed = "".join(text.splitlines()[line : line + 1])
        hint = "; quote the mask: '***'" if "***" in failed else ""
        raise source.error(line + 1, f"{error.problem}{hint}") from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise source.error(line, "control characters are not allowed") from None
    except yaml.YAMLError as error:
        raise source.error(1, str(error)) from None


class _Builder:
    def __init__(self, source: Source, events: Iterator[Any]) -> None:
        self._source, self._events = source, events
        self._anchors: dict[str, Node] = {}
        self._count = 0

    def document(self) -> Node:
        for event in self._events:
            if isinstance(event, (yaml.StreamStartEvent, yaml.DocumentStartEvent)):
                continue
            if isinstance(event, yaml.StreamEndEvent):
                break
            node = self._node(event, 1)
            next(self._events)
            following: Any = next(self._events)
            if isinstance(following, yaml.DocumentStartEvent):
                raise self._error(following, "more than one document is not supported")
            return node
        raise self._source.error(1, "the file is empty")

    def _node(self, event: Any, depth: int, line: int | None = None) -> Node:
        """Build the value that starts with `event`; `line` is the line of its key."""
        if depth > MAX_DEPTH:
            raise self._error(event, f"nested more than {MAX_DEPTH} levels deep")
        line = line or _line(event)
        if isinstance(event, yaml.AliasEvent):
            anchored = self._anchors.get(str(event.anchor))
            if anchored is None:
                raise self._error(event, f"the anchor &{event.anchor} is not defined above")
            self._add(event, anchored.size)
            return Node(anchored.value, line, anchored.size)
        if event.tag not in {None, "!"}:
            raise self._error(event, f"tags such as {event.tag} are not supported")
        self._add(event, 1)
        node = self._value(event, depth, line)
        if event.anchor:
            self._anchors[event.anchor] = node
        return node

    def _value(self, event: Any, depth: int, line: int) -> Node:
        if isinstance(event, yaml.ScalarEvent):
            return Node(_scalar(event), line)
        if isinstance(event, yaml.SequenceStartEvent):
            items = []
            while not isinstance(following := next(self._events), yaml.SequenceEndEvent):
                items.append(self._node(following, depth + 1))
            return Node(items, line, 1 + sum(item.size for item in items))
        entries = self._entries(depth)
        return Node(entries, line, 1 + sum(item.size for item in entries.values()))

    def _entries(self, depth: int) -> dict[str, Node]:
        entries: dict[str, Node] = {}
        merged: dict[str, Node] = {}
        while not isinstance(key := next(self._events), yaml.MappingEndEvent):
            if not isinstance(key, yaml.ScalarEvent):
                raise self._error(key, "keys must be text")
            if key.value in entries:
                raise self._error(key, f"duplicate key {key.value!r}")
            value = self._node(next(self._events), depth + 1, _line(key))
            if key.value == "<<" and key.implicit[0]:
                merged = {**self._merged(key, value), **merged}
            else:
                entries[key.value] = value
        return {**merged, **entries}

    def _merged(self, key: Any, value: Node) -> dict[str, Node]:
        """Return the entries that `<<` merges; of several maps, the first one takes precedence."""
        maps = value.value if isinstance(value.value, list) else [value]
        if not all(isinstance(item.value, dict) for item in maps):
            raise self._error(key, "<< must be a map or a list of maps")
        return {name: node for item in reversed(maps) for name, node in item.value.items()}

    def _add(self, event: Any, nodes: int) -> None:
        self._count += nodes
        if self._count > MAX_NODES:
            raise self._error(event, f"more than {MAX_NODES:,} values, including aliased ones")

    def _error(self, event: Any, message: str) -> CliError:
        return self._source.error(_line(event), message)


def _scalar(event: Any) -> object:
    """Return the value of a scalar: text if it is quoted, otherwise what it is in JSON."""
    text = event.value
    if not event.implicit[0]:
        return text
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if _FLOAT.fullmatch(text) else text


def _line(event: Any) -> int:
    return int(event.start_mark.line) + 1
