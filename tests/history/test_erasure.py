"""Deleting a target removes its history within a day, whatever goes wrong meanwhile."""

import time
from collections.abc import Collection
from typing import Any

import pytest

from chalicelib.aws.tenancy import acting_for
from chalicelib.history.dispatch import fan_out
from chalicelib.history.erasure import run_erasures
from chalicelib.history.rollups.job import RollupJob
from chalicelib.history.rollups.repository import Period, Rollups
from chalicelib.history.rollups.rollup import DAY_S, HOUR_S
from chalicelib.history.rollups.worker import roll_up_lane
from chalicelib.history.service import statistics
from chalicelib.monitoring.storage.result_repository import (
    CheckKey,
    LaneResults,
    Results,
    write_results,
)
from chalicelib.monitoring.storage.schedule_repository import advance_rollup_cursor
from chalicelib.monitoring.storage.target_repository import Targets
from tests.support import alerts
from tests.support.stages import stored
from tests.support.world import DOWN, START, UP, Person, World, as_system

DAYS = 2
FIRST = START - DAYS * DAY_S


@pytest.fixture
def alice(world: World, lowest_place: None) -> Person:
    """Two targets with some days of results every half hour; the first one fails now and then."""
    world.clock.time = FIRST
    alice = world.user()
    alerts.channel(alice)
    for _ in range(2):
        alice.make_target(interval_s=600, failure_threshold=1)
    world.queue.take()
    with acting_for(alice.owner):
        for tick in range(FIRST + 600, START, 1_800):
            key = CheckKey(alice.owner, 0, tick, "us-east-1")
            found = {0: DOWN if tick % 3_600 == 1_000 else UP, 1: UP}
            write_results(key, found, retention_days=90, intervals_s={0: 600, 1: 600})
        world.clock.time = START
        roll_up_lane(world.runtime, RollupJob(alice.owner, 0, [(FIRST, START)]))
    with as_system():
        advance_rollup_cursor(START - HOUR_S)
    return alice


def hours(world: World, count: int) -> int:
    """Live on for some hours with nothing but what runs every hour; how many runs failed."""
    failed = 0
    for _ in range(count):
        world.clock.time += HOUR_S
        fan_out(world.runtime)
        failed += sum(world.roll_up(event) for event in world.functions.take("rollup"))
    return failed


def ids(alice: Person) -> list[str]:
    return sorted(item["id"] for item in alice.get("/v1/targets").json["items"])


def by_place(world: World, alice: Person, place: int) -> list[Any]:
    """All that there is of a place in results and rollups."""
    now = world.runtime.now
    with acting_for(alice.owner):
        results = Results(alice.owner).between(0, FIRST, now + 1, now=now)
        found: list[Any] = [
            (one.tick, one.by_place[place]) for one in results if place in one.by_place
        ]
        for period in Period:
            rollups = Rollups(alice.owner).between(period, 0, FIRST - DAY_S, now, now=now)
            found += [(one.start, one.segments[place]) for one in rollups if place in one.segments]
    return found


def place_of(alice: Person, target_id: str) -> int:
    with acting_for(alice.owner):
        return Targets(alice.owner).get(target_id).spec.place


def test_a_day_after_deletion_nothing_is_left_and_other_targets_are_unchanged(
    world: World, alice: Person
) -> None:
    gone, kept = ids(alice)
    places = place_of(alice, gone), place_of(alice, kept)
    alerts.fail(world, {"id": gone}, seconds=600)
    world.run_alerts()
    assert alerts.types(world) == ["down"]
    others = by_place(world, alice, places[1])
    assert len(by_place(world, alice, places[0])) >= len(others) - 1 > 100
    with acting_for(alice.owner):
        target = Targets(alice.owner).get(kept)
        span = (FIRST, START - HOUR_S)
        before = statistics(world.runtime, alice.owner, [target], span).whole
    assert alice.delete(f"/v1/targets/{gone}").status == 204
    world.run_alerts(10)
    assert alerts.types(world) == ["down", "recovered"]
    assert hours(world, 5) == 0
    assert by_place(world, alice, places[0]) == []
    assert by_place(world, alice, places[1])[: len(others) // 2] == others[: len(others) // 2]
    tables = stored()
    left = [table for table, items in tables.items() if any(gone in item for item in items)]
    # The audit log says that it was made and deleted, and forgets by itself.
    assert left == ["users"]
    with acting_for(alice.owner):
        assert statistics(world.runtime, alice.owner, [target], span).whole == before


def test_an_erasure_that_dies_at_any_call_is_resumed(
    world: World, alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone, kept = ids(alice)
    place, other = place_of(alice, gone), place_of(alice, kept)
    before = by_place(world, alice, other)
    alice.delete(f"/v1/targets/{gone}")
    erase, left = LaneResults.erase, [100]

    def die_sometimes(self: LaneResults, places: Collection[int]) -> bool:
        left[0] -= 1
        if left[0] % 20 == 0:
            raise RuntimeError("died")
        return erase(self, places)

    with monkeypatch.context() as patch:
        patch.setattr(LaneResults, "erase", die_sometimes)
        failed = hours(world, 8)
    assert failed > 2
    assert hours(world, 3) == 0
    assert by_place(world, alice, place) == []
    assert by_place(world, alice, other)[:100] == before[:100]


def test_an_alert_shared_with_other_targets_is_kept_for_them(world: World, alice: Person) -> None:
    gone, kept = ids(alice)
    alerts.fail(world, {"id": gone}, {"id": kept}, seconds=600)
    world.run_alerts()
    (told,) = world.outbound.received()
    assert len(told["data"]["targets"]) == 2
    assert alice.delete(f"/v1/targets/{gone}").status == 204
    world.run_alerts(10)
    assert hours(world, 5) == 0

    for items in stored("incidents", "deliveries").values():
        assert not any(gone in item for item in items)
        assert any(kept in item for item in items)


def test_a_run_whose_time_is_up_ends_after_a_day_and_the_next_one_resumes_there(
    world: World, alice: Person
) -> None:
    gone = ids(alice)[0]
    place = place_of(alice, gone)
    alice.delete(f"/v1/targets/{gone}")
    counts = []
    for _ in range(8):
        world.clock.time += HOUR_S
        run_erasures(world.runtime, f"{alice.owner}#0/1", until=0)
        counts.append(len(by_place(world, alice, place)))
    assert counts[0] > counts[1] > counts[2] > counts[-1] == 0


def test_targets_of_a_lane_are_erased_together(
    world: World, alice: Person, dynamodb_calls: list[str]
) -> None:
    for target_id in ids(alice):
        alice.delete(f"/v1/targets/{target_id}")
    world.clock.time += HOUR_S
    items = len(stored("results")["results"])
    dynamodb_calls.clear()
    run_erasures(world.runtime, f"{alice.owner}#0/1", until=time.monotonic() + 60)
    assert stored("results") == {"results": []}
    assert dynamodb_calls.count("DeleteItem") == items
    assert dynamodb_calls.count("UpdateItem") <= 2 * (DAYS + 3), "only the progress is written"


def test_erasures_of_earlier_versions_are_continued(world: World, alice: Person) -> None:
    """Their events and dead letters name a target."""
    gone = ids(alice)[0]
    place = place_of(alice, gone)
    alice.delete(f"/v1/targets/{gone}")
    for _ in range(3):
        world.clock.time += HOUR_S
        assert not world.roll_up({"erase": [f"{alice.owner}#{gone}"]})
    assert by_place(world, alice, place) == []


def test_a_failing_lane_does_not_affect_the_others(
    world: World, alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    (first, _), bob = ids(alice), world.user("bob")
    other = bob.make_target()["id"]
    alice.delete(f"/v1/targets/{first}")
    bob.delete(f"/v1/targets/{other}")

    def fail(*_: object) -> None:
        raise RuntimeError("failed")

    with monkeypatch.context() as patch:
        patch.setattr(LaneResults, "erase", fail)
        assert hours(world, 3) == 3
    assert [other in item for item in stored("lanes")["lanes"]].count(True) == 0
    assert hours(world, 3) == 0
    assert [first in item for item in stored("lanes")["lanes"]].count(True) == 0


def test_the_next_target_in_the_place_keeps_its_history(world: World, alice: Person) -> None:
    gone = ids(alice)[0]
    place = place_of(alice, gone)
    alice.delete(f"/v1/targets/{gone}")
    new = alice.make_target(interval_s=600)["id"]
    assert place_of(alice, new) == place
    world.tick()
    world.run(600)
    own = {at for at, _ in by_place(world, alice, place) if at >= START}
    assert own
    assert hours(world, 5) == 0
    found = by_place(world, alice, place)
    assert {at for at, _ in found} >= own
    assert all(at >= START // HOUR_S * HOUR_S for at, _ in found)


def test_concurrent_writes_are_not_lost(
    world: World, alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both targets are deleted: two runs take their places out of the same items."""
    first, second = ids(alice)
    for target_id in (first, second):
        alice.delete(f"/v1/targets/{target_id}")
    with acting_for(alice.owner):
        (one, *_) = Results(alice.owner).between(0, FIRST, START, now=START)
        (same, *_) = Results(alice.owner).between(0, FIRST, START, now=START)
        places = sorted(one.by_place)
        assert one.erase(places[:1])
        assert not same.erase(places[1:])
    assert hours(world, 5) == 0
    assert stored("results", "rollups") == {"results": [], "rollups": []}
