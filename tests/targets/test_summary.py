"""GET /v1/summary: counts by status and tag, and the targets that are down."""

from typing import Any

import pytest

from tests.support.world import DOWN, Person, World

pytestmark = pytest.mark.shared_stage

NONE = {"DOWN": 0, "UNKNOWN": 0, "DEGRADED": 0, "PENDING": 0, "UP": 0, "PAUSED": 0}


def test_counts_are_zero_without_targets(alice: Person) -> None:
    assert alice.get("/v1/summary").json == {
        "total": 0,
        "by_status": NONE,
        "by_tag": {},
        "down": [],
        "mtta_s": None,
        "mttr_s": None,
    }


@pytest.fixture
def targets(world: World, alice: Person) -> dict[str, dict[str, Any]]:
    """Create two targets that are down, one that is up, one paused and one new."""
    created = {
        "newly down": alice.make_target(tags=["a"], failure_threshold=1),
        "long down": alice.make_target(tags=["b", "a"], failure_threshold=1),
        "up": alice.make_target(tags=["b"]),
        "paused": alice.make_target(enabled=False),
    }
    world.checker.script[created["long down"]["id"]] = DOWN
    world.deliver()
    world.clock.time += 60
    world.checker.script[created["newly down"]["id"]] = DOWN
    alice.patch(f"/v1/targets/{created['newly down']['id']}", {"url": "https://down.example/"})
    world.clock.time += 1
    world.deliver()
    created["new"] = alice.make_target(tags=["a"])
    return created


def test_counts_and_longest_down_first(alice: Person, targets: dict[str, dict[str, Any]]) -> None:
    found = alice.get("/v1/summary").json
    assert found["total"] == 5
    assert found["by_status"] == {**NONE, "DOWN": 2, "UP": 1, "PAUSED": 1, "PENDING": 1}
    assert found["by_tag"] == {
        "a": {**NONE, "DOWN": 2, "PENDING": 1},
        "b": {**NONE, "DOWN": 1, "UP": 1},
    }
    order = [targets["long down"]["id"], targets["newly down"]["id"]]
    assert [target["id"] for target in found["down"]] == order
    assert found["down"][0] == alice.get(f"/v1/targets/{order[0]}").json


def test_tag_restricts_the_summary(alice: Person, targets: dict[str, dict[str, Any]]) -> None:
    found = alice.get("/v1/summary?tag=b").json
    assert found["total"] == 2
    assert found["by_status"] == {**NONE, "DOWN": 1, "UP": 1}
    assert [target["id"] for target in found["down"]] == [targets["long down"]["id"]]


def test_summary_covers_only_the_owners_targets(
    mallory: Person, targets: dict[str, dict[str, Any]]
) -> None:
    assert mallory.get("/v1/summary").json["total"] == 0


@pytest.mark.parametrize("query", ["tag=a&tag=b", "tags=a", "tag=", "limit=5"])
def test_invalid_parameter_is_refused(alice: Person, query: str) -> None:
    assert alice.get(f"/v1/summary?{query}").status == 400
