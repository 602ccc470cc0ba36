"""A hundred targets: created in one batch, listed with as many calls as ten."""

import json
from dataclasses import dataclass, replace

import pytest

from chalicelib.aws.tenancy import acting_for
from chalicelib.monitoring.state_machine import Status
from chalicelib.monitoring.storage.lane_repository import Lanes
from tests.support.stages import stored
from tests.support.world import START, Person, World

pytestmark = pytest.mark.shared_stage

QUERIES = ["limit=200", "limit=200&q=shop&enabled=true&tag=a", "limit=1&q=nowhere"]


@dataclass
class Owners:
    """Two owners, of ten and of a hundred targets, and the names of the calls to DynamoDB."""

    people: dict[int, Person]
    recorded: list[str]

    def calls(self, path: str) -> dict[int, list[str]]:
        found = {}
        for count, person in self.people.items():
            self.recorded.clear()
            assert person.get(path).status == 200
            found[count] = sorted(self.recorded)
        return found


@pytest.fixture(scope="module")
def people(shared_stage: World) -> dict[int, Person]:
    found = {}
    for count in (10, 100):
        found[count] = shared_stage.user()
        items = [
            {"name": f"{n}", "kind": "http", "url": "https://shop.example/", "tags": ["a"]}
            for n in range(count)
        ]
        reply = found[count].post("/v1/targets/batch", {"items": items})
        assert [item["target"]["name"] for item in reply.json["items"]] == [
            item["name"] for item in items
        ]
    return found


@pytest.fixture
def owners(people: dict[int, Person], dynamodb_calls: list[str]) -> Owners:
    return Owners(people, dynamodb_calls)


def test_targets_fill_two_lanes(people: dict[int, Person]) -> None:
    places = sorted(
        (item["lane"]["S"], json.loads(item["spec"]["S"])["place"])
        for item in map(json.loads, stored("targets")["targets"])
        if item["owner"]["S"] == people[100].owner
    )
    assert places == [(f"{people[100].owner}#{lane}", n) for lane in (0, 1) for n in range(50)]


def test_list_shows_all_targets(people: dict[int, Person]) -> None:
    assert len(people[100].get("/v1/targets?limit=200").json["items"]) == 100


@pytest.mark.parametrize("query", QUERIES)
def test_before_the_first_check(world: World, owners: Owners, query: str) -> None:
    calls = owners.calls(f"/v1/targets?{query}")
    assert calls[100] == calls[10]
    assert len(calls[100]) <= 6


@pytest.mark.parametrize("query", QUERIES)
def test_after_single_checks(world: World, owners: Owners, query: str) -> None:
    """The most expensive case: without scheduled results each target has its own key."""
    for person in owners.people.values():
        with acting_for(person.owner):
            for lane in Lanes(person.owner).all():
                moved = {
                    number: replace(place.state, status=Status.UP, changed=START + 3_600 - number)
                    for number, place in lane.places.items()
                }
                assert Lanes(person.owner).write(lane, moved)
    world.clock.time += 3600
    calls = owners.calls(f"/v1/targets?{query}")
    # Two calls read the keys of a hundred targets and those of their lanes.
    assert len(calls[100]) <= min(len(calls[10]) + 1, 9)


@pytest.mark.parametrize(("path", "limit"), [("/v1/summary", 7), ("/v1/me", 3)])
def test_summaries_are_as_cheap(owners: Owners, path: str, limit: int) -> None:
    calls = owners.calls(path)
    assert calls[100] == calls[10]
    assert len(calls[100]) <= limit
