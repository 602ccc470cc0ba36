"""A second region: the same targets are checked from there too, and DOWN needs both.

The stack under test gets the region for this test, and gives it back.
"""

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from ops import deploy, regions, stack
from ops.stages import Stage
from tests.e2e.test_main_job import wait_for

FURTHER = "eu-west-1"
INTERVAL_S = 10


class TwoMinds(BaseHTTPRequestHandler):
    """A site that refuses as many requests as it is told, of each two that come."""

    refused = 0
    requests = 0
    turns = threading.Lock()

    def do_GET(self) -> None:
        kind = type(self)
        with kind.turns:
            is_refused = kind.requests % 2 < kind.refused
            kind.requests += 1
        self.send_response(503 if is_refused else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def site() -> Iterator[str]:
    made = ThreadingHTTPServer(("127.0.0.1", 0), TwoMinds)
    threading.Thread(target=made.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{made.server_port}/"
    made.shutdown()
    made.server_close()


@pytest.fixture
def two_regions(stage: Stage) -> Iterator[None]:
    built = stack.build_package(stage)

    def have(further: str, quorum: str) -> None:
        before = regions.of(stage)
        given = deploy.parameters(stage, built.template)
        deploy.put(stage, built, {**given, "CheckRegions": further, "CheckQuorum": quorum})
        regions.follow(stage, built, before)

    have(FURTHER, "2")
    yield
    have("", "")
    assert regions.of(stage) == []


@pytest.fixture
def target(two_regions: None, call: Callable[..., Any], site: str) -> Iterator[dict[str, Any]]:
    body = {"name": "Two minds", "kind": "http", "url": site, "interval_s": INTERVAL_S}
    made = call("POST", "/v1/targets", {**body, "failure_threshold": 1})
    yield made
    call("DELETE", f"/v1/targets/{made['id']}")


def test_one_region_alone_makes_nothing_down(
    call: Callable[..., Any], target: dict[str, Any]
) -> None:
    path = f"/v1/targets/{target['id']}"

    def seen(verdict: str) -> list[str]:
        checks = call("GET", f"{path}/checks?verdict={verdict}")["items"]
        return [check["region"] for check in checks]

    def status() -> str:
        return str(call("GET", path)["state"]["status"])

    wait_for("a check from each region", lambda: len(set(seen("UP"))) == 2, 60)
    TwoMinds.refused = 1
    wait_for("a region that sees it down", lambda: len(seen("DOWN")) >= 2, 60)
    assert status() == "UP"
    TwoMinds.refused = 2
    wait_for("DOWN, as both say so", lambda: status() == "DOWN", 60)
    TwoMinds.refused = 0
    wait_for("UP again", lambda: status() == "UP", 60)
