"""The main job on a running stack: a target goes in, is checked on schedule, its history comes out.

The fixtures `api_url` and `token` find the stack. What is watched is a server of the test's own on
loopback, so the stack must run on this machine.
"""

import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from typing import Any

import pytest
import requests

_FIRST_CHECK_S = 5
_INTERVAL_S = 10
_PATIENCE_S = 60
"""How much later a busy machine may come to something; the schedule is judged by what it kept."""


class Site:
    """A site that can be stopped and started again on the same port."""

    def __init__(self) -> None:
        self.port = 0
        self.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/health"

    def start(self) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), _Answers)
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Answers(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"OK")

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def site() -> Iterator[Site]:
    made = Site()
    yield made
    made.stop()


@pytest.fixture
def api(api_url: str, token: str) -> Callable[..., Any]:
    """Calls the API; answers the JSON, None for an empty body."""

    def call(method: str, path: str, body: object = None, status: int = 200) -> Any:
        answer = requests.request(
            method,
            api_url + path,
            json=body,
            headers={"Authorization": f"Token {token}"},
            timeout=30,
        )
        assert answer.status_code == status, f"{answer.status_code}: {answer.text}"
        return answer.json() if answer.text else None

    return call


@pytest.fixture
def target(api: Callable[..., Any], site: Site) -> Iterator[dict[str, Any]]:
    """A target that watches the site, every ten seconds."""
    body = {
        "name": "Watched site",
        "kind": "http",
        "url": site.url,
        "interval_s": _INTERVAL_S,
        "timeout_s": 2,
        "headers": {"X-Secret": "correct horse"},
    }
    made = api("POST", "/v1/targets", body, status=201)
    yield made
    api("DELETE", f"/v1/targets/{made['id']}", status=204)
    api("GET", f"/v1/targets/{made['id']}", status=404)


def wait_for(what: str, found: Callable[[], Any], seconds: float) -> Any:
    """Ask until the answer is not empty."""
    give_up = time.monotonic() + seconds
    while time.monotonic() < give_up:
        if answer := found():
            return answer
        time.sleep(0.2)
    raise AssertionError(f"{what}: not within {seconds} s")


def test_a_target_goes_in_is_checked_on_schedule_and_its_history_comes_out(
    api: Callable[..., Any], site: Site, target: dict[str, Any]
) -> None:
    path = f"/v1/targets/{target['id']}"
    assert target["headers"] == {"X-Secret": "***"}

    def checks() -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = api("GET", f"{path}/checks")["items"]
        return items

    def status() -> str:
        return str(api("GET", path)["state"]["status"])

    first = wait_for("the first check", checks, _FIRST_CHECK_S)[0]
    assert first["verdict"] == "UP", first
    assert first["status_code"] == 200
    assert first["response_ms"] == sum(first["timings_ms"].values())
    wait_for("the second check", lambda: len(checks()) >= 2, _INTERVAL_S + _PATIENCE_S)
    assert status() == "UP"

    site.stop()
    wait_for("DOWN after two failures", lambda: status() == "DOWN", 2 * _INTERVAL_S + _PATIENCE_S)
    newest = api("GET", f"{path}/checks?verdict=DOWN")["items"]
    assert len(newest) >= 2
    assert newest[0]["reason"] == "refused"
    assert target["id"] in [down["id"] for down in api("GET", "/v1/summary")["down"]]

    site.start()
    wait_for("UP again", lambda: status() == "UP", _INTERVAL_S + _PATIENCE_S)

    def ticks() -> list[datetime]:
        return sorted(datetime.fromisoformat(check["checked_at"]) for check in checks())

    def is_complete() -> bool:
        """Whether there are six checks on schedule, after the first one, and none is missing."""
        scheduled = ticks()[1:]
        steps = {(after - before).seconds for before, after in pairwise(scheduled)}
        return len(scheduled) >= 6 and steps == {_INTERVAL_S}

    try:
        wait_for("a check at every tick", is_complete, 6 * _INTERVAL_S + _PATIENCE_S)
    except AssertionError:
        raise AssertionError(f"not one check every {_INTERVAL_S} s: {ticks()}") from None


def test_check_now_answers_with_the_check(api: Callable[..., Any], target: dict[str, Any]) -> None:
    check = api("POST", f"/v1/targets/{target['id']}/check", status=201)
    assert (check["target_id"], check["verdict"]) == (target["id"], "UP")


def test_a_paused_target_rests_and_a_resumed_one_is_checked_at_once(
    api: Callable[..., Any], target: dict[str, Any]
) -> None:
    path = f"/v1/targets/{target['id']}"
    assert api("POST", f"{path}/pause")["state"]["status"] == "PAUSED"
    api("POST", f"{path}/check", status=409)
    assert api("POST", f"{path}/resume")["enabled"] is True
    wait_for("a check", lambda: api("GET", path)["state"]["status"] == "UP", _FIRST_CHECK_S)


def test_what_is_not_there_is_a_problem_from_every_door(api_url: str, token: str) -> None:
    headers = {"Authorization": f"Token {token}"}
    unknown = requests.get(f"{api_url}/v1/nothing", headers=headers, timeout=30)
    assert unknown.status_code == 404
    assert token not in unknown.text
    nobody = requests.get(f"{api_url}/v1/me", timeout=30)
    assert nobody.status_code == 401
    assert nobody.headers["Content-Type"] == "application/problem+json"


def test_the_schedule_is_alive(api_url: str) -> None:
    answer = requests.get(f"{api_url}/healthz", timeout=30)
    assert answer.status_code == 200, answer.text
