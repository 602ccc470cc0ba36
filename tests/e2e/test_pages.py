"""Status pages on a running stack: what is published is everybody's, and nothing else."""

import time
from collections.abc import Callable
from typing import Any

import pytest
import requests

TARGET = {
    "name": "Closed <door>",
    "kind": "tcp",
    "host": "127.0.0.1",
    "port": 9,
    "interval_s": 86_400,
    "failure_threshold": 1,
}
_PATIENCE_S = 60


@pytest.fixture
def page(call: Callable[..., Any]) -> dict[str, Any]:
    """A page with one target, not published; its slug is this run's own."""
    target = call("POST", "/v1/targets", TARGET)
    body = {"name": "Doors", "slug": f"doors-{time.time_ns()}", "target_ids": [target["id"]]}
    made: dict[str, Any] = call("POST", "/v1/pages", body)
    return made


def until(is_so: Callable[[], bool]) -> None:
    give_up = time.monotonic() + _PATIENCE_S
    while not is_so():
        assert time.monotonic() < give_up
        time.sleep(1)


def test_a_page_is_published_seen_and_taken_off(
    api_url: str, call: Callable[..., Any], page: dict[str, Any]
) -> None:
    def visit(ending: str = "", place: str = "status") -> requests.Response:
        return requests.get(f"{api_url}/{place}/{page['slug']}{ending}", timeout=40)

    path, (target_id,) = f"/v1/pages/{page['id']}", page["target_ids"]
    assert visit().status_code == 404
    call("PATCH", path, {"published": True})
    until(lambda: visit(".json").ok and visit(".json").json()["status"] == "major_outage")

    html = visit()
    assert html.headers["content-type"] == "text/html; charset=utf-8"
    assert html.headers["cache-control"] == "public, max-age=30"
    assert "script-src 'sha256-" in html.headers["content-security-policy"]
    assert "Closed &lt;door&gt;" in html.text
    feed = visit("/feed")
    assert feed.headers["content-type"].startswith("application/atom+xml")
    badge = visit("/status.svg", "badge")
    assert badge.headers["content-type"].startswith("image/svg+xml")
    assert "Major outage" in badge.text
    for told in (html.text, feed.text, badge.text, visit(".json").text):
        assert target_id not in told
        assert "127.0.0.1" not in told

    call("PATCH", path, {"published": False})
    until(lambda: visit().status_code == 404)
    call("DELETE", f"/v1/targets/{target_id}")
    assert call("GET", path)["target_ids"] == []
    call("DELETE", path)
