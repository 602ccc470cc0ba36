"""From the bytes of a request to values that fit a schema; every error names its field."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from chalicelib.common.errors import (
    BadRequestError,
    Fault,
    InvalidError,
    MediaTypeError,
    TooLargeError,
)

BODY_BYTES = 64 * 1024
NESTING = 32
TAGS = ("http", "tcp", "tls", "dns", "webhook", "email", "apprise")
"""The kinds of targets and channels, which pydantic puts before their fields."""
_REPLACED = "\ufffd"
"""What a gateway that hands bodies on as text puts in the place of bytes that are no UTF-8."""
_Schema = TypeVar("_Schema", bound=BaseModel)


def read_json(raw: bytes, content_type: str) -> object:
    """The value of a JSON body: strict UTF-8, no NaN, no key twice, no bottomless nesting."""
    if content_type.partition(";")[0].strip().lower() != "application/json":
        raise MediaTypeError("the body must be application/json")
    if len(raw) > BODY_BYTES:
        raise TooLargeError(f"the body is over {BODY_BYTES} bytes")
    try:
        value: object = json.loads(
            _text(raw), object_pairs_hook=_distinct, parse_constant=_no_constant
        )
        _check_nesting(value)
        # An escaped half of a surrogate pair is JSON, but no text that could be stored; nor is a
        # number like 1e999 one that could be given back.
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError) as error:
        detail = "is nested too deeply" if isinstance(error, RecursionError) else f"{error}"
        fault = Fault(("body",), f"not valid JSON: {detail}"[:200])
        raise BadRequestError("the body is not valid JSON", (fault,)) from None
    return value


def validate_body(schema: type[_Schema], value: object) -> _Schema:
    """`value` as the schema has it; raises InvalidError with every fault."""
    try:
        return schema.model_validate(value, strict=True)
    except ValidationError as error:
        raise InvalidError("the body does not fit the schema", faults("body", error)) from None


def validate_query(schema: type[_Schema], given: Mapping[str, Sequence[str]]) -> _Schema:
    """Query parameters as the schema has them; raises BadRequestError with every fault."""
    twice = [name for name, values in given.items() if len(values) > 1]
    if twice:
        found = tuple(Fault(("query", name), "given more than once") for name in twice)
        raise BadRequestError("a query parameter is given more than once", found)
    try:
        return schema.model_validate({name: values[0] for name, values in given.items()})
    except ValidationError as error:
        raise BadRequestError(
            "the query parameters are not right", faults("query", error)
        ) from None


def faults(where: str, error: ValidationError) -> tuple[Fault, ...]:
    """What pydantic found, without the values: they may be secret."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    return tuple(Fault((where, *_location(one)), _message(one)) for one in found)


def _location(found: ErrorDetails) -> Iterable[str | int]:
    """The way to the field as the sender wrote it: without what pydantic adds of its own."""
    if found["type"].startswith("union_tag"):
        return (*found["loc"], "kind")
    loc = found["loc"]
    tag = loc[:1] if loc and loc[0] in TAGS else ()
    return (part for part in loc[len(tag) :] if part != "[key]")


def _message(found: ErrorDetails) -> str:
    if found["type"].startswith("union_tag"):
        expected = found["msg"].partition("expected tags: ")[2].replace("'", "")
        return f"must be one of {expected}" if expected else "is needed: it says what it is"
    return found["msg"].removeprefix("Value error, ")


def _text(raw: bytes) -> str:
    text = raw.decode("utf-8")
    if _REPLACED in text:
        raise ValueError("it is not UTF-8")
    return text


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("an object has a key twice")
    return found


def _check_nesting(value: object) -> None:
    """Raise RecursionError where the value is nested deeper than what reads it later takes."""
    level = [value]
    for _ in range(NESTING):
        level = [
            inner
            for item in level
            if isinstance(item, dict | list)
            for inner in (item.values() if isinstance(item, dict) else item)
        ]
    if level:
        raise RecursionError


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
