"""Orders of the list of targets: stable under changes, with a bounded cost per page."""

from typing import Any

import pytest

from chalicelib.aws.dynamodb import Table
from chalicelib.aws.tenancy import acting_for
from chalicelib.monitoring.result import CheckResult, Reason, Timings, Verdict
from chalicelib.monitoring.state_machine import State, Status
from chalicelib.monitoring.storage.lane_repository import Lanes
from chalicelib.monitoring.storage.models import LaneItem
from chalicelib.monitoring.storage.target_repository import _item
from chalicelib.targets.validation import Draft
from tests.support.blueprint import PREFIX
from tests.support.stages import ACTIVE
from tests.support.world import DOWN, START, Person

pytestmark = pytest.mark.shared_stage

SLOW = CheckResult(Verdict.DEGRADED, Reason.SLOW, 200, Timings(1, 2, 3, 4_000, 4))


def names(person: Person, query: str) -> list[str]:
    """Return the names on all pages, with two targets per page."""
    found: list[str] = []
    cursor = ""
    while True:
        page = person.get(f"/v1/targets?limit=2&{query}{cursor}").json
        found += [item["name"] for item in page["items"]]
        if page["next_cursor"] is None:
            return found
        cursor = f"&cursor={page['next_cursor']}"


@pytest.fixture
def shops(alice: Person) -> list[dict[str, Any]]:
    created = []
    for name in ("b", "A", "c", "a", "B"):
        created.append(alice.make_target(name=name, tags=["even" if name in "bB" else "odd"]))
        alice.world.clock.time += 1
    return created


def test_orders(alice: Person, shops: list[dict[str, Any]]) -> None:
    assert names(alice, "") == ["b", "A", "c", "a", "B"]
    assert names(alice, "sort=newest") == ["B", "a", "c", "A", "b"]
    assert names(alice, "sort=name") == ["A", "a", "b", "B", "c"]


def test_filters_apply_to_every_order(alice: Person, shops: list[dict[str, Any]]) -> None:
    assert names(alice, "sort=newest&tag=even") == ["B", "b"]
    assert names(alice, "sort=name&tag=odd&enabled=true&kind=http") == ["A", "a", "c"]


def test_cursor_is_bound_to_its_order(alice: Person, shops: list[dict[str, Any]]) -> None:
    cursor = alice.get("/v1/targets?limit=1&sort=name").json["next_cursor"]
    for sort in ("newest", "oldest"):
        reply = alice.get(f"/v1/targets?limit=1&sort={sort}&cursor={cursor}")
        assert (reply.status, reply.fields) == (400, ["query.cursor"])


def test_status_order_is_worst_first_then_longest(
    alice: Person, shops: list[dict[str, Any]]
) -> None:
    world, ids = alice.world, {shop["name"]: shop["id"] for shop in shops}
    world.run(120)
    for name in "cA":
        world.checker.script[ids[name]] = DOWN
        world.run(180)
    world.checker.script[ids["b"]] = SLOW
    world.run(180)
    alice.post(f"/v1/targets/{ids['B']}/pause")
    alice.make_target(name="new")
    assert names(alice, "sort=status") == ["c", "A", "b", "new", "a", "B"]
    assert names(alice, "sort=status&status=DOWN") == ["c", "A"]
    assert names(alice, "sort=status&tag=odd") == ["c", "A", "a"]
    first = alice.get("/v1/targets?limit=2&sort=status").json
    alice.delete(f"/v1/targets/{ids['A']}")
    alice.delete(f"/v1/targets/{ids['b']}")
    rest = alice.get(f"/v1/targets?sort=status&cursor={first['next_cursor']}").json["items"]
    assert [item["name"] for item in rest] == ["new", "a", "B"]


@pytest.mark.parametrize("sort", ["oldest", "newest", "name", "status"])
def test_targets_appear_once_while_others_change(
    alice: Person, shops: list[dict[str, Any]], sort: str
) -> None:
    order = [item["id"] for item in alice.get(f"/v1/targets?limit=200&sort={sort}").json["items"]]
    first = alice.get(f"/v1/targets?limit=2&sort={sort}").json
    alice.delete(f"/v1/targets/{order[1]}")
    alice.delete(f"/v1/targets/{order[2]}")
    alice.make_target(name="b too")
    rest = alice.get(f"/v1/targets?limit=200&sort={sort}&cursor={first['next_cursor']}").json
    listed = [item["id"] for item in [*first["items"], *rest["items"]]]
    assert len(listed) == len(set(listed))
    assert set(order) - {order[2]} <= set(listed)


def test_a_renamed_target_is_found_by_its_new_name(
    alice: Person, shops: list[dict[str, Any]]
) -> None:
    alice.patch(f"/v1/targets/{shops[2]['id']}", {"name": "Aaa"})
    assert names(alice, "sort=name") == ["A", "a", "Aaa", "b", "B"]


def test_cost_of_a_page_by_status_grows_with_the_lanes(
    alice: Person, dynamodb_calls: list[str]
) -> None:
    """Ten thousand targets, all of them checked lately."""
    fill(alice, 10_000)
    alice.world.clock.time += 3_600
    states = {place: State(Status.UP, START, START + 3_590) for place in range(50)}
    with acting_for(alice.owner):
        for lane in Lanes(alice.owner).all():
            assert Lanes(alice.owner).write(lane, states)
    dynamodb_calls.clear()
    page = alice.get("/v1/targets?limit=50&sort=status").json
    assert len(page["items"]) == 50
    assert len(dynamodb_calls) <= 25


@pytest.mark.parametrize("sort", ["oldest", "newest", "name"])
def test_cost_of_a_page_is_independent_of_the_count(
    alice: Person, dynamodb_calls: list[str], sort: str
) -> None:
    alice.make_target(name="first")
    query = f"/v1/targets?limit=50&sort={sort}"
    alice.get(query)
    dynamodb_calls.clear()
    alice.get(query)
    of_one = list(dynamodb_calls)
    fill(alice, 10_000)
    dynamodb_calls.clear()
    page = alice.get(query).json
    assert len(page["items"]) == 50
    assert dynamodb_calls == of_one
    dynamodb_calls.clear()
    assert len(alice.get(f"{query}&cursor={page['next_cursor']}").json["items"]) == 50
    assert dynamodb_calls == of_one


def fill(person: Person, count: int) -> None:
    """Store targets and their lanes directly, as the API would take minutes."""
    from chalicelib.monitoring.target import Target  # noqa: PLC0415 - its only use

    def put(table: str, item: Table) -> None:
        ACTIVE[-1].call("PutItem", {"TableName": PREFIX + table, "Item": item.serialize()})

    draft = Draft(
        name="n",
        kind="http",
        interval_s=60,
        timeout_s=10,
        failure_threshold=2,
        recovery_threshold=1,
        config={"url": "https://shop.example/"},
        expect={},
    )
    state = State.pending(START).to_list()
    for lane in range(1, count // 50 + 1):
        places: dict[str, list[object]] = {}
        for place in range(50):
            target_id = f"01a1ee56-5e00-7000-8000-{lane:06d}{place:06d}"
            spec = draft.spec(target_id, place)
            target = Target(
                owner=person.owner,
                spec=spec,
                lane=lane,
                name=f"target {lane:04d} {place:02d}",
                created_at=START,
                updated_at=START,
            )
            put("targets", _item(target))
            places[str(place)] = [target_id, *state]
        item = LaneItem(person.owner, f"lane:{lane:04d}", version=0, places=places, shard="0")
        put("lanes", item)
