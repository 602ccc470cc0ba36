"""Alerts on a running stack: one signed webhook for an outage and one for its end."""

import json
import os
import random
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, Self

import pytest
from standardwebhooks import Webhook

from ops import stages
from tests.e2e.tools import Request, serve, wait_for


class Server:
    """A site that returns `status` for GET, and a receiver that records the webhooks of POST."""

    def __init__(self) -> None:
        self.status = 200
        self.url = ""
        self._webhooks: list[Request] = []

    def respond(self, request: Request) -> int:
        if request.method == "GET":
            return self.status
        self._webhooks.append(request)
        return 204

    def received(self, kind: str) -> list[Request]:
        """The webhooks of one type, without repeated attempts, which have the same id."""
        unique = {request.headers["webhook-id"]: request for request in self._webhooks}
        return [one for one in unique.values() if json.loads(one.body)["type"] == kind]


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    with serve(server.respond) as port:
        server.url = f"http://127.0.0.1:{port}"
        yield server


_MAX_KILLS = 6


class Killer:
    """Kills processes of the local stack's functions at random times.

    Only a few, because SQS delivers the message of a killed function again after minutes. On other
    stacks it does nothing.
    """

    def __init__(self) -> None:
        self.kills = 0
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        while self.kills < _MAX_KILLS and not self._stopped.wait(random.uniform(0.5, 3)):
            if victims := _functions():
                with suppress(ProcessLookupError):
                    os.kill(random.choice(victims), signal.SIGKILL)
                    self.kills += 1


def _functions() -> list[int]:
    """The processes of the local stack's functions: children of the emulator."""
    try:
        emulator = (stages.local_directory() / "ministack.pid").read_text().split()[0]
    except FileNotFoundError:
        return []
    output = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", emulator], capture_output=True, text=True, check=False
    ).stdout
    return [int(pid) for pid in output.split()]


@pytest.fixture
def channel(call: Callable[..., Any], server: Server) -> Iterator[dict[str, Any]]:
    hook = {"name": "E2E", "kind": "webhook", "url": f"{server.url}/hook", "tags": ["e2e-alerts"]}
    created = call("POST", "/v1/channels", hook)
    yield created
    call("DELETE", f"/v1/channels/{created['id']}")


@pytest.fixture
def target(
    call: Callable[..., Any], server: Server, channel: dict[str, Any]
) -> Iterator[dict[str, Any]]:
    site = {
        "name": "E2E site",
        "kind": "http",
        "url": server.url,
        "interval_s": 10,
        "failure_threshold": 1,
        "channel_ids": [channel["id"]],
    }
    created = call("POST", "/v1/targets", site)
    yield created
    call("DELETE", f"/v1/targets/{created['id']}")


def test_an_outage_and_its_end_are_sent_once_although_functions_are_killed(
    call: Callable[..., Any], server: Server, channel: dict[str, Any], target: dict[str, Any]
) -> None:
    path = f"/v1/targets/{target['id']}"
    wait_for("UP", lambda: call("GET", path)["state"]["status"] == "UP", 30)
    with Killer() as killer:
        server.status = 503
        wait_for("an alert", lambda: server.received("down"), 400)
        server.status = 200
        wait_for("an all-clear", lambda: server.received("recovered"), 400)
    assert killer.kills or not _functions(), "nothing was killed"
    time.sleep(5)
    (down,), (recovered,) = server.received("down"), server.received("recovered")
    for request in (down, recovered):
        Webhook(channel["secret"]).verify(request.body, request.headers)
    (incident,) = call("GET", f"{path}/incidents")["items"]
    assert (incident["status"], incident["ended_as"]) == ("closed", "recovered")
