"""The request that a route receives, and the response that it returns."""

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
    """One request, with its validated body and query parameters.

    `raw_query` has the query parameters as they were sent; `request_id` is in the logs too.
    `api_id` is the id of the API in API Gateway, which sends it with every request.
    """

    runtime: Runtime_co
    body: Body
    query: Query
    path: Mapping[str, str]
    headers: Mapping[str, str]
    caller: Principal | None = None
    raw_query: Mapping[str, str] = field(default_factory=dict)
    request_id: str = ""
    api_id: str = ""

    @property
    def public_url(self) -> str:
        """The URL of this API for links in emails and feeds; empty if it is unknown."""
        return self.runtime.settings.url_of_api(self.api_id)

    @property
    def principal(self) -> Principal:
        """The authenticated caller; raises UnauthenticatedError on a public route."""
        if self.caller is None:
            raise UnauthenticatedError("this operation has no authenticated caller")
        return self.caller

    @property
    def owner(self) -> str:
        return self.principal.owner

    @property
    def token(self) -> str:
        """The token of the call itself."""
        return self.headers["authorization"].partition(" ")[2].strip()

    def quota(self, noun: str) -> int:
        """Return the caller's quota of `noun`, such as "targets"."""
        return self.runtime.settings.limits.quota(noun, self.principal.limits)

    def id(self, name: str, noun: str) -> str:
        """Return an id from the path; raises NotFoundError if it is malformed."""
        value = self.path[name]
        if not is_id(value):
            raise NotFoundError(f"there is no such {noun}")
        return value

    def cursors(self, name: str) -> Cursors:
        """Return the cursors of the list `name` with the filters of this request."""
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
        """Return a page of a list, with a link to the next page if there is one.

        The link is relative, as all URLs are: behind a stage, a custom domain or an emulator the
        API does not know its own URL, but its callers do.
        """
        body = schema.model_validate({"items": items, "next_cursor": next_cursor})
        if next_cursor is None:
            return Response(body)
        query = urlencode({**self.raw_query, "cursor": next_cursor})
        return Response(body, headers={"Link": f'<?{query}>; rel="next"'})


@dataclass(frozen=True, slots=True)
class Response:
    """The response of a route. Its body is a schema, JSON, text, or None if it is empty."""

    body: BaseModel | Mapping[str, Any] | str | None = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The serialized body."""
        if isinstance(self.body, BaseModel):
            # Stored values may break a schema that has become stricter since; return them anyway.
            return self.body.model_dump_json(by_alias=True, warnings=False)
        if isinstance(self.body, Mapping):
            return as_json(self.body)
        return self.body or ""
