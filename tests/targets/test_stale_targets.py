"""Stale targets: UNKNOWN in every view as soon as recent checks are missing or UNKNOWN."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from chalicelib.aws.tenancy import acting_for
from chalicelib.maintenance.reported_status import all_reported_statuses
from tests.support.stages import memory_stage
from tests.support.windows import update_skip_rules, window
from tests.support.world import DOWN, UNKNOWN, UP, Person, World

BLANK = {"DOWN": 0, "UNKNOWN": 0, "DEGRADED": 0, "PENDING": 0, "UP": 0, "PAUSED": 0}


def state(person: Person, target: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = person.get(f"/v1/targets/{target['id']}").json["state"]
    return found


def last_check(person: Person, target: dict[str, Any], query: str = "") -> str:
    """The time of the newest check in the target's history."""
    checks = person.get(f"/v1/targets/{target['id']}/checks?limit=1{query}").json["items"]
    at: str = checks[0]["checked_at"]
    return at


def metrics(person: Person) -> dict[str, dict[str, float]]:
    """`{metric: {target's name: value}}`."""
    text = person.get("/v1/metrics").text
    return {
        family.name: {one.labels["name"]: one.value for one in family.samples}
        for family in text_string_to_metric_families(text)
    }


def assert_views_agree(person: Person) -> None:
    """Lists, filters, summary and metrics report what each target's own view does."""
    listed = person.get("/v1/targets?limit=200").json["items"]
    own = {one["id"]: person.get(f"/v1/targets/{one['id']}").json for one in listed}
    assert listed == list(own.values())
    by_status = person.get("/v1/targets?limit=200&sort=status").json["items"]
    assert sorted(by_status, key=lambda one: one["id"]) == listed
    for status in BLANK:
        expected = {one["id"] for one in own.values() if one["state"]["status"] == status}
        for order in ("oldest", "status"):
            query = f"/v1/targets?limit=200&status={status}&sort={order}"
            assert {one["id"] for one in person.get(query).json["items"]} == expected
        assert person.get("/v1/summary").json["by_status"][status] == len(expected)
    stale = {one["name"]: int(one["state"]["stale"]) for one in listed}
    assert metrics(person)["monitum_target_stale"] == stale


def test_stopped_schedule(world: World, alice: Person) -> None:
    """The schedule stops while one target is up and the other down."""
    up, down = alice.make_target(name="up"), alice.make_target(name="down", failure_threshold=1)
    world.checker.script[down["id"]] = DOWN
    world.run(3_000)
    before = {one["id"]: state(alice, one) for one in (up, down)}
    assert (before[up["id"]]["status"], before[down["id"]]["status"]) == ("UP", "DOWN")
    checked_at = {one["id"]: last_check(alice, one) for one in (up, down)}
    assert_views_agree(alice)
    for silent_s in (420, 6 * 3_600, 40 * 86_400):
        world.clock.time += silent_s
        for one in (up, down):
            shown = state(alice, one)
            assert (shown["status"], shown["stale"]) == ("UNKNOWN", True)
            assert shown["last_checked_at"] == shown["since"] == checked_at[one["id"]]
            assert shown["response_ms"] is None
            assert shown["open_incident_id"] == before[one["id"]]["open_incident_id"]
        assert_views_agree(alice)
        assert alice.get("/v1/summary").json["by_status"] == {**BLANK, "UNKNOWN": 2}
        assert metrics(alice)["monitum_target_up"] == {}


def test_last_check_never_runs_backwards(world: World, alice: Person) -> None:
    target = alice.make_target()
    world.run(300)
    seen = [state(alice, target)["last_checked_at"]]
    for _ in range(40):
        world.clock.time += 7
        seen.append(state(alice, target)["last_checked_at"])
    assert seen == sorted(seen)


def test_status_returns_with_the_next_check(world: World, alice: Person) -> None:
    target = alice.make_target()
    world.run(300)
    world.clock.time += 600
    assert state(alice, target)["status"] == "UNKNOWN"
    world.run(130)
    assert (state(alice, target)["status"], state(alice, target)["stale"]) == ("UP", False)


def test_unknown_checks(world: World, alice: Person) -> None:
    target = alice.make_target()
    world.run(600)
    world.checker.script[target["id"]] = UNKNOWN
    world.run(120)
    shown = state(alice, target)
    assert (shown["status"], shown["response_ms"]) == ("UP", None)
    assert metrics(alice)["monitum_target_up"] == {"Shop": 1}
    world.run(3_600)
    shown = state(alice, target)
    assert (shown["status"], shown["stale"], shown["response_ms"]) == ("UNKNOWN", True, None)
    assert shown["last_checked_at"] == last_check(alice, target)
    assert shown["since"] == last_check(alice, target, "&verdict=UP")
    assert_views_agree(alice)
    world.checker.script[target["id"]] = UP
    world.run(70)
    assert state(alice, target)["status"] == "UP"


@pytest.mark.parametrize("interval_s", [10, 60, 3_600, 86_400])
def test_new_target_without_a_first_check(world: World, alice: Person, interval_s: int) -> None:
    target = alice.make_target(interval_s=interval_s, timeout_s=10)
    world.queue.waiting.clear()
    tolerated_s = max(60, 2 * interval_s + 10)
    world.clock.time += tolerated_s
    assert state(alice, target)["status"] == "PENDING"
    world.clock.time += 1
    shown = state(alice, target)
    assert (shown["status"], shown["last_checked_at"]) == ("UNKNOWN", None)
    assert shown["since"] == target["created_at"]
    assert_views_agree(alice)


def test_new_target_whose_first_check_is_unknown(world: World, alice: Person) -> None:
    target = alice.make_target()
    world.checker.script[target["id"]] = UNKNOWN
    world.run(60)
    assert state(alice, target)["status"] == "PENDING"
    world.run(240)
    assert state(alice, target)["status"] == "UNKNOWN"
    assert_views_agree(alice)


def test_check_now_ends_staleness(world: World, alice: Person) -> None:
    target = alice.make_target(interval_s=86_400)
    world.run(60)
    world.clock.time += 200_000
    assert state(alice, target)["status"] == "UNKNOWN"
    alice.post(f"/v1/targets/{target['id']}/check")
    assert state(alice, target)["status"] == "UNKNOWN"


def test_catch_up_check_after_a_gap_counts(world: World, alice: Person) -> None:
    targets = [
        alice.make_target(name=f"{interval_s} s", interval_s=interval_s)
        for interval_s in (60, 600, 3_600, 86_400)
    ]
    world.run(7_200)
    world.clock.time += 100_020 - world.clock.time % 60
    assert {state(alice, one)["status"] for one in targets} == {"UNKNOWN", "UP"}
    world.run(200)
    for one in targets:
        assert (one["name"], state(alice, one)["status"]) == (one["name"], "UP")
        assert state(alice, one)["last_checked_at"] == last_check(alice, one)
    assert_views_agree(alice)


def test_paused_and_resumed_target(world: World, alice: Person) -> None:
    target = alice.make_target()
    world.run(300)
    alice.post(f"/v1/targets/{target['id']}/pause")
    world.run(3_600)
    assert (state(alice, target)["status"], state(alice, target)["stale"]) == ("PAUSED", False)
    assert_views_agree(alice)
    alice.post(f"/v1/targets/{target['id']}/resume")
    assert state(alice, target)["status"] == "PENDING"
    world.queue.waiting.clear()
    world.clock.time += 131
    shown = state(alice, target)
    assert (shown["status"], shown["last_checked_at"]) == ("UNKNOWN", None)


def test_maintenance_that_skips_checks(world: World, alice: Person) -> None:
    target = alice.make_target(tags=["prod"])
    world.run(120)
    created = window(alice, 10, 1_800, mode="skip")
    update_skip_rules(world)
    world.run(1_200)
    shown = state(alice, target)
    assert (shown["status"], shown["stale"], shown["in_maintenance"]) == ("UP", False, True)
    assert shown["last_checked_at"] == last_check(alice, target)
    assert_views_agree(alice)
    alice.delete(f"/v1/maintenance/{created['id']}")
    assert state(alice, target)["status"] == "UP"
    world.clock.time += 130
    assert state(alice, target)["status"] == "UP"
    world.clock.time += 10
    assert state(alice, target)["status"] == "UNKNOWN"


def test_target_stays_current_from_the_end_of_maintenance_to_its_next_check(
    world: World, alice: Person
) -> None:
    target = alice.make_target(tags=["prod"], interval_s=300)
    world.run(400)
    window(alice, 10, 3_600, mode="skip")
    update_skip_rules(world)
    for _ in range(100):
        world.run(45)
        assert state(alice, target)["status"] == "UP"


def test_maintenance_that_only_mutes_does_not_explain_missing_checks(
    world: World, alice: Person
) -> None:
    target = alice.make_target(tags=["prod"])
    world.run(120)
    window(alice, 1, 3_600, mode="mute")
    world.clock.time += 600
    shown = state(alice, target)
    assert (shown["status"], shown["in_maintenance"]) == ("UNKNOWN", True)


def test_disabled_owner(world: World, alice: Person) -> None:
    alice.make_target()
    world.run(120)
    admin = world.user("admin", admin=True)
    assert admin.patch(f"/v1/users/{alice.owner}", {"disabled": True}).status == 200
    world.clock.time += 3_600
    with acting_for(alice.owner):
        ((_, reported),) = all_reported_statuses(world.runtime, alice.owner)
    assert (reported.status, reported.is_stale) == ("UP", False)
    admin.patch(f"/v1/users/{alice.owner}", {"disabled": False})
    assert state(alice, alice.get("/v1/targets").json["items"][0])["status"] == "UP"
    world.clock.time += 131
    assert state(alice, alice.get("/v1/targets").json["items"][0])["status"] == "UNKNOWN"


REGIONS = {"CHECK_REGIONS": "eu-west-1"}


@pytest.fixture
def two_regions() -> Iterator[World]:
    with memory_stage(REGIONS) as world:
        yield world


def test_the_checks_of_any_region_count(two_regions: World) -> None:
    world, alice = two_regions, two_regions.user()
    elsewhere = replace(world.runtime.settings, region="eu-west-1")
    target = alice.make_target(interval_s=10)
    world.runtime.__dict__["further_checks"] = {}
    world.run(120)
    assert not state(alice, target)["stale"]
    home, world.runtime.settings = world.runtime.settings, elsewhere
    world.run(300)
    world.runtime.settings = home
    shown = state(alice, target)
    assert (shown["stale"], shown["last_checked_at"]) == (False, last_check(alice, target))
    assert_views_agree(alice)
    world.clock.time += 300
    assert state(alice, target)["stale"]


def test_targets_of_a_former_occupant_of_the_place_do_not_count(
    world: World, alice: Person, lowest_place: None
) -> None:
    former = alice.make_target()
    world.run(600)
    alice.delete(f"/v1/targets/{former['id']}")
    target = alice.make_target()
    world.queue.waiting.clear()
    world.clock.time += 200
    shown = state(alice, target)
    assert (shown["status"], shown["last_checked_at"]) == ("UNKNOWN", None)


def test_reads_grow_with_the_lanes_and_not_with_the_targets(
    world: World, alice: Person, dynamodb_calls: list[str]
) -> None:
    """Fifty stale targets of one lane take as many calls as one."""

    def calls(path: str) -> int:
        alice.get(path)
        dynamodb_calls.clear()
        assert alice.get(path).status == 200
        return len(dynamodb_calls)

    paths = ("/v1/targets?limit=200", "/v1/targets?sort=status", "/v1/summary", "/v1/metrics")
    alice.make_target(name="first")
    world.run(130)
    world.clock.time += 3_600
    of_one = {path: calls(path) for path in paths}
    world.clock.time -= 3_600
    items = [{"name": f"{n}", "kind": "http", "url": "https://shop.example/"} for n in range(49)]
    assert alice.post("/v1/targets/batch", {"items": items}).status == 200
    world.run(130)
    world.clock.time += 3_600
    assert {path: calls(path) for path in paths} == of_one
