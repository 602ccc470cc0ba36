"""The API of a World at a loopback URL, with simulated network failures."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, HTTPServer

from chalice.test import Client, HTTPResponse

from tests.support.world import World

PREFIX = "/api"


@dataclass(frozen=True)
class CannedResponse:
    """A response that does not come from the API; with status 0 the connection is closed.

    With `is_processed`, the API processes the request and its own response is lost.
    """

    status: int = 0
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    is_processed: bool = False


@dataclass
class ApiServer:
    """The URL of the API, canned responses to the next requests, and all requests received."""

    url: str
    canned: list[CannedResponse] = field(default_factory=list)
    requests: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)

    def methods(self) -> list[str]:
        return [method for method, _, _ in self.requests]


class _Server(HTTPServer):
    world: World
    state: ApiServer


@contextmanager
def run_api_server(world: World) -> Iterator[ApiServer]:
    """Serve the API on loopback, one request at a time."""
    server = _Server(("127.0.0.1", 0), _Handler)
    server.world = world
    server.state = ApiServer(f"http://127.0.0.1:{server.server_port}{PREFIX}")
    world.runtime.settings = replace(world.runtime.settings, public_url=server.state.url)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield server.state
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def handle_request(self) -> None:
        assert self.path.startswith(PREFIX), self.path
        state = self.server.state
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = dict(self.headers.items())
        state.requests.append((self.command, self.path.removeprefix(PREFIX), headers))
        canned = state.canned.pop(0) if state.canned else None
        if canned is None:
            response = self.call_api(headers, body)
            self.respond(response.status_code, response.headers, response.body)
            return
        if canned.is_processed:
            self.call_api(headers, body)
        if canned.status:
            self.respond(canned.status, canned.headers, canned.body)

    do_GET = do_POST = do_PATCH = do_DELETE = handle_request  # noqa: N815 - http.server's names

    def call_api(self, headers: dict[str, str], body: bytes) -> HTTPResponse:
        path = self.path.removeprefix(PREFIX)
        with Client(self.server.world.app) as client:
            return client.http.request(self.command, path, headers=headers, body=body)

    def respond(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Log nothing."""
