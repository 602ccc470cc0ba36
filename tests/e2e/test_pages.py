"""Status pages on a running stack: only published content is public."""

import time
from collections.abc import Callable
from typing import Any

import pytest
import requests

from tests.e2e.tools import PATIENCE_S, wait_for

TARGET = {
    "name": "Closed <door>",
    "kind": "tcp",
    "host": "127.0.0.2",
    "port": 9,
    "interval_s": 86_400,
    "failure_threshold": 1,
}


@pytest.fixture
def page(call: Callable[..., Any]) -> dict[str, Any]:
    """An unpublished page with one target and a unique slug."""
    target = call("POST", "/v1/targets", TARGET)
    body = {"name": "Doors", "slug": f"doors-{time.time_ns()}", "target_ids": [target["id"]]}
    page: dict[str, Any] = call("POST", "/v1/pages", body)
    return page


def test_a_page_is_published_and_unpublished(
    api_url: str, call: Callable[..., Any], page: dict[str, Any]
) -> None:
    def get(suffix: str = "", kind: str = "status") -> requests.Response:
        return requests.get(f"{api_url}/{kind}/{page['slug']}{suffix}", timeout=40)

    def is_down() -> bool:
        return get(".json").ok and get(".json").json()["status"] == "major_outage"

    path, (target_id,) = f"/v1/pages/{page['id']}", page["target_ids"]
    assert get().status_code == 404
    call("PATCH", path, {"published": True})
    wait_for("an outage on the page", is_down, PATIENCE_S)

    html = get()
    assert html.headers["content-type"] == "text/html; charset=utf-8"
    assert html.headers["cache-control"] == "public, max-age=30"
    assert "script-src 'sha256-" in html.headers["content-security-policy"]
    assert "Closed &lt;door&gt;" in html.text
    feed = get("/feed")
    assert feed.headers["content-type"].startswith("application/atom+xml")
    badge = get("/status.svg", "badge")
    assert badge.headers["content-type"].startswith("image/svg+xml")
    assert "Major outage" in badge.text
    for text in (html.text, feed.text, badge.text, get(".json").text):
        assert target_id not in text
        assert "127.0.0.2" not in text

    call("PATCH", path, {"published": False})
    wait_for("no page", lambda: get().status_code == 404, PATIENCE_S)
    call("DELETE", f"/v1/targets/{target_id}")
    assert call("GET", path)["target_ids"] == []
    call("DELETE", path)
