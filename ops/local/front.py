"""What stands before every request to the local stack, as an ASGI application.

Without it, any page in the user's browser could create and run a function, because the emulator
accepts requests of every origin, with any signature or none.
"""

import hmac
import json
import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from ops.local import guard

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

READY = "/_ministack/ready"
MAILS = "/_ministack/ses/messages"
"""The emails that were sent, for `make mail`, which sends the secret key."""
_API = re.compile(r"/restapis/[^/]+/[^/]+/_user_request_(/.*)?")
_SIGNATURE = re.compile(r"AWS4-HMAC-SHA256 Credential=([A-Z0-9]+)/[^,]*, ?SignedHeaders=.+")


class Front:
    """Passes on requests to Monitum's API, and requests that a known key has signed.

    `is_known` tells whether an access key belongs to the user or to a function. The emulator itself
    verifies the signature.
    """

    def __init__(
        self, application: Application, port: int, secret: str, is_known: Callable[[str], bool]
    ) -> None:
        self._application = application
        self._port = port
        self._secret = secret
        self._is_known = is_known

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._application(scope, receive, send)
            return
        if scope["type"] != "http":
            await receive()
            await send({"type": "websocket.close", "code": 1008})
            return
        method, path, headers = scope["method"], scope["path"], _headers(scope)
        found = _API.fullmatch(path)
        api_path = (found[1] or "/") if found else None
        why = guard.refusal(method, api_path, headers, self._port)
        if why is None and api_path is None:
            why = self._refusal_of_service(path, headers)
        if why is not None:
            await _refuse(send, why)
            return
        readable = api_path is not None and guard.PUBLIC_JSON.fullmatch(api_path)
        await self._application(scope, receive, send if readable else _without_cors(send))

    def _refusal_of_service(self, path: str, headers: guard.Headers) -> str | None:
        """Why a request that is not to Monitum's API is refused; None if it is accepted."""
        authorization = headers.get("authorization", ())
        if path == READY:
            return None
        if path == MAILS:
            given = "".join(authorization).encode()
            accepted = hmac.compare_digest(given, f"Bearer {self._secret}".encode())
            return None if accepted else "make mail shows the emails"
        if path.startswith("/_") or path == "/health":
            return "administrative paths are disabled"
        signature = _SIGNATURE.fullmatch(authorization[0]) if len(authorization) == 1 else None
        if signature is None or not self._is_known(signature[1]):
            return "only requests signed with the local stack's own credentials are accepted"
        return None


def _headers(scope: Scope) -> guard.Headers:
    found: dict[str, list[str]] = {}
    for name, value in scope["headers"]:
        found.setdefault(name.decode("latin-1").lower(), []).append(value.decode("latin-1"))
    return found


def _without_cors(send: Send) -> Send:
    """Remove the headers that would let pages of other origins read the response."""

    async def filtered(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            kept = [
                (name, value)
                for name, value in message.get("headers", ())
                if not name.lower().startswith(b"access-control-")
            ]
            message = {**message, "headers": kept}
        await send(message)

    return filtered


async def _refuse(send: Send, why: str) -> None:
    body = json.dumps({"title": "Forbidden", "status": 403, "detail": why}).encode()
    headers = [
        (b"content-type", b"application/problem+json"),
        (b"content-length", str(len(body)).encode()),
        (b"x-content-type-options", b"nosniff"),
        # The body of the request has not been read.
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": 403, "headers": headers})
    await send({"type": "http.response.body", "body": body})
