"""A second region: targets are checked from both, and DOWN needs the agreement of both.

The region is added to the stack for this test and removed afterwards.
"""

from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import pytest

from ops.deployment import deploy, regions, release
from ops.packaging.package import build_in_subprocess
from ops.stages import Stage
from tests.e2e.tools import Request, serve, wait_for

ADDITIONAL_REGION = "eu-west-1"
INTERVAL_S = 10


class FlakySite:
    """A site that rejects `rejected` of every two requests."""

    def __init__(self) -> None:
        self.rejected = 0
        self.port = 0
        self._numbers = count()

    def respond(self, _request: Request) -> int:
        return 503 if next(self._numbers) % 2 < self.rejected else 200


@pytest.fixture
def site() -> Iterator[FlakySite]:
    site = FlakySite()
    with serve(site.respond) as site.port:
        yield site


@pytest.fixture
def two_regions(stage: Stage) -> Iterator[None]:
    package = build_in_subprocess(stage)

    def configure(additional: str, quorum: str) -> None:
        values = deploy.parameters(stage, package.template)
        values |= {"CheckRegions": additional, "CheckQuorum": quorum}
        release.apply(stage, package, values)

    configure(ADDITIONAL_REGION, "2")
    yield
    configure("", "")
    assert regions.of(stage) == []


@pytest.fixture
def target(
    two_regions: None, call: Callable[..., Any], site: FlakySite
) -> Iterator[dict[str, Any]]:
    body = {
        "name": "Flaky site",
        "kind": "http",
        "url": f"http://127.0.0.1:{site.port}/",
        "interval_s": INTERVAL_S,
    }
    target = call("POST", "/v1/targets", {**body, "failure_threshold": 1})
    yield target
    call("DELETE", f"/v1/targets/{target['id']}")


def test_one_region_alone_does_not_make_a_target_down(
    call: Callable[..., Any], site: FlakySite, target: dict[str, Any]
) -> None:
    path = f"/v1/targets/{target['id']}"

    def regions_with(verdict: str) -> list[str]:
        checks = call("GET", f"{path}/checks?verdict={verdict}")["items"]
        return [check["region"] for check in checks]

    def status() -> str:
        return str(call("GET", path)["state"]["status"])

    wait_for("a check from each region", lambda: len(set(regions_with("UP"))) == 2, 60)
    site.rejected = 1
    wait_for("a region that sees it down", lambda: len(regions_with("DOWN")) >= 2, 60)
    assert status() == "UP"
    site.rejected = 2
    wait_for("DOWN, confirmed by both regions", lambda: status() == "DOWN", 60)
    site.rejected = 0
    wait_for("UP again", lambda: status() == "UP", 60)
