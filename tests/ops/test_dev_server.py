"""The development server refuses requests of web pages from other origins."""

import http.client
import threading
from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from typing import Any

import pytest
from chalice.app import Chalice
from chalice.config import Config

from ops.local.gateway import RequestHandler


@pytest.fixture
def server() -> Iterator[tuple[int, list[str]]]:
    """The port of a server with one route, and the methods that reached it."""
    app, called = Chalice("app"), list[str]()

    @app.route("/v1/me", methods=["GET", "POST"], content_types=["text/plain"])
    def respond() -> dict[str, str]:
        assert app.current_request
        called.append(app.current_request.method)
        return {}

    def handler(request: Any, client: Any, server: Any) -> RequestHandler:
        return RequestHandler(request, client, server, app, Config())

    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port, called
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({"Host": "evil.example"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_pages_of_other_origins_are_refused(
    server: tuple[int, list[str]], method: str, headers: dict[str, str], status: int
) -> None:
    port, called = server
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    body = b"a body" if method == "POST" else None

    connection.request(method, "/v1/me", body, {"Content-Type": "text/plain", **headers})

    response = connection.getresponse()
    connection.close()
    assert response.status == status
    assert called == [method] * (status == 200)
