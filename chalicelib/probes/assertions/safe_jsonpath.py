"""A safe python-jsonpath: strict RFC 9535, no regular expressions, every step counted.

Imported only for targets with a JSON condition.
"""

import threading
import time
from collections.abc import Iterable, Mapping, Sequence

from jsonpath import JSONPath, JSONPathEnvironment, JSONPathError, JSONPathMatch
from jsonpath.filter import BaseExpression, FilterQuery
from jsonpath.selectors import Filter

from chalicelib.probes.errors import BadPath
from chalicelib.probes.work_limiter import Budget, TooMuchWork

_STEPS_PER_CLOCK_CHECK: int = 256


class _Current(threading.local):
    """The budget of this thread's current evaluation: the library's hooks take no argument."""

    budget = Budget(steps=0, deadline=0.0)

    def step(self) -> None:
        self.budget.steps -= 1
        if self.budget.steps < 0:
            raise TooMuchWork
        check_clock = self.budget.steps % _STEPS_PER_CLOCK_CHECK == 0
        if check_clock and time.monotonic() > self.budget.deadline:
            raise TooMuchWork


_CURRENT = _Current()


class _Match(JSONPathMatch):
    """A node that counts as a step and keeps only its value, not its path or its children."""

    __slots__ = ()

    def __init__(self, obj: object, root: object) -> None:
        _CURRENT.step()
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
        for name in ("match", "search", "count"):  # they backtrack, or do many steps in one
            self.function_extensions.pop(name, None)

    def is_truthy(self, obj: object) -> bool:
        _CURRENT.step()
        return super().is_truthy(obj)

    def getitem(self, obj: object, key: object) -> object:
        _CURRENT.step()
        return super().getitem(obj, key)


_ENVIRONMENT = _Environment(strict=True)


def compile_safely(path: str) -> JSONPath:
    """Return a compiled path whose steps each take constant time; raise BadPath."""
    try:
        compiled = _ENVIRONMENT.compile(path)
    except (JSONPathError, RecursionError) as error:
        reason = str(error).partition("\n")[0]
        raise BadPath(f"the JSONPath is not valid: {reason}") from None
    if not isinstance(compiled, JSONPath):
        raise BadPath("the JSONPath is not valid: it combines several paths")
    for segment in compiled.segments:
        for selector in segment.selectors:
            if isinstance(selector, Filter):
                _reject_nested_searches(selector.expression)
    return compiled


def _reject_nested_searches(filter_expression: BaseExpression) -> None:
    """Allow only filters on single values: a search per node would have no bound."""
    expressions: list[BaseExpression] = [filter_expression]
    while expressions:
        expression = expressions.pop()
        if isinstance(expression, FilterQuery) and not expression.path.singular_query():
            raise BadPath("a JSONPath filter may only use single values, such as @.name")
        expressions.extend(expression.children() or ())


def select(path: JSONPath, document: object, budget: Budget) -> list[object]:
    """Return the values that a compiled path selects; raise TooMuchWork if over budget."""
    if isinstance(document, str) or not isinstance(document, Mapping | Sequence):
        return [document] if path.empty() else []
    _CURRENT.budget = budget
    nodes: Iterable[JSONPathMatch] = [_Match(document, document)]
    for segment in path.segments:
        nodes = segment.resolve(nodes)
    try:
        return [node.obj for node in nodes]
    except (JSONPathError, RecursionError):
        raise TooMuchWork from None
