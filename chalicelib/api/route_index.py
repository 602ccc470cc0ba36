"""The index of operations and their modules, so that a start imports no routes.

`make openapi` generates route_index.txt. Importing the routes and schemas of all operations would
double the duration of a cold start, while a request needs only one of them.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

from chalicelib.api.routing import Operation, Route

FILE = Path(__file__).with_name("route_index.txt")


def operations() -> Sequence[Operation]:
    """Return all operations without importing their modules."""
    lines = FILE.read_text(encoding="utf-8").splitlines()
    return [Operation(*line.split()) for line in lines]


def text(routes: Iterable[Route]) -> str:
    """Return the content of FILE: a line with method, path, module and function per route."""
    found = [
        (route.path, route.method, route.view.__module__.removeprefix("chalicelib."), route.name)
        for route in routes
    ]
    lines = [f"{method} {path} {module} {name}\n" for path, method, module, name in sorted(found)]
    return "".join(lines)
