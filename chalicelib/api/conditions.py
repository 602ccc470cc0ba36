"""Requests that count once, or only while things are as the caller saw them."""

from collections.abc import Callable
from typing import Any, TypeVar

from chalicelib.api.calls import Call
from chalicelib.domain.errors import PreconditionError
from chalicelib.services.once import once

Made = TypeVar("Made")


def etag(version: int) -> str:
    """The ETag of a version of something."""
    return f'"{version}"'


def check_if_match(call: Call[Any, Any], version: int, noun: str) -> None:
    """Refuse a change to another version than the caller saw; raises PreconditionError."""
    given = call.headers.get("if-match")
    if given is None or given.strip() == "*":
        return
    if etag(version) not in [tag.strip() for tag in given.split(",")]:
        raise PreconditionError(f"the {noun} is not at the version that If-Match names")


def made_once(
    call: Call[Any, Any], *, make: Callable[[str | None], Made], find: Callable[[str], Made]
) -> Made:
    """What `make` makes, by its Idempotency-Key where the call has one: see `once`."""
    key = call.headers.get("idempotency-key")
    if key is None:
        return make(None)
    asked = call.body.model_dump(mode="json")
    return once(call.runtime, call.owner, key, asked, make=make, find=find)
