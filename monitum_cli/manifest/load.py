"""From a file to what is wanted: names, kinds and keys are checked here, values by the API."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from monitum_cli.errors import Exit, Failure
from monitum_cli.manifest.shape import BY_NAME, EXPECT, Place, Section, named
from monitum_cli.manifest.variables import filled, shown
from monitum_cli.manifest.yamltext import Node, Source, parse
from monitum_cli.texts import listed

VERSION = 1
_JSON_TESTS = {"path", "equals", "not", "greater", "less", "exists", "matches"}


@dataclass(frozen=True, slots=True)
class Wanted:
    """One thing as the file has it: `fields` with variables filled in, `shown` as they are there.

    References are names.
    """

    section: Section
    name: str
    node: Node
    fields: dict[str, Any]
    shown: dict[str, Any]

    def line(self, place: Place = ()) -> int:
        """The line of a field, by the way that leads to it, or of the nearest thing around it."""
        node = self.node
        for step in place:
            inside = node.value
            if isinstance(inside, dict) and str(step) in inside:
                node = inside[str(step)]
            elif isinstance(inside, list) and isinstance(step, int) and step < len(inside):
                node = inside[step]
        return node.line


@dataclass(frozen=True, slots=True)
class Manifest:
    """A whole file; a section that it does not have is not in `sections`."""

    source: Source
    sections: dict[str, dict[str, Wanted]]

    def each(self) -> list[Wanted]:
        return [one for section in self.sections.values() for one in section.values()]


def read_file(name: str, stdin: Any) -> tuple[Source, bytes]:
    """The bytes of a file, or of standard input for `-`; raises Failure."""
    if name == "-":
        return Source("standard input"), getattr(stdin, "buffer", stdin).read()
    try:
        return Source(name), Path(name).read_bytes()
    except OSError as error:
        raise Failure(f"{name}: {error.strerror}", Exit.INVALID) from error


def load(source: Source, raw: bytes, env: Mapping[str, str]) -> Manifest:
    """The file as it is wanted; raises Failure, naming the line of what is wrong."""
    top = parse(source, raw)
    if not isinstance(top.value, dict):
        raise source.fault(top.line, f"a file has sections: {listed([*BY_NAME])}")
    _check_top(source, top.value)
    return Manifest(
        source,
        {
            name: _section(source, section, top.value[name], env)
            for name, section in BY_NAME.items()
            if name in top.value
        },
    )


def _check_top(source: Source, top: Mapping[str, Node]) -> None:
    for name, node in top.items():
        # As in compose files: a place for anchors.
        if name not in BY_NAME and name != "version" and not name.startswith("x-"):
            raise _unknown(source, node, name, ["version", *BY_NAME])
    version = top.get("version")
    if version is not None and version.value != VERSION:
        raise source.fault(version.line, f"version {version.value} is not known, only {VERSION}")


def _section(
    source: Source, section: Section, node: Node, env: Mapping[str, str]
) -> dict[str, Wanted]:
    entries = {} if node.value is None else node.value
    if not isinstance(entries, dict):
        raise source.fault(node.line, f"{section.name} is a map: names, and what they stand for")
    return {name: _wanted(source, section, name, one, env) for name, one in entries.items()}


def _wanted(
    source: Source, section: Section, name: str, node: Node, env: Mapping[str, str]
) -> Wanted:
    if not isinstance(node.value, dict):
        raise source.fault(node.line, f"the {section.word} {name!r} is a map of fields")
    _check_keys(source, section, node)
    given = {key: one for key, one in node.value.items() if one.value is not None}
    wanted = Wanted(
        section,
        name,
        node,
        {key: filled(source, one, env) for key, one in given.items()},
        {key: shown(one) for key, one in given.items()},
    )
    for place, _, names in named(section, wanted.fields):
        _check_names(source, wanted, place, names)
    return wanted


def _check_names(source: Source, wanted: Wanted, place: Place, names: Any) -> None:
    if names is None:
        return
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise source.fault(wanted.line(place), f"{place[-1]} is a list of names")


def _check_keys(source: Source, section: Section, node: Node) -> None:
    """Refuse what the kind does not have; raises Failure, naming line and key."""
    kind = node.value.get("kind")
    fields = section.fields({"kind": kind.value if kind else None})
    if fields is None:
        line, known = (kind or node).line, listed([*section.kinds])
        raise source.fault(line, f"kind is to be one of {known}" if kind else "the kind is missing")
    for name, one in node.value.items():
        if name not in fields:
            raise _unknown(source, one, name, [*fields])
    for name, part in section.parts.items():
        if name in node.value and node.value[name].value is not None:
            _check_parts(source, part, node.value[name])
    expect = node.value.get("expect")
    if expect is not None and isinstance(expect.value, dict):
        _check_expect(source, expect.value, str(kind.value if kind else ""))


def _check_parts(source: Source, part: Section, node: Node) -> None:
    parts = node.value if isinstance(node.value, list) else [None]
    for one in parts:
        if one is None or not isinstance(one.value, dict):
            raise source.fault((one or node).line, f"{part.name} is a list of maps of fields")
        _check_keys(source, part, one)


def _check_expect(source: Source, expect: Mapping[str, Node], kind: str) -> None:
    known = EXPECT[kind]
    for name, node in expect.items():
        if name not in known:
            raise _unknown(source, node, name, [*known])
    tests = expect.get("json")
    for test in tests.value if tests and isinstance(tests.value, list) else ():
        for name, node in test.value.items() if isinstance(test.value, dict) else ():
            if name not in _JSON_TESTS:
                raise _unknown(source, node, name, sorted(_JSON_TESTS))


def _unknown(source: Source, node: Node, name: str, known: list[str]) -> Failure:
    return source.fault(node.line, f"{name!r} is not known; there is {listed(known, 20)}")
