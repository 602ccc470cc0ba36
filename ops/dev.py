"""Everything in one process: the routes, the schedules and the queues, on moto.

The code is read again when a file changes; users, targets and history stay, as moto keeps them.
Nothing is kept when the process ends.
"""

import os
import threading
import time
import traceback
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Any
from unittest.mock import patch
from uuid import UUID

from moto import mock_aws

from ops import resources
from ops.console import Failure, say
from ops.live import LiveApp
from ops.pumps import pump_queue, run_schedule

PORT = 8000
PREFIX = "monitum-dev-"
RELOAD_EVERY_S = 0.5


def run() -> None:
    """Serve until interrupted.

    Raises:
        Failure: the port is taken, or the application cannot be imported.
    """
    port = int(os.environ.get("PORT") or PORT)
    os.environ.update(_credentials())
    os.environ.pop("AWS_ENDPOINT_URL", None)
    with mock_aws():
        made = resources.create(PREFIX)
        os.environ.update({"STAGE": "local", **made})
        live = LiveApp()
        live.load()
        server = _server(live, port)
        token = _fixed_user()
        _background(_reload_forever, live)
        for function, every_s in live.schedules().items():
            _background(run_schedule, live, function, every_s)
        for function, (queue, batch_size) in live.queues().items():
            _background(pump_queue, live, function, _queue_url(queue), batch_size)
        say(f"Monitum at http://127.0.0.1:{port}/  (control-C ends it and forgets everything)")
        say(f"token {token}")
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            say("")


def _credentials() -> dict[str, str]:
    return {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": resources.REGION,
        "AWS_REGION": resources.REGION,
    }


def _queue_url(queue: str) -> str:
    return os.environ[f"{queue.upper().replace('-', '_')}_QUEUE_URL"]


def _server(live: LiveApp, port: int) -> ThreadingHTTPServer:
    def handler(request: Any, client: Any, server: Any) -> BaseHTTPRequestHandler:
        return live.request_handler(request, client, server)

    try:
        # The handler is a function that makes one, so that each request meets the newest code.
        server = ThreadingHTTPServer(("127.0.0.1", port), handler)
    except OSError as error:
        raise Failure(f"port {port} is taken: make dev PORT={port + 1}") from error
    server.daemon_threads = True
    return server


def _fixed_user() -> str:
    """A user whose token is the same at every start, so that it can stay in scripts."""
    from chalicelib.users import service as users_service

    ids = (str(UUID(int=(7 << 76) | (2 << 62) | number)) for number in count(1))
    with (
        patch.object(users_service, "new_id", lambda *_: next(ids)),
        patch("secrets.token_bytes", bytes),
    ):
        _, token = users_service.create_user("developer", admin=True)
    return token


def _background(target: Callable[..., None], *arguments: object) -> None:
    threading.Thread(target=target, args=arguments, daemon=True).start()


def _reload_forever(live: LiveApp) -> None:
    """Load the code again whenever a file of it is saved; mistakes are shown and waited out."""
    seen = live.newest()
    while True:
        time.sleep(RELOAD_EVERY_S)
        newest = live.newest()
        if newest == seen:
            continue
        seen = newest
        try:
            live.load()
            say("reloaded")
        except Exception:  # noqa: BLE001 - whatever the code raises while it is being edited
            say(traceback.format_exc(limit=-3))
            say("not reloaded: the code before the change goes on")
