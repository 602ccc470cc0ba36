"""Idempotency-Key: what a request creates is created once."""

from collections.abc import Callable
from typing import Any, TypeVar

from chalicelib.api.calls import Call
from chalicelib.services.once import Asked, Turn, once

Made = TypeVar("Made")


def asked(call: Call[Any, Any], operation: str) -> Asked | None:
    """What the call asks for with its Idempotency-Key; None without one."""
    key = call.headers.get("idempotency-key")
    if key is None:
        return None
    request = [operation, call.body.model_dump(mode="json")]
    return Asked(call.owner, call.token, key, request)


def made_once(
    call: Call[Any, Any],
    operation: str,
    make: Callable[[Turn | None], Made],
    find: Callable[[Turn], Made],
) -> Made:
    """What `make` makes; with an Idempotency-Key that was used before, what that made."""
    wanted = asked(call, operation)
    return make(None) if wanted is None else once(call.runtime, wanted, make=make, find=find)
