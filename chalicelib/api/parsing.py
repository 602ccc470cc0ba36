"""Parse and validate request bodies and query parameters; every error names its field."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from chalicelib.common import strict_json
from chalicelib.common.errors import (
    BadRequestError,
    Fault,
    InvalidError,
    MediaTypeError,
    TooLargeError,
)

BODY_BYTES: Final = 64 * 1024
NESTING: Final = 32
TAGS: Final = ("http", "tcp", "tls", "dns", "webhook", "email", "apprise")
"""The kinds of targets and channels, which pydantic puts before the locations of their fields."""
_REPLACEMENT: Final = "\ufffd"
"""What gateways that pass bodies on as text substitute for bytes that are not UTF-8."""
_MESSAGES: Final = {
    "bool_type": "must be true or false",
    "dict_type": "must be an object",
    "extra_forbidden": "is not supported: remove it or correct its name",
    "int_parsing": "must be an integer",
    "int_type": "must be an integer",
    "list_type": "must be an array",
    "missing": "is required",
    "model_attributes_type": "must be an object",
    "model_type": "must be an object",
    "string_type": "must be a string",
    "union_tag_not_found": "is required",
}
"""Messages by pydantic's type of error, where pydantic's own name its types or are unclear."""
_Schema = TypeVar("_Schema", bound=BaseModel)


def read_json(raw: bytes, content_type: str) -> object:
    """Parse a JSON body strictly: UTF-8, no NaN, no repeated keys, no deep nesting."""
    if content_type.partition(";")[0].strip().lower() != "application/json":
        raise MediaTypeError("the Content-Type must be application/json")
    if len(raw) > BODY_BYTES:
        raise TooLargeError(f"the body must not exceed {BODY_BYTES} bytes")
    try:
        text = raw.decode("utf-8")
        if _REPLACEMENT in text:
            raise ValueError("it is not UTF-8")  # noqa: TRY301 - handled like all other faults
        value: object = strict_json.parse(text)
        _check_nesting(value)
        # JSON allows escaped halves of surrogate pairs, which cannot be stored, and numbers such as
        # 1e999, which cannot be returned.
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError) as error:
        too_deep = f"it is nested more than {NESTING} levels deep"
        detail = too_deep if isinstance(error, RecursionError) else f"{error}"
        fault = Fault(("body",), f"the body must be valid JSON: {detail}"[:200])
        raise BadRequestError("the body is not valid JSON", (fault,)) from None
    return value


def validate_body(schema: type[_Schema], value: object) -> _Schema:
    """Validate a parsed body; raises InvalidError with every fault."""
    try:
        return schema.model_validate(value, strict=True)
    except ValidationError as error:
        raise InvalidError("the body does not fit the schema", faults("body", error)) from None


def validate_query(schema: type[_Schema], raw_query: Mapping[str, Sequence[str]]) -> _Schema:
    """Validate query parameters; raises BadRequestError with every fault."""
    repeated = tuple(
        Fault(("query", name), f"`{name}` must be sent only once")
        for name, values in raw_query.items()
        if len(values) > 1
    )
    if repeated:
        raise BadRequestError("a query parameter is repeated", repeated)
    try:
        return schema.model_validate({name: values[0] for name, values in raw_query.items()})
    except ValidationError as error:
        raise BadRequestError("the query parameters are invalid", faults("query", error)) from None


def faults(where: str, error: ValidationError) -> tuple[Fault, ...]:
    """Convert pydantic's errors, without the invalid values, which may be secret."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    locations = [tuple(_location(one)) for one in found]
    return tuple(
        Fault((where, *loc), _message(one, _label(where, loc)))
        for one, loc in zip(found, locations, strict=True)
    )


def _location(found: ErrorDetails) -> Iterable[str | int]:
    """Return the path to the field as the caller wrote it, without what pydantic adds."""
    loc = found["loc"]
    if found["type"].startswith("union_tag"):
        return (*loc, "kind")
    tag = loc[:1] if loc and loc[0] in TAGS else ()
    return (part for part in loc[len(tag) :] if part != "[key]")


def _label(where: str, loc: Sequence[str | int]) -> str:
    """Return the field's name for messages, such as `tags[0]`."""
    names = [number for number, part in enumerate(loc) if isinstance(part, str)]
    if not names:
        return f"the {where}"
    field, *positions = loc[names[-1] :]
    return f"`{str(field)[:100]}{''.join(f'[{position}]' for position in positions)}`"


def _message(found: ErrorDetails, label: str) -> str:
    """Return a message that begins with the field's name, unless a validator's own names it."""
    kind, text = found["type"], found["msg"].removeprefix("Value error, ")
    if kind in _MESSAGES:
        text = _MESSAGES[kind]
    elif kind == "union_tag_invalid":
        text = "must be one of " + text.partition("expected tags: ")[2].replace("'", "")
    elif kind.endswith(("too_short", "too_long")):
        # Pydantic counts "items" of a string that further validators follow.
        text = re.sub(r"^(Value .*) items?\b", r"\1 characters", text.partition(" after")[0])
        text = re.sub(r"\b1 characters", "1 character", text)
    text = re.sub(r"^\w+ should (be|have|match)\b", r"must \1", text)
    return f"{label} {text}" if text.startswith(("must ", "is ")) else text


def _check_nesting(value: object) -> None:
    """Raise RecursionError if the value is nested more deeply than later code can process."""
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
