"""Helpers of the end-to-end tests: servers on loopback, and waiting."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PATIENCE_S = 60
"""How much longer than expected a busy machine may take."""


class Handler(BaseHTTPRequestHandler):
    """A request handler that logs nothing."""

    def respond(self, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def serve(handler: type[Handler], port: int = 0) -> Iterator[int]:
    """Run an HTTP server on loopback; yields its port."""
    server = ThreadingHTTPServer(("127.0.0.1", port), handler)
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
