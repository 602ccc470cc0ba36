"""Helpers of the end-to-end tests: servers on loopback, and waiting."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

PATIENCE_S = 60
"""How much longer than expected a busy machine may take."""


class Request(NamedTuple):
    """A request that a test's server received."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@contextmanager
def serve(respond: Callable[[Request], int], port: int = 0) -> Iterator[int]:
    """Run an HTTP server on loopback, whose statuses `respond` returns; yields its port."""

    class Handler(BaseHTTPRequestHandler):
        def _respond(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(respond(Request(self.command, self.path, dict(self.headers), body)))
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_GET = do_POST = _respond  # noqa: N815 - the names that http.server looks up

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()


def wait_for(description: str, find: Callable[[], Any], timeout_s: float) -> Any:
    """Call `find` until its result is true; returns that."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        if found := find():
            return found
        time.sleep(0.2)
    raise AssertionError(f"{description}: not within {timeout_s} s")
