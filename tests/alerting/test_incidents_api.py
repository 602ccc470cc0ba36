"""Incidents through the API."""

import pytest

from tests.support.alerts import HOOK, channel, fail, heal, incidents, target
from tests.support.windows import window
from tests.support.world import DOWN, UP, World


def test_durations_count_from_the_first_failing_check(world: World) -> None:
    alice = world.user()
    channel(alice, HOOK)
    shop = alice.make_target(interval_s=60, failure_threshold=3)
    path = f"/v1/targets/{shop['id']}/stats?window=1h"
    for result, seconds in ((UP, 120), (DOWN, 180), (DOWN, 60), (UP, 120)):
        world.checker.script[shop["id"]] = result
        world.run(seconds)
        world.run_alerts()
    (incident,) = incidents(alice)
    down, recovered = world.outbound.received()
    assert (incident["duration_s"], incident["first_failed_at"]) == (
        240,
        down["data"]["targets"][0]["since"],
    )
    assert recovered["data"]["title"] == "Shop has recovered after 4 min"
    statistics = alice.get(path).json
    assert (statistics["mttr_s"], statistics["downtime_s"]) == (240, 240)
    assert alice.get("/v1/summary").json["mttr_s"] == 240


def test_outage_that_begins_in_maintenance_counts_without_it_in_statistics(world: World) -> None:
    alice = world.user()
    shop = alice.make_target(interval_s=60, failure_threshold=2, tags=["prod"])
    world.run(120)
    window(alice, 0, 150, counts_in_uptime=False)
    world.checker.script[shop["id"]] = DOWN
    world.run(300)
    world.checker.script[shop["id"]] = UP
    world.run(120)
    world.run_alerts()
    (incident,) = incidents(alice)
    assert incident["first_failed_at"] < incident["opened_at"]
    assert incident["duration_s"] == 300
    statistics = alice.get(f"/v1/targets/{shop['id']}/stats?window=1h").json
    assert statistics["maintenance_s"] == 150
    assert statistics["mttr_s"] == statistics["downtime_s"] < 300


def test_incidents_are_filtered_by_status_target_and_tag(world: World) -> None:
    alice = world.user()
    shop, mail, bare = (
        target(alice, name=name, tags=tags)
        for name, tags in (("Shop", ["prod", "web"]), ("Mail", ["prod"]), ("Bare", []))
    )
    world.run(60)
    fail(world, shop, mail, bare)
    heal(world, shop)
    world.run_alerts()

    def names(query: str) -> list[str]:
        return sorted(one["target_name"] for one in incidents(alice, query))

    assert names("") == ["Bare", "Mail", "Shop"]
    assert names("?status=open") == names("?open=true") == ["Bare", "Mail"]
    assert names("?status=closed") == ["Shop"]
    assert names("?tag=prod") == ["Mail", "Shop"]
    assert names("?tag=prod&status=open") == ["Mail"]
    assert names(f"?target_id={shop['id']}") == ["Shop"]
    assert names(f"?target_id={shop['id']}&status=open") == []
    assert names(f"?target_id={shop['id']}&tag=none") == []
    assert names("?target_id=unknown") == []
    assert alice.get("/v1/incidents?status=old").fields == ["query.status"]
    path = f"/v1/targets/{mail['id']}/incidents"
    assert [len(alice.get(f"{path}?status={one}").json["items"]) for one in ("open", "closed")] == [
        1, 0
    ]  # fmt: skip


def test_pages_of_filtered_incidents_are_complete(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chalicelib.alerting.incidents.service._MAX_READ", 3)
    alice = world.user()
    shops = [target(alice, name=f"{n}", tags=["prod"] if n % 4 == 0 else []) for n in range(12)]
    world.run(60)
    fail(world, *shops)
    world.run_alerts()
    for limit in (1, 2, 50):
        found, query = [], f"?tag=prod&limit={limit}"
        while query:
            page = alice.get(f"/v1/incidents{query}").json
            assert len(page["items"]) <= limit
            found += [one["target_name"] for one in page["items"]]
            cursor = page["next_cursor"]
            query = f"?tag=prod&limit={limit}&cursor={cursor}" if cursor else ""
        assert sorted(found) == ["0", "4", "8"]


def test_incident_has_a_timeline(world: World) -> None:
    alice = world.user()
    channel(alice, HOOK)
    shop = alice.make_target(interval_s=10, failure_threshold=2)
    world.run(60)
    fail(world, shop, seconds=30)
    world.run_alerts()
    path = f"/v1/incidents/{incidents(alice)[0]['id']}"
    acknowledged = alice.post(f"{path}/acknowledge", {"note": "on it"}).json
    assert acknowledged["acknowledgement"]["by"] == "alice (first token)"
    assert acknowledged["acknowledgement"]["note"] == "on it"
    heal(world, shop)
    world.run_alerts()
    summary = alice.get("/v1/summary").json
    assert (summary["mtta_s"], summary["mttr_s"]) == (
        acknowledged["acknowledged_after_s"],
        alice.get(path).json["duration_s"],
    )
    story = alice.get(path).json
    events = [moment["what"] for moment in story["timeline"]]
    assert events[0] == "first_failed"
    assert set(events) == {
        "first_failed",
        "opened",
        "alert_down",
        "acknowledged",
        "closed",
        "alert_recovered",
    }
    assert story["first_failed_at"] < story["opened_at"] < story["closed_at"]
    assert story["opened_at"] <= story["last_failed_at"] < story["closed_at"]
    assert (story["status"], story["ended_as"], story["flapping"]) == ("closed", "recovered", False)


def test_first_acknowledgement_is_kept(world: World) -> None:
    alice = world.user()
    shop = target(alice)
    world.run(60)
    fail(world, shop)
    world.run_alerts()
    path = f"/v1/incidents/{incidents(alice)[0]['id']}/acknowledge"
    first = alice.post(path, {"note": "mine"}).json["acknowledgement"]
    world.clock.time += 60
    assert alice.post(path, {"note": "no, mine"}).json["acknowledgement"] == first


def test_incidents_of_owner_and_target_are_paginated(world: World) -> None:
    alice = world.user()
    shop, cafe = target(alice), target(alice, name="Cafe")
    world.run(60)
    for _ in range(2):
        fail(world, shop)
        heal(world, shop)
    fail(world, cafe)
    world.run_alerts()
    everything = incidents(alice)
    assert [one["target_name"] for one in everything] == ["Cafe", "Shop", "Shop"]
    path = f"/v1/targets/{shop['id']}/incidents"
    page = alice.get(f"{path}?limit=1").json
    rest = alice.get(f"{path}?limit=1&cursor={page['next_cursor']}").json
    assert [*page["items"], *rest["items"]] == everything[1:]
    page = alice.get("/v1/incidents?limit=2").json
    rest = alice.get(f"/v1/incidents?limit=2&cursor={page['next_cursor']}").json
    assert [*page["items"], *rest["items"]] == everything
    assert [one["target_name"] for one in incidents(alice, "?open=true")] == ["Cafe"]
    assert alice.get(f"{path}?open=true").json["items"] == []
    assert alice.get("/v1/incidents?open=maybe").status == 400


def test_unknown_incident_is_not_found(world: World) -> None:
    alice = world.user()
    for identifier in ("0190c1de-0000-7000-8000-000000000000", "nonsense"):
        assert alice.get(f"/v1/incidents/{identifier}").status == 404
        assert alice.post(f"/v1/incidents/{identifier}/acknowledge", {}).status == 404
