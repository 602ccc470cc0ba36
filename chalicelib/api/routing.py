"""Declare operations: one decorator holds everything about an operation.

The dispatcher and the OpenAPI document both use it; there is no second description. At start, the
dispatcher reads only where each operation is, and imports its module on the first call.
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
    """The query schema of operations without query parameters."""


@dataclass(frozen=True, slots=True)
class Route:
    """One operation. A public one has no `scope`; `body` and `query` are the request schemas.

    `response` is the schema of a successful JSON response, `media_types` are its content types, and
    `other_responses` maps further statuses to their schemas. `bucket` names a stricter
    rate limit that applies in addition to that of all requests. `problems` are error statuses
    beyond those that `statuses` derives from the other fields.
    """

    method: str
    path: str
    view: View
    scope: Scope | None
    body: type[BaseModel] | None
    query: type[BaseModel]
    response: type[BaseModel] | None
    status: int
    media_types: Sequence[str]
    other_responses: Mapping[int, type[BaseModel]]
    bucket: str | None
    request_headers: Sequence[str]
    response_headers: Sequence[str]
    problems: Sequence[int]

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


class Routes:
    """The operations of one module."""

    def __init__(self) -> None:
        self._routes: list[Route] = []

    def __iter__(self) -> Iterator[Route]:
        return iter(self._routes)

    def __call__(  # noqa: PLR0913 - describes the whole operation
        self,
        method: str,
        path: str,
        *,
        scope: Scope | None,
        body: type[BaseModel] | None = None,
        query: type[BaseModel] = NoQuery,
        response: type[BaseModel] | None = None,
        status: int = 200,
        media_types: Sequence[str] = (JSON,),
        other_responses: Mapping[int, type[BaseModel]] | None = None,
        bucket: str | None = None,
        request_headers: Sequence[str] = (),
        response_headers: Sequence[str] = (),
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
                    response=response,
                    status=status,
                    media_types=media_types,
                    other_responses=other_responses or {},
                    bucket=bucket,
                    request_headers=request_headers,
                    response_headers=response_headers,
                    problems=problems,
                )
            )
            return view

        return declare
