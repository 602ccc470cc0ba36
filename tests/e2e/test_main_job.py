"""The main job on a running stack: a target is created, checked on schedule, and has a history.

The targets are servers of the tests on loopback, so the stack must run on this machine.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import datetime
from itertools import pairwise
from typing import Any

import pytest
import requests

from tests.e2e.tools import PATIENCE_S, serve, wait_for

_FIRST_CHECK_S = 5
_INTERVAL_S = 10


class Site:
    """A site that can be stopped and started again on the same port."""

    def __init__(self) -> None:
        self.port = 0
        self.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/health"

    def start(self) -> None:
        self._server = ExitStack()
        self.port = self._server.enter_context(serve(lambda _: 200, self.port))

    def stop(self) -> None:
        self._server.close()


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()
    yield site
    site.stop()


@pytest.fixture
def api(api_url: str, token: str) -> Callable[..., Any]:
    """Calls the API; returns the JSON, or None for an empty body."""

    def call(method: str, path: str, body: object = None, status: int = 200) -> Any:
        response = requests.request(
            method,
            api_url + path,
            json=body,
            headers={"Authorization": f"Token {token}"},
            timeout=30,
        )
        assert response.status_code == status, f"{response.status_code}: {response.text}"
        return response.json() if response.text else None

    return call


@pytest.fixture
def target(api: Callable[..., Any], site: Site) -> Iterator[dict[str, Any]]:
    """A target of the site, with an interval of ten seconds."""
    body = {
        "name": "Watched site",
        "kind": "http",
        "url": site.url,
        "interval_s": _INTERVAL_S,
        "timeout_s": 2,
        "headers": {"X-Secret": "correct horse"},
    }
    target = api("POST", "/v1/targets", body, status=201)
    yield target
    api("DELETE", f"/v1/targets/{target['id']}", status=204)
    api("GET", f"/v1/targets/{target['id']}", status=404)


def test_a_target_is_checked_on_schedule_and_has_a_history(
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
    wait_for("the second check", lambda: len(checks()) >= 2, _INTERVAL_S + PATIENCE_S)
    assert status() == "UP"

    site.stop()
    wait_for("DOWN after two failures", lambda: status() == "DOWN", 2 * _INTERVAL_S + PATIENCE_S)
    newest = api("GET", f"{path}/checks?verdict=DOWN")["items"]
    assert len(newest) >= 2
    assert newest[0]["reason"] == "refused"
    assert target["id"] in [down["id"] for down in api("GET", "/v1/summary")["down"]]

    site.start()
    wait_for("UP again", lambda: status() == "UP", _INTERVAL_S + PATIENCE_S)

    def ticks() -> list[datetime]:
        return sorted(datetime.fromisoformat(check["checked_at"]) for check in checks())

    def is_complete() -> bool:
        """Whether there are six scheduled checks after the first, without a gap."""
        scheduled = ticks()[1:]
        steps = {(after - before).seconds for before, after in pairwise(scheduled)}
        return len(scheduled) >= 6 and steps == {_INTERVAL_S}

    try:
        wait_for("a check at every tick", is_complete, 6 * _INTERVAL_S + PATIENCE_S)
    except AssertionError:
        raise AssertionError(f"not one check every {_INTERVAL_S} s: {ticks()}") from None


def test_check_now_returns_the_check(api: Callable[..., Any], target: dict[str, Any]) -> None:
    check = api("POST", f"/v1/targets/{target['id']}/check", status=201)
    assert (check["target_id"], check["verdict"]) == (target["id"], "UP")


def test_a_paused_target_is_not_checked_and_a_resumed_one_at_once(
    api: Callable[..., Any], target: dict[str, Any]
) -> None:
    path = f"/v1/targets/{target['id']}"
    assert api("POST", f"{path}/pause")["state"]["status"] == "PAUSED"
    api("POST", f"{path}/check", status=409)
    assert api("POST", f"{path}/resume")["enabled"] is True
    wait_for("a check", lambda: api("GET", path)["state"]["status"] == "UP", _FIRST_CHECK_S)


def test_errors_are_problems_with_and_without_a_token(api_url: str, token: str) -> None:
    headers = {"Authorization": f"Token {token}"}
    unknown = requests.get(f"{api_url}/v1/nothing", headers=headers, timeout=30)
    assert unknown.status_code == 404
    assert token not in unknown.text
    anonymous = requests.get(f"{api_url}/v1/me", timeout=30)
    assert anonymous.status_code == 401
    assert anonymous.headers["Content-Type"] == "application/problem+json"


def test_the_scheduler_is_healthy(api_url: str) -> None:
    response = requests.get(f"{api_url}/healthz", timeout=30)
    assert response.status_code == 200, response.text
