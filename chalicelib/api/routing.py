"""Declare operations: one decorator holds everything about an operation.

The dispatcher and the OpenAPI document both use it; there is no second description. At start, the
dispatcher reads only where each operation is, and imports its module on the first call.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from importlib import import_module
from typing import Any, Concatenate, ParamSpec

from pydantic import BaseModel

from chalicelib.access.authentication import Scope
from chalicelib.api.request import Call, Response

JSON = "application/json"
HTML = "text/html"
View = Callable[[Call[Any, Any, Any]], Response]
P = ParamSpec("P")


class NoQuery(BaseModel, extra="forbid", defer_build=True):
    """The query schema of operations without query parameters."""


@dataclass(frozen=True, slots=True)
class Route:
    """One operation. A public one has no `scope`; `body` and `query` are the request schemas.

    `response` is the schema of a successful JSON response, `media_types` are its content types, and
    `other_responses` maps further statuses to their schemas. `bucket` names a stricter
    rate limit that applies in addition to that of all requests. `problems` are error statuses
    beyond those that `statuses` derives from the other fields.
    """

    view: View
    method: str
    path: str
    _: KW_ONLY
    scope: Scope | None
    body: type[BaseModel] | None = None
    query: type[BaseModel] = NoQuery
    response: type[BaseModel] | None = None
    status: int = 200
    media_types: Sequence[str] = (JSON,)
    other_responses: Mapping[int, type[BaseModel]] = field(default_factory=dict)
    bucket: str | None = None
    request_headers: Sequence[str] = ()
    response_headers: Sequence[str] = ()
    problems: Sequence[int] = ()

    @property
    def name(self) -> str:
        return self.view.__name__

    @property
    def tag(self) -> str:
        """The tag in the OpenAPI document: the first noun of the path."""
        if self.path.startswith(("/status/", "/badge/")):
            return "status"
        if not self.path.startswith("/v1/"):
            return "site"
        return self.path.split("/")[2].partition(".")[0]

    @property
    def statuses(self) -> list[int]:
        """All error statuses that the operation can return."""
        found = {400, 500, *self.problems}
        if self.scope is not None:
            found |= {401, 403, 429, 503}
        if self.body is not None:
            found |= {413, 415, 422}
        if "{" in self.path:
            found.add(404)
        if "If-Match" in self.request_headers:
            found.add(412)
        if "Idempotency-Key" in self.request_headers:
            found |= {409, 422}
        return sorted(found)


@dataclass(frozen=True, slots=True)
class Operation:
    """The location of a route: a module below `chalicelib` and a function in it."""

    method: str
    path: str
    module: str
    name: str

    def load(self) -> Route:
        """Import the module and return the route."""
        routes: Routes = import_module(f"chalicelib.{self.module}").routes
        return next(route for route in routes if route.name == self.name)


def _decorator(
    route: Callable[Concatenate[View, P], Route],
) -> Callable[Concatenate["Routes", P], Callable[[View], View]]:
    """Turn the constructor of Route into a method of Routes that decorates the view."""

    def declare(self: "Routes", /, *args: P.args, **options: P.kwargs) -> Callable[[View], View]:
        def add(view: View) -> View:
            self.declared.append(route(view, *args, **options))
            return view

        return add

    return declare


class Routes:
    """The operations of one module. Call it with the fields of Route to decorate a view."""

    def __init__(self) -> None:
        self.declared: list[Route] = []

    def __iter__(self) -> Iterator[Route]:
        return iter(self.declared)

    # Derived from Route, so that type checkers know its arguments and they are declared once.
    __call__ = _decorator(Route)
