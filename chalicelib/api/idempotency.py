"""Idempotency-Key: what a request creates is created once, and answered the same again."""

import json
from collections.abc import Callable
from typing import Any, TypeVar

from chalicelib.access.idempotency import ClaimedKey, IdempotentRequest, run_once
from chalicelib.api.request import Call, Response
from chalicelib.common.errors import NotFoundError

Made = TypeVar("Made")
REPLAYED = "Idempotent-Replayed"


def create_idempotently(
    call: Call[Any, Any],
    operation: str,
    make: Callable[[ClaimedKey | None], Made],
    show: Callable[[Made], Response],
    find: Callable[[ClaimedKey], Made] | None = None,
    *,
    is_secret: bool = False,
) -> Response:
    """The answer that shows what `make` makes; the first one, where the key was used before.

    `find` finds what an earlier request made that came to no answer; without it `make` is asked to
    make the same again. `is_secret`: only the token that asked first is answered.
    """
    key = call.headers.get("idempotency-key")
    if key is None:
        return show(make(None))
    request = [operation, call.body.model_dump(mode="json")]
    asked = IdempotentRequest(call.owner, call.token, key, request, is_secret)

    def found(turn: ClaimedKey) -> bytes:
        if find is None:
            raise NotFoundError("it is not looked for")
        return _packed(show(find(turn)))

    packed, is_repeated = run_once(
        call.runtime, asked, make=lambda turn: _packed(show(make(turn))), find=found
    )
    return _unpacked(packed, {REPLAYED: "true"} if is_repeated else {})


def _packed(answer: Response) -> bytes:
    return json.dumps([answer.status, dict(answer.headers), answer.text]).encode()


def _unpacked(packed: bytes, more: dict[str, str]) -> Response:
    status, headers, text = json.loads(packed)
    return Response(text, status, {**headers, **more})
