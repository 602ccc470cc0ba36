"""Alerts on a running stack: a receiver of the test gets one signed word of an outage each way."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import requests
from standardwebhooks import Webhook


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


def told(kind: str) -> list[tuple[dict[str, str], bytes]]:
    return [one for one in Both.got if json.loads(one[1])["type"] == kind]


def wait_for(found: Callable[[], Any], seconds: float) -> None:
    give_up = time.monotonic() + seconds
    while not found():
        assert time.monotonic() < give_up, f"not within {seconds} s"
        time.sleep(0.2)


def test_an_outage_is_told_once_signed_and_so_is_its_end(
    api_url: str, token: str, server: str
) -> None:
    def call(method: str, path: str, body: Any = None) -> Any:
        headers = {"Authorization": f"Token {token}"}
        answer = requests.request(method, api_url + path, json=body, headers=headers, timeout=30)
        assert answer.ok, answer.text
        return answer.json() if answer.text else None

    hook = {"name": "E2E", "kind": "webhook", "url": f"{server}/hook", "tags": ["e2e-alerts"]}
    channel = call("POST", "/v1/channels", hook)
    site = {
        "name": "E2E site",
        "kind": "http",
        "url": server,
        "interval_s": 10,
        "failure_threshold": 1,
        "channel_ids": [channel["id"]],
    }
    target = call("POST", "/v1/targets", site)
    try:
        wait_for(lambda: call("GET", f"/v1/targets/{target['id']}")["state"]["status"] == "UP", 30)
        Both.status = 503
        wait_for(lambda: told("down"), 150)
        Both.status = 200
        wait_for(lambda: told("recovered"), 60)
        time.sleep(5)
        (down,), (recovered,) = told("down"), told("recovered")
        for headers, body in (down, recovered):
            Webhook(channel["secret"]).verify(body, headers)
        (incident,) = call("GET", f"/v1/targets/{target['id']}/incidents")["items"]
        assert (incident["status"], incident["ended_as"]) == ("closed", "recovered")
    finally:
        call("DELETE", f"/v1/targets/{target['id']}")
        call("DELETE", f"/v1/channels/{channel['id']}")
