"""The table of routes: one decorator says everything about an operation.

Both the door and the OpenAPI document are made from it; there is no second description. The door
only knows where each operation is, and loads its module at the first call.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from pydantic import BaseModel

from chalicelib.access.authentication import Scope
from chalicelib.api.request import Call, Response

JSON = "application/json"
HTML = "text/html"
View = Callable[[Call[Any, Any, Any]], Response]


class NoQuery(BaseModel, extra="forbid", defer_build=True):
    """For operations that take no query parameters."""


@dataclass(frozen=True, slots=True)
class Route:
    """One operation. `scope` None makes it public; `body` and `query` are its schemas.

    `media` are the content types of the good answer, of which `answer` is the schema of JSON, and
    `also` what is answered with further statuses. `takes` and `gives` name headers. `problems` are
    the statuses of problems beyond those that follow from the rest, see `statuses`. `bucket` is the
    stricter rate limit that it falls under, beside that of all requests.
    """

    method: str
    path: str
    view: View
    scope: Scope | None
    body: type[BaseModel] | None
    query: type[BaseModel]
    answer: type[BaseModel] | None
    status: int
    media: Sequence[str]
    also: Mapping[int, type[BaseModel]]
    bucket: str | None
    takes: Sequence[str]
    gives: Sequence[str]
    problems: Sequence[int]

    @property
    def name(self) -> str:
        return self.view.__name__

    @property
    def tag(self) -> str:
        """What it is about: the first noun of its path."""
        if self.path.startswith(("/status/", "/badge/")):
            return "status"
        if not self.path.startswith("/v1/"):
            return "site"
        return self.path.split("/")[2].partition(".")[0]

    @property
    def statuses(self) -> list[int]:
        """The statuses of all problems that it can be answered with."""
        found = {400, 500, *self.problems}
        if self.scope is not None:
            found |= {401, 403, 429, 503}
        if self.body is not None:
            found |= {413, 415, 422}
        if "{" in self.path:
            found.add(404)
        if "If-Match" in self.takes:
            found.add(412)
        if "Idempotency-Key" in self.takes:
            found |= {409, 422}
        return sorted(found)


@dataclass(frozen=True, slots=True)
class Operation:
    """Where the route of an operation is: a module below `chalicelib` and a function in it."""

    method: str
    path: str
    module: str
    name: str

    def load(self) -> Route:
        """The route, with its schemas and all that its module needs."""
        routes: Routes = import_module(f"chalicelib.{self.module}").routes
        return next(route for route in routes if route.name == self.name)


class Routes:
    """The operations of one module."""

    def __init__(self) -> None:
        self._routes: list[Route] = []

    def __iter__(self) -> Iterator[Route]:
        return iter(self._routes)

    def __call__(  # noqa: PLR0913 - everything about an operation in one place
        self,
        method: str,
        path: str,
        *,
        scope: Scope | None,
        body: type[BaseModel] | None = None,
        query: type[BaseModel] = NoQuery,
        answer: type[BaseModel] | None = None,
        status: int = 200,
        media: Sequence[str] = (JSON,),
        also: Mapping[int, type[BaseModel]] | None = None,
        bucket: str | None = None,
        takes: Sequence[str] = (),
        gives: Sequence[str] = (),
        problems: Sequence[int] = (),
    ) -> Callable[[View], View]:
        """Declare the decorated function as the operation `method path`."""

        def declare(view: View) -> View:
            self._routes.append(
                Route(
                    method=method,
                    path=path,
                    view=view,
                    scope=scope,
                    body=body,
                    query=query,
                    answer=answer,
                    status=status,
                    media=media,
                    also=also or {},
                    bucket=bucket,
                    takes=takes,
                    gives=gives,
                    problems=problems,
                )
            )
            return view

        return declare
