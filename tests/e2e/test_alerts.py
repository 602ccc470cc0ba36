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
from tests.e2e.tools import Handler, serve, wait_for


class SiteAndReceiver(Handler):
    """A site that returns `status`, and a webhook receiver that records requests."""

    status = 200
    received: list[tuple[dict[str, str], bytes]] = []  # noqa: RUF012 - one server for one test

    def do_GET(self) -> None:
        self.respond(type(self).status)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.received.append((dict(self.headers), body))
        self.respond(204)


@pytest.fixture
def server() -> Iterator[str]:
    with serve(SiteAndReceiver) as port:
        yield f"http://127.0.0.1:{port}"


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


def received(kind: str) -> dict[str, tuple[dict[str, str], bytes]]:
    """The received webhooks of one type, by the id that all attempts of a delivery share."""
    found = {headers["webhook-id"]: (headers, body) for headers, body in SiteAndReceiver.received}
    return {key: one for key, one in found.items() if json.loads(one[1])["type"] == kind}


@pytest.fixture
def channel(call: Callable[..., Any], server: str) -> Iterator[dict[str, Any]]:
    hook = {"name": "E2E", "kind": "webhook", "url": f"{server}/hook", "tags": ["e2e-alerts"]}
    created = call("POST", "/v1/channels", hook)
    yield created
    call("DELETE", f"/v1/channels/{created['id']}")


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
    created = call("POST", "/v1/targets", site)
    yield created
    call("DELETE", f"/v1/targets/{created['id']}")


def test_an_outage_and_its_end_are_sent_once_although_functions_are_killed(
    call: Callable[..., Any], channel: dict[str, Any], target: dict[str, Any]
) -> None:
    path = f"/v1/targets/{target['id']}"
    wait_for("UP", lambda: call("GET", path)["state"]["status"] == "UP", 30)
    with Killer() as killer:
        SiteAndReceiver.status = 503
        wait_for("an alert", lambda: received("down"), 400)
        SiteAndReceiver.status = 200
        wait_for("an all-clear", lambda: received("recovered"), 400)
    assert killer.kills or not _functions(), "nothing was killed"
    time.sleep(5)
    (down,), (recovered,) = received("down").values(), received("recovered").values()
    for headers, body in (down, recovered):
        Webhook(channel["secret"]).verify(body, headers)
    (incident,) = call("GET", f"{path}/incidents")["items"]
    assert (incident["status"], incident["ended_as"]) == ("closed", "recovered")
