"""The Idempotency-Key header on routes that create resources."""

import json
from collections.abc import Callable
from typing import Any, TypeVar

from chalicelib.access.idempotency import ClaimedKey, IdempotentRequest, run_once
from chalicelib.api.request import Call, Response
from chalicelib.common.errors import NotFoundError

Created = TypeVar("Created")
REPLAYED = "Idempotent-Replayed"


def create_idempotently(
    call: Call[Any, Any],
    operation: str,
    create: Callable[[ClaimedKey | None], Created],
    show: Callable[[Created], Response],
    find: Callable[[ClaimedKey], Created] | None = None,
    *,
    is_secret: bool = False,
) -> Response:
    """Return the response for the resource `create` creates, or the first one if the key was used.

    `find` reads the resource of an earlier, interrupted request; without it `create` must return
    the same resource for the same claim. `is_secret`: only the first token gets the response again.
    """
    key = call.headers.get("idempotency-key")
    if key is None:
        return show(create(None))
    request = [operation, call.body.model_dump(mode="json")]
    keyed = IdempotentRequest(call.owner, call.token, key, request, is_secret)

    def found(claim: ClaimedKey) -> bytes:
        if find is None:
            raise NotFoundError("the resource is created again under the same id")
        return _pack(show(find(claim)))

    packed, is_repeated = run_once(
        call.runtime, keyed, create=lambda claim: _pack(show(create(claim))), find=found
    )
    status, headers, text = json.loads(packed)
    return Response(text, status, {**headers, **({REPLAYED: "true"} if is_repeated else {})})


def _pack(response: Response) -> bytes:
    return json.dumps([response.status, dict(response.headers), response.text]).encode()
