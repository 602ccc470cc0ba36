"""Load a manifest. Names, kinds and keys are checked here, values by the API."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from monitum_cli.errors import CliError, FieldPath
from monitum_cli.formatting import join
from monitum_cli.manifest.schema import (
    EXPECTATIONS,
    SECTIONS_BY_NAME,
    VERSION,
    Section,
    iter_references,
)
from monitum_cli.manifest.variables import substitute
from monitum_cli.manifest.yaml_reader import Node, Source, parse

_JSON_TESTS = {"path", "equals", "not", "greater", "less", "exists", "matches"}


@dataclass(frozen=True, slots=True)
class DesiredResource:
    """A resource of a manifest: its fields with variables substituted, references by name.

    `literal` are the fields as written, with variables: fit to be printed.
    """

    source: Source
    section: Section
    name: str
    node: Node
    fields: dict[str, Any]
    literal: dict[str, Any]

    def error(self, message: str, path: FieldPath = ()) -> CliError:
        """Return an error located at a field, or at the closest value around it."""
        node = self.node
        for step in path:
            value = node.value
            if isinstance(value, dict) and str(step) in value:
                node = value[str(step)]
            elif isinstance(value, list) and isinstance(step, int) and step < len(value):
                node = value[step]
        return self.source.error(node.line, message)


Manifest = Mapping[str, Mapping[str, DesiredResource]]
"""The resources by section and name. Only sections that are in the file are in it."""


def load(source: Source, raw: bytes, env: Mapping[str, str]) -> Manifest:
    """Load a manifest; raises CliError with the line of the error."""
    root = parse(source, raw)
    if not isinstance(root.value, dict):
        expected = join([*SECTIONS_BY_NAME])
        raise source.error(root.line, f"the file must be a map of sections: {expected}")
    _check_root(source, root.value)
    return {
        name: _load_section(source, section, root.value[name], env)
        for name, section in SECTIONS_BY_NAME.items()
        if name in root.value
    }


def _check_root(source: Source, root: Mapping[str, Node]) -> None:
    for name, node in root.items():
        # As in compose files, keys with `x-` are free for anchors.
        if name not in SECTIONS_BY_NAME and name != "version" and not name.startswith("x-"):
            raise _unknown_key(source, node, name, ["version", *SECTIONS_BY_NAME])
    version = root.get("version")
    if version is not None and version.value != VERSION:
        message = f"version {version.value} is not supported: use {VERSION}"
        raise source.error(version.line, message)


def _load_section(
    source: Source, section: Section, node: Node, env: Mapping[str, str]
) -> dict[str, DesiredResource]:
    entries = {} if node.value is None else node.value
    if not isinstance(entries, dict):
        raise source.error(node.line, f"{section.name} must be a map with a key for each name")
    return {name: _load_resource(source, section, name, one, env) for name, one in entries.items()}


def _load_resource(
    source: Source, section: Section, name: str, node: Node, env: Mapping[str, str]
) -> DesiredResource:
    if not isinstance(node.value, dict):
        raise source.error(node.line, f"the {section.noun} {name!r} must be a map of fields")
    _check_keys(source, section, node)
    given = {key: value for key, value in node.value.items() if value.value is not None}
    resource = DesiredResource(
        source,
        section,
        name,
        node,
        fields={key: substitute(source, value, env) for key, value in given.items()},
        literal={key: value.plain() for key, value in given.items()},
    )
    for path, _, names in iter_references(section, resource.fields):
        is_list = isinstance(names, list) and all(isinstance(one, str) for one in names)
        if names is not None and not is_list:
            raise resource.error(f"{path[-1]} must be a list of names", path)
    return resource


def _check_keys(source: Source, section: Section, node: Node) -> None:
    """Raise CliError for a key that the kind of resource does not have."""
    kind = node.value.get("kind")
    fields = section.fields_of({"kind": kind.value if kind else None})
    if fields is None:
        known = join([*section.kinds])
        message = f"kind must be one of {known}" if kind else f"kind is required: one of {known}"
        raise source.error((kind or node).line, message)
    for name, value in node.value.items():
        if name not in fields:
            raise _unknown_key(source, value, name, [*fields])
    for name, part in section.parts.items():
        if name in node.value and node.value[name].value is not None:
            _check_parts(source, part, node.value[name])
    expect = node.value.get("expect")
    if expect is not None and isinstance(expect.value, dict):
        _check_expectations(source, expect.value, str(kind.value if kind else ""))


def _check_parts(source: Source, part: Section, node: Node) -> None:
    items = node.value if isinstance(node.value, list) else [None]
    for item in items:
        if item is None or not isinstance(item.value, dict):
            raise source.error((item or node).line, f"{part.name} must be a list of maps")
        _check_keys(source, part, item)


def _check_expectations(source: Source, expect: Mapping[str, Node], kind: str) -> None:
    for name, node in expect.items():
        if name not in EXPECTATIONS[kind]:
            raise _unknown_key(source, node, name, [*EXPECTATIONS[kind]])
    tests = expect.get("json")
    for test in tests.value if tests and isinstance(tests.value, list) else ():
        for name, node in test.value.items() if isinstance(test.value, dict) else ():
            if name not in _JSON_TESTS:
                raise _unknown_key(source, node, name, sorted(_JSON_TESTS))


def _unknown_key(source: Source, node: Node, name: str, known: list[str]) -> CliError:
    return source.error(node.line, f"unknown key {name!r}: use one of {join(known, 20)}")
