"""A call as a route sees it, and its answer."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Generic
from urllib.parse import urlencode

from pydantic import BaseModel
from typing_extensions import TypeVar

from chalicelib.access.authentication import Principal
from chalicelib.api.cursors import Cursors
from chalicelib.api.problems import as_json
from chalicelib.common.errors import NotFoundError, UnauthenticatedError
from chalicelib.common.ids import is_id
from chalicelib.common.runtime import BaseRuntime

Body = TypeVar("Body")
Query = TypeVar("Query")
Runtime_co = TypeVar("Runtime_co", bound=BaseRuntime, default=BaseRuntime, covariant=True)


@dataclass(frozen=True, slots=True)
class Call(Generic[Body, Query, Runtime_co]):
    """One request with its body and query parameters, valid by their schemas.

    `given` are the query parameters as they were sent; `request_id` is in the logs too.
    """

    runtime: Runtime_co
    body: Body
    query: Query
    path: Mapping[str, str]
    headers: Mapping[str, str]
    caller: Principal | None = None
    given: Mapping[str, str] = field(default_factory=dict)
    request_id: str = ""

    @property
    def principal(self) -> Principal:
        """Who is calling; raises UnauthenticatedError on a public route."""
        if self.caller is None:
            raise UnauthenticatedError("nobody is authenticated here")
        return self.caller

    @property
    def owner(self) -> str:
        return self.principal.owner

    @property
    def token(self) -> str:
        """The token of the call itself."""
        return self.headers["authorization"].partition(" ")[2].strip()

    def quota(self, noun: str) -> int:
        """How many of a noun the caller may have."""
        return self.runtime.settings.limits.quota(noun, self.principal.limits)

    def id(self, name: str, noun: str) -> str:
        """The id in the path; raises NotFoundError where it cannot be one."""
        value = self.path[name]
        if not is_id(value):
            raise NotFoundError(f"there is no such {noun}")
        return value

    def cursors(self, name: str) -> Cursors:
        """The cursors of the list `name` with the filters of this call."""
        filters = self.query.model_dump() if isinstance(self.query, BaseModel) else {}
        kept = {
            key: value
            for key, value in filters.items()
            if key not in {"cursor", "limit"} and value is not None
        }
        return Cursors(self.principal.cursor_key, name, {**kept, **self.path})

    def page(
        self, schema: type[BaseModel], items: list[Any], next_cursor: str | None
    ) -> "Response":
        """A page of a list, with a link to the next one where there is one.

        The link is relative, as every address given: behind a stage, a custom domain or an
        emulator the API cannot know its own, but whoever called it does.
        """
        body = schema.model_validate({"items": items, "next_cursor": next_cursor})
        if next_cursor is None:
            return Response(body)
        query = urlencode({**self.given, "cursor": next_cursor})
        return Response(body, headers={"Link": f'<?{query}>; rel="next"'})


@dataclass(frozen=True, slots=True)
class Response:
    """What a route answers: a schema or text, None for an empty body."""

    body: BaseModel | Mapping[str, Any] | str | None = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The body as it is sent."""
        if isinstance(self.body, BaseModel):
            # What is stored was valid once: a schema that is stricter by now refuses nothing.
            return self.body.model_dump_json(by_alias=True, warnings=False)
        if isinstance(self.body, Mapping):
            return as_json(self.body)
        return self.body or ""
