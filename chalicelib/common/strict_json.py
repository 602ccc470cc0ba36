"""JSON as RFC 8259 has it: without the extensions that the standard library accepts."""

import json
from typing import Any


def parse(text: str) -> object:
    """Parse JSON; raises ValueError for NaN, Infinity and repeated keys, and RecursionError."""
    return json.loads(text, object_pairs_hook=_distinct, parse_constant=_no_constant)


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("an object repeats a key")
    return found


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
