"""Create resources idempotently: one creation and one response per Idempotency-Key."""

import json
from collections.abc import Callable
from typing import Any, TypeVar

from chalicelib.access.idempotency import ClaimedKey, IdempotentRequest, run_once
from chalicelib.api.request import Call, Response
from chalicelib.common.errors import NotFoundError

Resource = TypeVar("Resource")
REPLAYED = "Idempotent-Replayed"


def create_idempotently(
    call: Call[Any, Any],
    operation: str,
    create: Callable[[ClaimedKey | None], Resource],
    render: Callable[[Resource], Response],
    find: Callable[[ClaimedKey], Resource] | None = None,
    *,
    is_secret: bool = False,
) -> Response:
    """Create a resource and render it, or return the first response to the same Idempotency-Key.

    `find` returns the resource that an earlier request created without storing its response;
    without it, `create` is called again. `is_secret` restricts the response to the token that sent
    the first request.
    """
    key = call.headers.get("idempotency-key")
    if key is None:
        return render(create(None))
    content = [operation, call.body.model_dump(mode="json")]
    request = IdempotentRequest(call.owner, call.token, key, content, is_secret)

    def find_response(claim: ClaimedKey) -> bytes:
        if find is None:
            raise NotFoundError("the resource may not exist yet")
        return _pack(render(find(claim)))

    packed, is_repeated = run_once(
        call.runtime,
        request,
        create=lambda claim: _pack(render(create(claim))),
        find=find_response,
    )
    status, headers, text = json.loads(packed)
    return Response(text, status, {**headers, **({REPLAYED: "true"} if is_repeated else {})})


def _pack(response: Response) -> bytes:
    return json.dumps([response.status, dict(response.headers), response.text]).encode()
