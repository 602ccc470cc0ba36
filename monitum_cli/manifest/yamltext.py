"""YAML that comes from anybody: read with the line of everything, and within bounds.

A subset: one document of maps with text keys, lists and scalars as JSON has them (YAML 1.2's core,
so `no` and `12:30` are texts). Anchors, aliases and `<<` work; tags do not.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from monitum_cli.errors import Exit, Failure

MOST_BYTES = 4 * 1024 * 1024
MOST_DEPTH = 20
MOST_NODES = 500_000
"""Everything in the file, with what each alias stands for counted again."""
_INTEGER = re.compile(r"[-+]?\d{1,18}", re.ASCII)
_FLOAT = re.compile(r"[-+]?\d+\.\d*([eE][-+]?\d+)?", re.ASCII)
_WORDS = {"": None, "~": None, "null": None, "Null": None, "NULL": None}
_WORDS |= dict.fromkeys(("true", "True", "TRUE"), True)  # type: ignore[arg-type]  # not None alone
_WORDS |= dict.fromkeys(("false", "False", "FALSE"), False)  # type: ignore[arg-type]  # the same
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class Node:
    """A value of a file and the line where it is, that of its key where it has one.

    `value` is a scalar, a list of nodes or a dict of nodes; `size` counts the nodes in it.
    """

    value: Any
    line: int
    size: int = 1


@dataclass(frozen=True, slots=True)
class Source:
    """A file by name, for errors that say where."""

    name: str

    def fault(self, line: int, what: str) -> Failure:
        return Failure(f"{self.name}:{line}: {what}", Exit.INVALID)


def parse(source: Source, raw: bytes) -> Node:
    """The one document of a file; raises Failure, naming the line."""
    if len(raw) > MOST_BYTES:
        raise Failure(f"{source.name} is over {MOST_BYTES // 1024**2} MiB", Exit.INVALID)
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise source.fault(line, "this is not UTF-8") from None
    try:
        return _Builder(source, yaml.parse(text, Loader=_Loader)).document()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line if mark else 0
        there = "".join(text.splitlines()[line : line + 1])
        hint = "; *** wants quotes: '***'" if "***" in there else ""
        raise source.fault(line + 1, f"{error.problem}{hint}") from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise source.fault(line, "there is a control character here") from None
    except yaml.YAMLError as error:
        raise source.fault(1, str(error)) from None


class _Builder:
    def __init__(self, source: Source, events: Iterator[Any]) -> None:
        self._source, self._events = source, events
        self._anchors: dict[str, Node] = {}
        self._nodes = 0

    def document(self) -> Node:
        for event in self._events:
            if isinstance(event, (yaml.StreamStartEvent, yaml.DocumentStartEvent)):
                continue
            if isinstance(event, yaml.StreamEndEvent):
                break
            node = self._node(event, 1)
            next(self._events)
            after: Any = next(self._events)
            if isinstance(after, yaml.DocumentStartEvent):
                raise self._fault(after, "a second document: there may be one")
            return node
        raise self._source.fault(1, "the file is empty")

    def _node(self, event: Any, depth: int, line: int | None = None) -> Node:
        """The value that begins with `event`; `line` is that of its key."""
        if depth > MOST_DEPTH:
            raise self._fault(event, f"nested deeper than {MOST_DEPTH} levels")
        line = line or _line(event)
        if isinstance(event, yaml.AliasEvent):
            meant = self._anchors.get(str(event.anchor))
            if meant is None:
                raise self._fault(event, f"there is no anchor &{event.anchor} before this")
            self._count(event, meant.size)
            return Node(meant.value, line, meant.size)
        if event.tag not in {None, "!"}:
            raise self._fault(event, f"tags such as {event.tag} are not read")
        self._count(event, 1)
        node = self._made(event, depth, line)
        if event.anchor:
            self._anchors[event.anchor] = node
        return node

    def _made(self, event: Any, depth: int, line: int) -> Node:
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
                raise self._fault(key, "a key must be a text")
            if key.value in entries:
                raise self._fault(key, f"{key.value!r} is there twice")
            value = self._node(next(self._events), depth + 1, _line(key))
            if key.value == "<<" and key.implicit[0]:
                merged = {**self._merged(key, value), **merged}
            else:
                entries[key.value] = value
        return {**merged, **entries}

    def _merged(self, key: Any, value: Node) -> dict[str, Node]:
        """What `<<` brings in; of several maps the first that has a key counts."""
        maps = value.value if isinstance(value.value, list) else [value]
        if not all(isinstance(one.value, dict) for one in maps):
            raise self._fault(key, "<< wants a map, or a list of maps")
        return {name: node for one in reversed(maps) for name, node in one.value.items()}

    def _count(self, event: Any, nodes: int) -> None:
        self._nodes += nodes
        if self._nodes > MOST_NODES:
            raise self._fault(event, f"more than {MOST_NODES:,} values, aliases counted")

    def _fault(self, event: Any, what: str) -> Failure:
        return self._source.fault(_line(event), what)


def _scalar(event: Any) -> object:
    """What a scalar is: quoted ones are texts, others what they look like in JSON."""
    text = event.value
    if not event.implicit[0]:
        return text
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if _FLOAT.fullmatch(text) else text


def _line(event: Any) -> int:
    return int(event.start_mark.line) + 1
