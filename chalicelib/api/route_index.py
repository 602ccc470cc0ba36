"""Which module answers what: all that the door has to know before somebody calls.

route_index.txt is made from the routes by `make openapi`. A start that loaded them all would take
twice as long, for the schemas of sixty operations of which a caller wants one.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

from chalicelib.api.routing import Operation, Route

FILE = Path(__file__).with_name("route_index.txt")


def operations() -> Sequence[Operation]:
    """All operations, without loading any."""
    lines = FILE.read_text(encoding="utf-8").splitlines()
    return [Operation(*line.split()) for line in lines]


def text(routes: Iterable[Route]) -> str:
    """What FILE says of `routes`: method, path, module and function, a line for each."""
    found = [
        (route.path, route.method, route.view.__module__.removeprefix("chalicelib."), route.name)
        for route in routes
    ]
    lines = [f"{method} {path} {module} {name}\n" for path, method, module, name in sorted(found)]
    return "".join(lines)
