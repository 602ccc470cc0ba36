"""`${NAME}` in a manifest: environment variables, which keep secrets out of the file."""

import re
from collections.abc import Mapping
from typing import Any

from monitum_cli.manifest.yaml_reader import Node, Source

_VARIABLE = re.compile(r"\$(\$(?=\{)|\{([A-Za-z_][A-Za-z0-9_]*)\}|\{)")


def substitute(source: Source, node: Node, env: Mapping[str, str]) -> Any:
    """Return a node's value with its variables replaced; raises CliError if one is not set.

    `$${` stands for `${`. Keys and the values of variables are not searched for variables.
    """
    if isinstance(node.value, str):
        return _VARIABLE.sub(lambda match: _replacement(source, node, env, match), node.value)
    if isinstance(node.value, list):
        return [substitute(source, item, env) for item in node.value]
    if isinstance(node.value, dict):
        return {key: substitute(source, item, env) for key, item in node.value.items()}
    return node.value


def _replacement(source: Source, node: Node, env: Mapping[str, str], match: re.Match[str]) -> str:
    if match[1] == "$":
        return "$"
    if match[2] is None:
        raise source.error(
            node.line, "${ starts a variable, as in ${NAME}: write $${ for a literal ${"
        )
    if match[2] not in env:
        raise source.error(node.line, f"the environment variable {match[2]} is not set")
    return env[match[2]]


def escape(value: Any) -> Any:
    """Escape a value so that `substitute` returns it unchanged."""
    if isinstance(value, str):
        return value.replace("${", "$${")
    if isinstance(value, list):
        return [escape(item) for item in value]
    if isinstance(value, dict):
        return {key: escape(item) for key, item in value.items()}
    return value
