"""The API of a World behind a real address, and what may go wrong on the way to it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer

from chalice.test import Client, HTTPResponse

from tests.support.world import World

PREFIX = "/api"


@dataclass(frozen=True)
class Canned:
    """An answer that does not come from the API; without a status the connection is cut.

    With `after` the API does what was asked, and its answer is lost.
    """

    status: int = 0
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    after: bool = False


@dataclass
class Bridge:
    """Where the API is; `canned` answers come first, each once, `asked` is what was sent."""

    url: str
    canned: list[Canned] = field(default_factory=list)
    asked: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)

    def methods(self) -> list[str]:
        return [method for method, _, _ in self.asked]


class _Server(HTTPServer):
    world: World
    bridge: Bridge


@contextmanager
def serving(world: World) -> Iterator[Bridge]:
    """Answer on loopback, one request at a time."""
    server = _Server(("127.0.0.1", 0), _Handler)
    server.world = world
    server.bridge = Bridge(f"http://127.0.0.1:{server.server_port}{PREFIX}")
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield server.bridge
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def answer(self) -> None:
        assert self.path.startswith(PREFIX), self.path
        bridge = self.server.bridge
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = dict(self.headers.items())
        bridge.asked.append((self.command, self.path.removeprefix(PREFIX), headers))
        canned = bridge.canned.pop(0) if bridge.canned else None
        if canned is None:
            reply = self.ask(headers, body)
            self.say(reply.status_code, reply.headers, reply.body)
            return
        if canned.after:
            self.ask(headers, body)
        if canned.status:
            self.say(canned.status, canned.headers, canned.body)

    do_GET = do_POST = do_PATCH = do_DELETE = answer  # noqa: N815 - the library's names

    def ask(self, headers: dict[str, str], body: bytes) -> HTTPResponse:
        path = self.path.removeprefix(PREFIX)
        with Client(self.server.world.app) as client:
            return client.http.request(self.command, path, headers=headers, body=body)

    def say(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""
