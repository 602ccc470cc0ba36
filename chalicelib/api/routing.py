"""The table of routes: one decorator says everything about an operation."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from chalicelib.api.calls import Answer, Call
from chalicelib.services.accounts import Scope

View = Callable[[Call[Any, Any]], Answer]


class NoQuery(BaseModel, extra="forbid"):
    """For operations that take no query parameters."""


@dataclass(frozen=True, slots=True)
class Route:
    """One operation. `scope` None makes it public; `body` and `query` are its schemas."""

    method: str
    path: str
    view: View
    scope: Scope | None
    body: type[BaseModel] | None
    query: type[BaseModel]
    answer: type[BaseModel] | None
    status: int

    @property
    def name(self) -> str:
        return self.view.__name__


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
    ) -> Callable[[View], View]:
        """Declare the decorated function as the operation `method path`."""

        def declare(view: View) -> View:
            self._routes.append(Route(method, path, view, scope, body, query, answer, status))
            return view

        return declare
