"""What an answer must be like for its target to be UP."""

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


def _status(value: object) -> int | str:
    if isinstance(value, int) and not isinstance(value, bool) and 100 <= value <= 599:
        return value
    found = _RANGE.fullmatch(value) if isinstance(value, str) else None
    if found and found[1] <= found[2]:
        return found[0]
    raise ValueError("must be a status code from 100 to 599 or a range such as '200-299'")


def header_name(name: str) -> str:
    """A header's name as RFC 9110 has it; raises ValueError."""
    if not _TOKEN.fullmatch(name) or len(name) > 100:
        raise ValueError(f"{name[:100]!r} is not a header's name")
    return name


# One validator instead of a union: one fault, at the place where it is.
StatusCodes = Annotated[
    Any,
    BeforeValidator(_status),
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
    """One value in a JSON answer, found by a JSONPath (RFC 9535); all comparisons given hold."""

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
    def _compares(self) -> "JsonExpectation":
        if not self._given & set(_COMPARISONS):
            raise ValueError(f"give at least one of {', '.join(_COMPARISONS)}")
        return self

    @model_serializer(mode="wrap")
    def _only_given(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """`equals: null` is a comparison, so what was not given must not look like it."""
        return {name: value for name, value in handler(self).items() if name in self._given}


class _Speed(Schema):
    """What every answer can be asked for; DEGRADED is what comes of being too slow."""

    max_response_ms: Annotated[int, Field(ge=1, le=25_000)] | None = None


class _Body(_Speed):
    """What the text of an answer must be like."""

    body_contains: Text | None = None
    body_not_contains: Text | None = None
    body_matches: Text | None = None


class HttpExpectations(_Body):
    """All must hold; the first that does not is the check's reason.

    Where redirects are not followed, `status_codes` is 200-399 unless it is given.
    """

    status_codes: Annotated[list[StatusCodes], Field(min_length=1, max_length=20)] = ["200-299"]
    json_values: Annotated[list[JsonExpectation], Field(max_length=20, alias="json")] = []
    headers: Annotated[
        dict[Annotated[str, AfterValidator(header_name)], Annotated[Line, Field(max_length=500)]],
        Field(max_length=20),
    ] = {}
    tls_days_left: Annotated[int, Field(ge=1, le=365)] | None = None


class TcpExpectations(_Body):
    """What is said over the connection; nothing is read where nothing is expected."""


class TlsExpectations(_Speed):
    """`tls_days_left` 0 switches the warning off."""

    tls_days_left: Annotated[int, Field(ge=0, le=365)] = 14


class DnsExpectations(_Speed):
    """The records themselves are expected by `expected`."""
