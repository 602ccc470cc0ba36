"""Write a manifest."""

from collections.abc import Mapping
from typing import Any

import yaml

from monitum_cli.errors import CliError, ExitCode
from monitum_cli.manifest.defaults import without_defaults
from monitum_cli.manifest.schema import SECTIONS, VERSION
from monitum_cli.manifest.state import NameIndex, State, duplicates_message
from monitum_cli.manifest.variables import escape

_WIDTH = 100
Resources = Mapping[str, Mapping[str, Mapping[str, Any]]]
"""Fields by section and name."""


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 - pyyaml's signature
        """Never write an alias for a value that occurs twice."""
        return True


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    """Quote text with control characters, which only double quotes allow to escape."""
    style = None if text.replace("\n", "").isprintable() else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _represent_text)


def export_resources(state: State, names: NameIndex) -> dict[str, dict[str, Any]]:
    """Return the current resources sorted by name, without defaults and windows that are over.

    Raises CliError for duplicate names, because names are unique in a manifest.
    """
    for section in SECTIONS:
        for name, ids in names.duplicates(section.name).items():
            raise CliError(duplicates_message(section, name, ids), ExitCode.CONFLICT)
    return {
        section.name: {
            one.name: escape(without_defaults(section, one.fields))
            for one in sorted(state[section.name], key=lambda one: one.name)
            if not one.is_over
        }
        for section in SECTIONS
    }


def to_yaml(resources: Resources) -> str:
    """Format a manifest as YAML, without empty sections."""
    content: dict[str, Any] = {"version": VERSION}
    for section in SECTIONS:
        if resources.get(section.name):
            content[section.name] = resources[section.name]
    text = yaml.dump(
        content, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=_WIDTH, indent=2
    )
    return "".join(char if char == "\n" or char.isprintable() else _escape(char) for char in text)


def _escape(char: str) -> str:
    """Escape a character for double quotes; pyyaml leaves some unprintable ones as they are."""
    code = ord(char)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
