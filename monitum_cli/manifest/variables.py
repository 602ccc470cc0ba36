"""`${NAME}` in a file's texts: from the environment, so that secrets stay out of files."""

import re
from collections.abc import Mapping
from typing import Any

from monitum_cli.manifest.yamltext import Node, Source

_VARIABLE = re.compile(r"\$(\$(?=\{)|\{([A-Za-z_][A-Za-z0-9_]*)\}|\{)")


def filled(source: Source, node: Node, env: Mapping[str, str]) -> Any:
    """The node's value with its variables filled in; raises Failure where one is not set.

    `$${` stands for `${`.
    """
    if isinstance(node.value, str):
        return _VARIABLE.sub(lambda found: _value(source, node, env, found), node.value)
    if isinstance(node.value, list):
        return [filled(source, one, env) for one in node.value]
    if isinstance(node.value, dict):
        return {name: filled(source, one, env) for name, one in node.value.items()}
    return node.value


def shown(node: Node) -> Any:
    """The node's value as it is in the file, for people: variables by name."""
    if isinstance(node.value, list):
        return [shown(one) for one in node.value]
    if isinstance(node.value, dict):
        return {name: shown(one) for name, one in node.value.items()}
    return node.value


def escaped(value: Any) -> Any:
    """A value as a file has it, so that it is read as it is."""
    if isinstance(value, str):
        return value.replace("${", "$${")
    if isinstance(value, list):
        return [escaped(one) for one in value]
    if isinstance(value, dict):
        return {name: escaped(one) for name, one in value.items()}
    return value


def _value(source: Source, node: Node, env: Mapping[str, str], found: re.Match[str]) -> str:
    if found[1] == "$":
        return "$"
    if found[2] is None:
        raise source.fault(node.line, "${ begins a variable, as in ${NAME}; write $${ for itself")
    if found[2] not in env:
        raise source.fault(node.line, f"the environment variable {found[2]} is not set")
    return env[found[2]]
