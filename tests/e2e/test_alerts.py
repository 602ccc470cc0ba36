"""Alerts on a running stack: a receiver of the test gets one signed word of an outage each way."""

import json
import os
import random
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

import pytest
from standardwebhooks import Webhook

from ops import stages


class Both(BaseHTTPRequestHandler):
    """A site that answers GET as it is told, and a receiver that keeps what is posted."""

    status = 200
    got: list[tuple[dict[str, str], bytes]] = []  # noqa: RUF012 - one server for one test

    def do_GET(self) -> None:
        self.send_response(type(self).status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.got.append((dict(self.headers), body))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[str]:
    made = ThreadingHTTPServer(("127.0.0.1", 0), Both)
    threading.Thread(target=made.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{made.server_port}"
    made.shutdown()
    made.server_close()


_MOST_KILLS = 6


class Death:
    """Kills a process of the local stack's functions now and then, whatever it is doing.

    A message that dies with its function comes again after minutes, so it kills a few times only.

    Elsewhere than on the local stack there is nothing to kill, and the story goes undisturbed.
    """

    def __init__(self) -> None:
        self.kills = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        while self.kills < _MOST_KILLS and not self._over.wait(random.uniform(0.5, 3)):
            if victims := _functions():
                with suppress(ProcessLookupError):
                    os.kill(random.choice(victims), signal.SIGKILL)
                    self.kills += 1


def _functions() -> list[int]:
    """The processes in which the local stack runs functions: the children of the emulator."""
    try:
        emulator = (stages.local_directory() / "ministack.pid").read_text().split()[0]
    except FileNotFoundError:
        return []
    listed = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", emulator], capture_output=True, text=True, check=False
    )
    return [int(pid) for pid in listed.stdout.split()]


def told(kind: str) -> dict[str, tuple[dict[str, str], bytes]]:
    """What the receiver was told of one kind, by the id that is the same on every attempt."""
    found = {headers["webhook-id"]: (headers, body) for headers, body in Both.got}
    return {key: one for key, one in found.items() if json.loads(one[1])["type"] == kind}


def wait_for(found: Callable[[], Any], seconds: float) -> None:
    give_up = time.monotonic() + seconds
    while not found():
        assert time.monotonic() < give_up, f"not within {seconds} s"
        time.sleep(0.2)


@pytest.fixture
def channel(call: Callable[..., Any], server: str) -> Iterator[dict[str, Any]]:
    hook = {"name": "E2E", "kind": "webhook", "url": f"{server}/hook", "tags": ["e2e-alerts"]}
    made = call("POST", "/v1/channels", hook)
    yield made
    call("DELETE", f"/v1/channels/{made['id']}")


@pytest.fixture
def target(
    call: Callable[..., Any], server: str, channel: dict[str, Any]
) -> Iterator[dict[str, Any]]:
    site = {
        "name": "E2E site",
        "kind": "http",
        "url": server,
        "interval_s": 10,
        "failure_threshold": 1,
        "channel_ids": [channel["id"]],
    }
    made = call("POST", "/v1/targets", site)
    yield made
    call("DELETE", f"/v1/targets/{made['id']}")


def test_an_outage_is_told_once_signed_and_so_is_its_end_though_functions_die(
    call: Callable[..., Any], channel: dict[str, Any], target: dict[str, Any]
) -> None:
    path = f"/v1/targets/{target['id']}"
    wait_for(lambda: call("GET", path)["state"]["status"] == "UP", 30)
    with Death() as death:
        Both.status = 503
        wait_for(lambda: told("down"), 400)
        Both.status = 200
        wait_for(lambda: told("recovered"), 400)
    assert death.kills or not _functions(), "nothing was killed"
    time.sleep(5)
    (down,), (recovered,) = told("down").values(), told("recovered").values()
    for headers, body in (down, recovered):
        Webhook(channel["secret"]).verify(body, headers)
    (incident,) = call("GET", f"{path}/incidents")["items"]
    assert (incident["status"], incident["ended_as"]) == ("closed", "recovered")
