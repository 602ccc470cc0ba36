"""Base classes and types shared by the schemas: times, lists, text."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Generic, Self, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    PlainSerializer,
    RootModel,
)

Item = TypeVar("Item")


class Model(BaseModel):
    """The base of all schemas.

    Validators are built on first use, because a request needs only one or two schemas of a module.
    """

    model_config = ConfigDict(defer_build=True)

    @classmethod
    def model_construct(cls, _fields_set: set[str] | None = None, **values: Any) -> Self:
        # Values that skip validation may not match the schema. Pydantic then serializes them with
        # the serializer of their own class, which a deferred build has not created yet.
        cls.model_rebuild()
        return super().model_construct(_fields_set, **values)


class Root(RootModel[Item], Generic[Item], defer_build=True):
    """The base of schemas that consist of one value, such as a union of kinds."""


class Schema(Model):
    """The base of request schemas: unknown fields are errors."""

    model_config = ConfigDict(extra="forbid", serialize_by_alias=True)


def render_time(seconds: float) -> str:
    """Format epoch seconds as RFC 3339 in UTC, to the second."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_time(text: object) -> int:
    """Parse an RFC 3339 time with a zone as epoch seconds; raises ValueError."""
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        raise ValueError("must be a time such as 2026-11-22T06:40:04Z") from None
    if moment.tzinfo is None:
        raise ValueError("must have a time zone, such as Z")
    if not 1970 <= moment.year < 2286:
        raise ValueError("must be between the years 1970 and 2286")
    return max(0, int(moment.timestamp()))


def _one_line(text: str) -> str:
    # The zero-width joiner is not printable, but some emoji and scripts require it.
    if not text.replace("\u200d", "").isprintable() or text != text.strip():
        raise ValueError("must be one printable line without surrounding whitespace")
    return text


Moment = Annotated[
    int,
    PlainSerializer(render_time, return_type=str),
    Field(json_schema_extra={"type": "string", "format": "date-time"}),
]
"""Epoch seconds, serialized as RFC 3339."""

GivenMoment = Annotated[
    int,
    BeforeValidator(parse_time),
    Field(json_schema_extra={"type": "string", "format": "date-time"}),
]

Line = Annotated[str, AfterValidator(_one_line)]
Name = Annotated[Line, Field(min_length=1, max_length=200)]
Tag = Annotated[Line, Field(min_length=1, max_length=50)]


class Fault(Model):
    """One fault of a request; `loc` is the path to the field."""

    loc: list[str | int]
    msg: str


class Problem(Model):
    """A problem document (RFC 9457); `errors` name the fields."""

    type: str
    title: str
    status: int
    detail: str
    request_id: str
    errors: list[Fault]


def any_partial(
    cls: type[BaseModel], handler: GetJsonSchemaHandler, kinds: Sequence[type[BaseModel]]
) -> dict[str, Any]:
    """Return the JSON schema of a PATCH body for a resource of several kinds."""
    found = [handler.resolve_ref_schema(handler(one.__pydantic_core_schema__)) for one in kinds]
    return {"description": cls.__doc__, "anyOf": [_partial(one) for one in found]}


def _partial(schema: dict[str, Any]) -> dict[str, Any]:
    """Make all fields optional and nullable; null stands for the default."""
    fields = {
        name: field if name == "kind" else _or_null(field)
        for name, field in schema["properties"].items()
    }
    return {"type": "object", "additionalProperties": False, "properties": fields}


def _or_null(field: dict[str, Any]) -> dict[str, Any]:
    bare = {name: value for name, value in field.items() if name != "default"}
    return (
        bare if {"type": "null"} in bare.get("anyOf", ()) else {"anyOf": [bare, {"type": "null"}]}
    )


class PageQuery(Schema):
    """The query parameters that all lists accept."""

    limit: int = Field(default=50, ge=1, le=200)
    cursor: str | None = Field(default=None, max_length=1000)


class Page(Model, Generic[Item]):
    """A page of a list; the list ends when `next_cursor` is null, not before."""

    items: list[Item]
    next_cursor: str | None
