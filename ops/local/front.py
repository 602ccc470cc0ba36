"""What stands before every request to the local stack, as an ASGI application.

Without it, any page in the user's browser could create and run a function, because the emulator
accepts requests of every origin, with any signature or none.
"""

import hmac
import json
import re
from collections.abc import Awaitable, Callable, MutableMapping
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from ops.local import guard

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

READY = "/_ministack/ready"
MAILS = "/_ministack/ses/messages"
"""The emails that were sent, for `make mail`, which sends the secret key."""
API_STAGE = "api"
_USER_REQUEST = "_user_request_"
_API = re.compile(rf"/restapis/[^/]+/[^/]+/{_USER_REQUEST}(/.*)?")
_READS = ("Get", "List", "Describe", "Query", "Scan", "BatchGet", "Receive")
_SIGNATURE = re.compile(r"AWS4-HMAC-SHA256 Credential=([A-Z0-9]+)/[^,]*, ?SignedHeaders=.+")


class Front:
    """Passes on requests to Monitum's API, and requests that a known key has signed.

    The API is at the root, whatever its id is in the emulator.

    `keys` are the user's access key and its secret. `is_known` tells whether an access key is the
    user's or a function's; the emulator itself verifies the signature. `note_change` is called
    after requests that may have changed something, with `urgent=True` if that must not be lost.
    `find_api` returns the id of the API, None before the first deployment.
    """

    def __init__(
        self,
        application: Application,
        port: int,
        keys: tuple[str, str],
        is_known: Callable[[str], bool],
        note_change: Callable[..., None],
        find_api: Callable[[], str | None],
    ) -> None:
        self._application = application
        self._port = port
        self._key, self._secret = keys
        self._is_known = is_known
        self._note_change = note_change
        self._find_api = find_api

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._application(scope, receive, send)
            return
        if scope["type"] != "http":
            await receive()
            await send({"type": "websocket.close", "code": 1008})
            return
        method, path, headers = scope["method"], scope["path"], _headers(scope)
        api_path = _api_path(path, headers)
        why = guard.refusal(method, api_path, headers, self._port)
        if why is not None:
            await _refuse(send, why)
        elif api_path is not None:
            await self._call_api(api_path, scope, receive, send)
        elif (why := self._refusal_of_service(path, headers)) is not None:
            await _refuse(send, why)
        else:
            try:
                await self._application(scope, receive, _without_cors(send))
            finally:
                if path not in {READY, MAILS}:
                    self._note_service_call(method, headers)

    async def _call_api(self, api_path: str, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on to the emulator's address of the API."""
        api_id = self._find_api()
        if api_id is None:
            await _refuse(send, "Monitum is not deployed yet: run make up", status=503)
            return
        base = f"/restapis/{api_id}/{API_STAGE}/{_USER_REQUEST}"
        readable = guard.PUBLIC_JSON.fullmatch(api_path)
        reply = send if readable else _without_cors(send)
        try:
            await self._application(_rebased(scope, base), receive, reply)
        finally:
            self._note_api_call(scope["method"], api_path)

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


def _api_path(path: str, headers: guard.Headers) -> str | None:
    """The path in Monitum's API: that of every request which is not signed for a service.

    Older versions had the API at the emulator's address of it, with an id that changed.
    """
    if found := _API.fullmatch(path):
        return found[1] or "/"
    signed = any(value.startswith("AWS4-") for value in headers.get("authorization", ()))
    return None if signed or path.startswith("/_") else path


def _rebased(scope: Scope, base: str) -> Scope:
    """The request with its path in the API behind `base`."""
    path = scope["path"]
    raw = scope.get("raw_path") or quote(path).encode()
    if _API.fullmatch(path):
        path = path.split(_USER_REQUEST, 1)[1]
        raw = raw.split(_USER_REQUEST.encode(), 1)[-1]
    return {**scope, "path": base + path, "raw_path": base.encode() + raw}


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


async def _refuse(send: Send, why: str, status: int = 403) -> None:
    title = HTTPStatus(status).phrase
    body = json.dumps({"title": title, "status": status, "detail": why}).encode()
    headers = [
        (b"content-type", b"application/problem+json"),
        (b"content-length", str(len(body)).encode()),
        (b"x-content-type-options", b"nosniff"),
        # The body of the request has not been read.
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
