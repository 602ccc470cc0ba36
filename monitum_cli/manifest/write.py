"""Writes a file as `load` reads it."""

from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from monitum_cli.errors import Exit, Failure
from monitum_cli.manifest.load import VERSION
from monitum_cli.manifest.shape import SECTIONS
from monitum_cli.manifest.spelling import brief
from monitum_cli.manifest.state import Names, Present
from monitum_cli.manifest.variables import escaped
from monitum_cli.texts import listed

_WIDTH = 100
Things = Mapping[str, Mapping[str, Mapping[str, Any]]]


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 - the library's
        """Say everything where it belongs, and nothing by a pointer."""
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    """What a terminal could take for a command is spelled out, which needs double quotes."""
    style = None if text.replace("\n", "").isprintable() else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


def export(found: Mapping[str, Sequence[Present]], names: Names) -> dict[str, dict[str, Any]]:
    """What there is, section by section, in the order of names and without defaults.

    Raises Failure where several things have one name: in a file it would mean one of them.
    """
    for section in SECTIONS:
        for name, ids in names.twice(section.name).items():
            raise Failure(
                f"{len(ids)} {section.word}s are called {name!r} ({listed(ids)}):"
                " in a file names are unique, rename all but one",
                Exit.CONFLICT,
            )
    return {
        section.name: {
            one.name: escaped(brief(section, one.fields))
            for one in sorted(found[section.name], key=lambda one: one.name)
            if not one.is_over
        }
        for section in SECTIONS
    }


def as_yaml(things: Things) -> str:
    """The text of a file; sections without anything in them are left out."""
    content: dict[str, Any] = {"version": VERSION}
    content |= {name: things[name] for name in (one.name for one in SECTIONS) if things.get(name)}
    text = yaml.dump(
        content, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=_WIDTH, indent=2
    )
    return "".join(char if char == "\n" or char.isprintable() else _spelled(char) for char in text)


def _spelled(char: str) -> str:
    """A character as double quotes have it in YAML."""
    code = ord(char)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
