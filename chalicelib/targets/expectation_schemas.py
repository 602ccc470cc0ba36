"""Schemas of expectations: conditions on a response for the target to be UP."""

import re
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SerializerFunctionWrapHandler,
    WithJsonSchema,
    model_serializer,
    model_validator,
)

from chalicelib.api.schemas import Line, Schema

_RANGE = re.compile(r"([1-5][0-9]{2})-([1-5][0-9]{2})")
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_COMPARISONS = ("equals", "not", "greater", "less", "exists", "matches")


def _status_code(value: object) -> int | str:
    if isinstance(value, int) and not isinstance(value, bool) and 100 <= value <= 599:
        return value
    match = _RANGE.fullmatch(value) if isinstance(value, str) else None
    if match and match[1] <= match[2]:
        return match[0]
    raise ValueError("must be a status code from 100 to 599 or a range such as '200-299'")


def header_name(name: str) -> str:
    """Validate a header name by RFC 9110; raises ValueError."""
    if not _TOKEN.fullmatch(name) or len(name) > 100:
        raise ValueError(f"{name[:100]!r} is not a valid header name")
    return name


# One validator instead of a union, so that an invalid value gives one error at its own place.
StatusCodes = Annotated[
    Any,
    BeforeValidator(_status_code),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 100, "maximum": 599},
                {"type": "string", "pattern": f"^{_RANGE.pattern}$"},
            ]
        }
    ),
]
Text = Annotated[str, Field(min_length=1, max_length=1000)]


class JsonExpectation(Schema):
    """A value in a JSON body, selected by JSONPath (RFC 9535); all given comparisons must hold."""

    path: Annotated[Line, Field(min_length=1, max_length=200, pattern=r"^\$")]
    equals: Any = None
    not_: Annotated[Any, Field(alias="not")] = None
    greater: float | None = None
    less: float | None = None
    exists: bool | None = None
    matches: Text | None = None

    @property
    def _given(self) -> set[str]:
        return {name.rstrip("_") for name in self.model_fields_set}

    @model_validator(mode="after")
    def _has_comparison(self) -> "JsonExpectation":
        if not self._given & set(_COMPARISONS):
            raise ValueError(f"at least one of {', '.join(_COMPARISONS)} is required")
        return self

    @model_serializer(mode="wrap")
    def _only_given(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Omit comparisons that were not given, since `equals: null` is a comparison."""
        return {name: value for name, value in handler(self).items() if name in self._given}


class _Speed(Schema):
    """Expectations of every kind; a slower response makes the target DEGRADED."""

    max_response_ms: Annotated[int, Field(ge=1, le=25_000)] | None = None


class _Body(_Speed):
    """Expectations on the response text."""

    body_contains: Text | None = None
    body_not_contains: Text | None = None
    body_matches: Text | None = None


class HttpExpectations(_Body):
    """All must hold; the first that does not is the check's reason.

    If redirects are not followed, `status_codes` is 200-399 by default.
    """

    status_codes: Annotated[list[StatusCodes], Field(min_length=1, max_length=20)] = ["200-299"]
    json_values: Annotated[list[JsonExpectation], Field(max_length=20, alias="json")] = []
    headers: Annotated[
        dict[Annotated[str, AfterValidator(header_name)], Annotated[Line, Field(max_length=500)]],
        Field(max_length=20),
    ] = {}
    tls_days_left: Annotated[int, Field(ge=1, le=365)] | None = None


class TcpExpectations(_Body):
    """Expectations on the text received; nothing is read without any."""


class TlsExpectations(_Speed):
    """`tls_days_left` 0 disables the warning."""

    tls_days_left: Annotated[int, Field(ge=0, le=365)] = 14


class DnsExpectations(_Speed):
    """The expected records are in the target's `expected`."""
