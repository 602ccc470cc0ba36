"""What an answer must be like for its target to be UP."""

import re
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    Field,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)

from chalicelib.api.schemas.common import Line, Schema

_RANGE = re.compile(r"([1-5]\d\d)-([1-5]\d\d)")
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_COMPARISONS = ("equals", "not_equals", "greater", "less", "exists", "matches")


def _status_range(text: str) -> str:
    found = _RANGE.fullmatch(text)
    if not found or found[1] > found[2]:
        raise ValueError("must be a status code or a range such as '200-299'")
    return text


def header_name(name: str) -> str:
    """A header's name as RFC 9110 has it; raises ValueError."""
    if not _TOKEN.fullmatch(name) or len(name) > 100:
        raise ValueError(f"{name[:100]!r} is not a header's name")
    return name


StatusRange = Annotated[str, AfterValidator(_status_range)]
StatusCode = Annotated[int, Field(ge=100, le=599)]
Text = Annotated[str, Field(min_length=1, max_length=1000)]


class JsonExpectation(Schema):
    """One value in a JSON answer, found by a JSONPath (RFC 9535); exactly one comparison."""

    path: Annotated[Line, Field(min_length=1, max_length=200, pattern=r"^\$")]
    equals: Any = None
    not_equals: Any = None
    greater: float | None = None
    less: float | None = None
    exists: bool | None = None
    matches: Text | None = None

    @model_validator(mode="after")
    def _one_comparison(self) -> "JsonExpectation":
        if len(self.model_fields_set & set(_COMPARISONS)) != 1:
            raise ValueError(f"give exactly one of {', '.join(_COMPARISONS)}")
        return self

    @model_serializer(mode="wrap")
    def _only_given(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """`equals: null` is a comparison, so what was not given must not look like it."""
        return {
            name: value for name, value in handler(self).items() if name in self.model_fields_set
        }


class HttpExpectations(Schema):
    """All must hold; the first that does not is the check's reason."""

    status_codes: Annotated[list[StatusCode | StatusRange], Field(min_length=1, max_length=20)] = [
        "200-299"
    ]
    body_contains: Text | None = None
    body_not_contains: Text | None = None
    body_matches: Text | None = None
    json_values: Annotated[list[JsonExpectation], Field(max_length=20, alias="json")] = []
    headers: Annotated[
        dict[Annotated[str, AfterValidator(header_name)], Annotated[Line, Field(max_length=500)]],
        Field(max_length=20),
    ] = {}
    max_response_ms: Annotated[int, Field(ge=1, le=25_000)] | None = None
    tls_days_left: Annotated[int, Field(ge=1, le=365)] | None = None
