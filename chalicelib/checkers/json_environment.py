"""python-jsonpath made safe: strict RFC 9535, no regular expressions, every step counted.

Imported only where a target has a JSON condition.
"""

import threading
from collections.abc import Mapping, Sequence
from typing import Any

from jsonpath import JSONPathEnvironment, JSONPathError, JSONPathMatch

from chalicelib.checkers.json_values import TooMuchWork


class _Budget(threading.local):
    """The steps that this thread's evaluation has left."""

    steps = 0

    def spend(self) -> None:
        self.steps -= 1
        if self.steps < 0:
            raise TooMuchWork


_BUDGET = _Budget()


class _Match(JSONPathMatch):
    """A node that counts and keeps nothing but its value: neither its path nor its children."""

    __slots__ = ()

    def __init__(self, **fields: Any) -> None:
        _BUDGET.spend()
        super().__init__(**fields)

    def new_child(self, obj: object, key: int | str) -> "_Match":
        del key
        return _Match(
            filter_context=self.filter_context(),
            obj=obj,
            parent=None,
            parts=(),
            path="",
            root=self.root,
        )

    def add_child(self, *children: JSONPathMatch) -> None:
        del children


class _Environment(JSONPathEnvironment):
    match_class = _Match

    def setup_function_extensions(self) -> None:
        super().setup_function_extensions()
        for name in ("match", "search"):  # backtracking regular expressions
            self.function_extensions.pop(name, None)

    def is_truthy(self, obj: object) -> bool:
        _BUDGET.spend()
        return super().is_truthy(obj)

    def compare(self, left: object, operator: str, right: object) -> bool:
        _BUDGET.spend()
        if operator == "=~":
            return False
        return super().compare(left, operator, right)


ENVIRONMENT = _Environment(strict=True)


def select(path: Any, document: object, steps: int) -> list[object]:
    """Return the values that a compiled path selects; raise TooMuchWork beyond `steps` steps."""
    if isinstance(document, str) or not isinstance(document, Mapping | Sequence):
        return [document] if path.empty() else []
    _BUDGET.steps = steps
    try:
        return [match.obj for match in path.finditer(document)]
    except (JSONPathError, RecursionError):
        raise TooMuchWork from None
