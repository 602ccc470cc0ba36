"""What reaches the emulator through its front, as the requests of an ASGI server."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from ops.local.front import Application, Front

API = "/restapis/a1b2c3d4/api/_user_request_"
KEY, SECRET, FUNCTION_KEY = "AKIA0123456789ABCDEF", "a secret", "ASIA0123456789ABCDEF"
SIGNED = (
    f"AWS4-HMAC-SHA256 Credential={KEY}/20261129/us-east-1/lambda/aws4_request, "
    "SignedHeaders=host, Signature=0"
)
CORS = (b"Access-Control-Allow-Origin", b"*")


class Emulator:
    """Records the paths of requests, and allows every origin to read its responses."""

    def __init__(self) -> None:
        self.paths: list[str] = []

    async def __call__(self, scope: Any, _receive: Any, send: Any) -> None:
        self.paths.append(scope["path"])
        start = {"type": "http.response.start", "status": 200, "headers": [CORS, (b"x", b"y")]}
        await send(start)
        await send({"type": "http.response.body", "body": b"from the emulator"})


def front(
    application: Application,
    note_change: Callable[..., None] = lambda **_: None,
    api_id: str | None = "a1b2c3d4",
) -> Front:
    known = {KEY, FUNCTION_KEY}.__contains__
    return Front(application, 4566, (KEY, SECRET), known, note_change, lambda: api_id)


def request(
    application: Application,
    method: str,
    path: str,
    headers: dict[str, str] | None = None,
    note_change: Callable[..., None] = lambda **_: None,
) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of the response to a request without a body."""
    sent: list[Any] = []
    given = {"Host": "127.0.0.1:4566", **(headers or {})}
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "headers": [(name.encode(), value.encode()) for name, value in given.items()],
    }

    async def receive() -> Any:
        return {"type": "http.request", "body": b""}

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(front(application, note_change)(scope, receive, send))
    start, body = sent
    return (
        start["status"],
        {name.decode().lower(): value.decode() for name, value in start["headers"]},
        body["body"],
    )


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/_ministack/ready", {}),
        ("/_ministack/ses/messages", {"Authorization": f"Bearer {SECRET}"}),
        ("/2015-03-31/functions/", {"Authorization": SIGNED}),
        ("/", {"Authorization": SIGNED}),
    ],
)
def test_signed_requests_reach_the_emulator(path: str, headers: dict[str, str]) -> None:
    emulator = Emulator()

    status, _, body = request(emulator, "GET", path, headers)

    assert (status, body) == (200, b"from the emulator")
    assert emulator.paths == [path]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/", f"{API}/"),
        ("/v1/targets", f"{API}/v1/targets"),
        ("/status/shop", f"{API}/status/shop"),
        ("/2015-03-31/functions/", f"{API}/2015-03-31/functions/"),
        # Links of older versions, whose API had another id.
        ("/restapis/0d1d/api/_user_request_/v1/me", f"{API}/v1/me"),
        ("/restapis/0d1d/api/_user_request_", API),
        ("/restapis/a1b2c3d4", f"{API}/restapis/a1b2c3d4"),
    ],
)
@pytest.mark.parametrize("headers", [{}, {"Authorization": "Token mon_1"}])
def test_everything_else_is_a_path_of_the_api(
    path: str, expected: str, headers: dict[str, str]
) -> None:
    emulator = Emulator()

    status, _, _ = request(emulator, "GET", path, headers)

    assert (status, emulator.paths) == (200, [expected])


def test_the_path_is_passed_on_as_it_was_encoded() -> None:
    scopes: list[Any] = []

    async def application(scope: Any, _receive: Any, send: Any) -> None:
        scopes.append(scope)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def nothing(*_: object) -> Any:
        return None

    host = [(b"host", b"127.0.0.1:4566")]
    for prefix in ("", "/restapis/0d1d/api/_user_request_"):
        path, raw = f"{prefix}/status/a b", f"{prefix}/status/a%20b".encode()
        scope = {"type": "http", "method": "GET", "path": path, "raw_path": raw, "headers": host}
        asyncio.run(front(application)(scope, nothing, nothing))

    assert {(scope["path"], scope["raw_path"]) for scope in scopes} == {
        (f"{API}/status/a b", f"{API}/status/a%20b".encode())
    }


def test_before_the_first_deployment_the_api_says_what_to_do() -> None:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "http.request", "body": b""}

    scope = {
        "type": "http",
        "method": "GET",
        "path": "/",
        "headers": [(b"host", b"localhost:4566")],
    }
    emulator = Emulator()
    asyncio.run(front(emulator, api_id=None)(scope, receive, send))

    assert (sent[0]["status"], emulator.paths) == (503, [])
    assert b"make up" in sent[1]["body"]


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/2015-03-31/functions/", {"Authorization": SIGNED.replace(KEY, "test")}),
        ("/2015-03-31/functions/", {"Authorization": SIGNED.replace(KEY, "000000000000")}),
        ("/2015-03-31/functions/", {"Authorization": SIGNED.replace(KEY, "")}),
        ("/health", {"Authorization": SIGNED}),
        ("/_ministack/health", {}),
        ("/_ministack/reset", {"Authorization": SIGNED}),
        ("/_ministack/config", {"Authorization": SIGNED}),
        ("/_ministack/ses/messages", {"Authorization": SIGNED}),
        ("/_ministack/ses/messages", {}),
        ("/_ministack/ready/x", {"Authorization": SIGNED}),
        ("/_localstack/health", {"Authorization": SIGNED}),
        ("/_aws/execute-api/a1b2c3d4/api/v1/me", {"Authorization": SIGNED}),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
def test_unknown_signatures_and_administrative_paths_are_refused(
    method: str, path: str, headers: dict[str, str]
) -> None:
    emulator = Emulator()

    status, sent, body = request(emulator, method, path, headers)

    assert status == 403
    assert sent["content-type"] == "application/problem+json"
    assert b"emulator" not in body
    assert emulator.paths == []


@pytest.mark.parametrize("header", ["Origin", "Referer"])
@pytest.mark.parametrize("path", ["/", "/_ministack/ready", f"{API}/v1/targets"])
def test_a_page_of_another_origin_reaches_nothing_even_with_the_credentials(
    path: str, header: str
) -> None:
    emulator = Emulator()

    status, sent, _ = request(
        emulator, "POST", path, {"Authorization": SIGNED, header: "https://evil.example"}
    )

    assert (status, emulator.paths) == (403, [])
    assert not [name for name in sent if name.startswith("access-control-")]


def test_only_the_json_of_status_pages_can_be_read_by_other_origins() -> None:
    origin = {"Origin": "https://blog.example", "Sec-Fetch-Site": "cross-site"}

    _, public, _ = request(Emulator(), "GET", f"{API}/status/shop.json", origin)
    _, badge, _ = request(Emulator(), "GET", f"{API}/badge/shop/status.svg", origin)
    _, targets, _ = request(Emulator(), "GET", f"{API}/v1/targets")

    assert public["access-control-allow-origin"] == "*"
    assert badge == targets == {"x": "y"}


def test_websockets_are_refused() -> None:
    emulator, sent = Emulator(), list[Any]()
    scope = {"type": "websocket", "path": API, "headers": [(b"host", b"127.0.0.1:4566")]}

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(front(emulator)(scope, receive, send))

    assert sent == [{"type": "websocket.close", "code": 1008}]
    assert emulator.paths == []


@pytest.mark.parametrize(
    ("method", "path", "target", "key", "noted"),
    [
        ("POST", f"{API}/v1/users", "", "", [{"urgent": True}]),
        ("POST", f"{API}/v1/tokens", "", "", [{"urgent": True}]),
        ("DELETE", f"{API}/v1/tokens/1", "", "", [{"urgent": True}]),
        ("DELETE", f"{API}/v1/targets/1", "", "", [{"urgent": True}]),
        # The writes of the API's function are noted.
        ("POST", f"{API}/v1/targets", "", "", []),
        ("GET", f"{API}/v1/users", "", "", []),
        ("POST", "/", "DynamoDB_20120810.PutItem", FUNCTION_KEY, [{"urgent": False}]),
        ("POST", "/", "DynamoDB_20120810.TransactWriteItems", KEY, [{"urgent": True}]),
        ("POST", "/", "DynamoDB_20120810.GetItem", FUNCTION_KEY, []),
        ("POST", "/", "DynamoDB_20120810.Query", KEY, []),
        ("POST", "/", "AmazonSQS.SendMessageBatch", FUNCTION_KEY, [{"urgent": False}]),
        ("PUT", "/bucket/key", "", KEY, [{"urgent": True}]),
        ("GET", "/bucket/key", "", KEY, []),
        ("GET", "/_ministack/ready", "", "", []),
        ("POST", "/", "DynamoDB_20120810.PutItem", "AKIAUNKNOWN", []),
    ],
)
def test_changes_are_noted(
    method: str, path: str, target: str, key: str, noted: list[dict[str, bool]]
) -> None:
    found: list[dict[str, bool]] = []
    headers = {"Authorization": SIGNED.replace(KEY, key), "X-Amz-Target": target}
    if not key:
        headers.pop("Authorization")

    request(Emulator(), method, path, headers, lambda **given: found.append(given))

    assert found == noted
