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
_READS = ("Get", "List", "Describe", "Query", "Scan", "BatchGet", "Receive")
_SIGNATURE = re.compile(r"AWS4-HMAC-SHA256 Credential=([A-Z0-9]+)/[^,]*, ?SignedHeaders=.+")


class Front:
    """Passes on requests to Monitum's API, and requests that a known key has signed.

    `keys` are the user's access key and its secret. `is_known` tells whether an access key is the
    user's or a function's; the emulator itself verifies the signature. `note_change` is called
    after requests that may have changed something, with `urgent=True` if that must not be lost.
    """

    def __init__(
        self,
        application: Application,
        port: int,
        keys: tuple[str, str],
        is_known: Callable[[str], bool],
        note_change: Callable[..., None],
    ) -> None:
        self._application = application
        self._port = port
        self._key, self._secret = keys
        self._is_known = is_known
        self._note_change = note_change

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
        try:
            await self._application(scope, receive, send if readable else _without_cors(send))
        finally:
            if api_path is not None:
                self._note_api_call(method, api_path)
            elif path not in {READY, MAILS}:
                self._note_service_call(method, headers)

    def _note_api_call(self, method: str, path: str) -> None:
        """Save at once after changes of users and tokens, and after deletions."""
        if method == "DELETE" or (method != "GET" and path.startswith(("/v1/users", "/v1/tokens"))):
            self._note_change(urgent=True)

    def _note_service_call(self, method: str, headers: guard.Headers) -> None:
        """Save at once after changes by the user, and within the interval after functions'."""
        target = "".join(headers.get("x-amz-target", ())).rpartition(".")[2]
        if method not in {"GET", "HEAD"} and not target.startswith(_READS):
            signature = _SIGNATURE.fullmatch(headers["authorization"][0])
            self._note_change(urgent=signature is not None and signature[1] == self._key)

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
