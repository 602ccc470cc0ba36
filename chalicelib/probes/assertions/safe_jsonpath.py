"""python-jsonpath made safe: strict RFC 9535, no regular expressions, every step counted.

Imported only where a target has a JSON condition.
"""

import threading
import time
from collections.abc import Iterable, Mapping, Sequence

from jsonpath import JSONPath, JSONPathEnvironment, JSONPathError, JSONPathMatch
from jsonpath.filter import BaseExpression, FilterQuery
from jsonpath.selectors import Filter

from chalicelib.probes.assertions.work_budget import BadPath, Budget, TooMuchWork

_LOOK_AT_CLOCK: int = 256


class _Spending(threading.local):
    """The budget of the evaluation that this thread is at."""

    budget = Budget(steps=0, until=0.0)

    def step(self) -> None:
        self.budget.steps -= 1
        if self.budget.steps < 0:
            raise TooMuchWork
        if self.budget.steps % _LOOK_AT_CLOCK == 0 and time.monotonic() > self.budget.until:
            raise TooMuchWork


_SPENDING = _Spending()


class _Match(JSONPathMatch):
    """A node that counts and keeps nothing but its value: neither its path nor its children."""

    __slots__ = ()

    def __init__(self, obj: object, root: object) -> None:
        _SPENDING.step()
        super().__init__(
            filter_context={},
            obj=obj,
            parent=None,
            path="",
            parts=(),
            root=root,  # type: ignore[arg-type]  # any JSON
        )

    def new_child(self, obj: object, key: int | str) -> "_Match":
        del key
        return _Match(obj, self.root)

    def add_child(self, *children: JSONPathMatch) -> None:
        del children


class _Environment(JSONPathEnvironment):
    def setup_function_extensions(self) -> None:
        super().setup_function_extensions()
        for name in ("match", "search", "count"):  # backtracking; or many steps in one
            self.function_extensions.pop(name, None)

    def is_truthy(self, obj: object) -> bool:
        _SPENDING.step()
        return super().is_truthy(obj)

    def getitem(self, obj: object, key: object) -> object:
        _SPENDING.step()
        return super().getitem(obj, key)


_ENVIRONMENT = _Environment(strict=True)


def compile_safely(path: str) -> JSONPath:
    """Return a path of which each step takes the same small time; raise BadPath."""
    try:
        compiled = _ENVIRONMENT.compile(path)
    except (JSONPathError, RecursionError) as error:
        reason = str(error).partition("\n")[0]
        raise BadPath(f"the JSONPath is not valid: {reason}") from None
    if not isinstance(compiled, JSONPath):
        raise BadPath("the JSONPath is not valid: it is more than one")
    for segment in compiled.segments:
        for selector in segment.selectors:
            if isinstance(selector, Filter):
                _refuse_searches(selector.expression)
    return compiled


def _refuse_searches(filter_expression: BaseExpression) -> None:
    """A filter may look at single values only: a search for each node has no bound."""
    expressions: list[BaseExpression] = [filter_expression]
    while expressions:
        expression = expressions.pop()
        if isinstance(expression, FilterQuery) and not expression.path.singular_query():
            raise BadPath("a filter of a JSONPath may only look at single values, such as @.name")
        expressions.extend(expression.children() or ())


def select(path: JSONPath, document: object, budget: Budget) -> list[object]:
    """Return the values that a compiled path selects; raise TooMuchWork beyond the budget."""
    if isinstance(document, str) or not isinstance(document, Mapping | Sequence):
        return [document] if path.empty() else []
    _SPENDING.budget = budget
    nodes: Iterable[JSONPathMatch] = [_Match(document, document)]
    for segment in path.segments:
        nodes = segment.resolve(nodes)
    try:
        return [node.obj for node in nodes]
    except (JSONPathError, RecursionError):
        raise TooMuchWork from None
