"""Alerts about flapping targets, and alerts that overtake each other."""

from typing import Any

from tests.support.alerts import HOOK, channel, fail, heal, incidents, skip, target, types
from tests.support.stages import stored
from tests.support.windows import window
from tests.support.world import DOWN, UP, World


def told(world: World) -> list[tuple[str, str]]:
    return [
        (payload["type"], one["status"])
        for payload in world.outbound.received(HOOK)
        for one in payload["data"]["targets"]
    ]


def flap(world: World, shop: dict[str, Any], changes: int = 5) -> None:
    world.run(60)
    for number in range(changes):
        (heal if number % 2 else fail)(world, shop)
        world.run_alerts(60)


def stay(world: World, seconds: int) -> None:
    """Checks and alerts go on, a minute at a time."""
    for _ in range(seconds // 60):
        world.clock.time += -world.clock.time % 60
        world.run(60)
        world.run_alerts()


def test_outage_that_lasts_is_told_while_flapping_and_its_end_too(world: World) -> None:
    alice = world.user()
    channel(alice, repeat_s=600)
    shop = target(alice)
    flap(world, shop)
    assert told(world)[4:] == [("down", "FLAPPING")]
    stay(world, 360)
    assert told(world)[5:] == [("down", "DOWN")]
    settled = world.outbound.received()[-1]["data"]
    assert (settled["title"], settled["targets"][0]["error"]) == ("Shop is down", "got 503")
    stay(world, 1_200)
    assert set(told(world)[6:]) == {("reminder", "DOWN")}
    world.checker.script[shop["id"]] = UP
    stay(world, 240)
    assert "recovered" not in types(world)[6:]
    stay(world, 120)
    assert told(world)[-1] == ("recovered", "UP")
    (incident, *_) = incidents(alice)
    assert (incident["flapping"], incident["status"]) == (True, "closed")


def test_changes_are_muted_while_flapping(world: World) -> None:
    alice = world.user()
    channel(alice)
    shop = target(alice)
    flap(world, shop, changes=25)
    assert len(told(world)) == 5


def test_nothing_is_written_while_a_flapping_target_stays_down(world: World) -> None:
    alice = world.user()
    shop = target(alice)
    flap(world, shop)
    stay(world, 420)
    before = stored("lanes", "incidents", "deliveries")
    stay(world, 1_200)
    assert stored("lanes", "incidents", "deliveries") == before


def test_alert_names_a_target_once_by_its_latest_state(world: World) -> None:
    alice = world.user()
    channel(alice)
    shop = target(alice)
    world.run(60 - int(world.clock.time) % 60)
    for number in range(5):
        world.checker.script[shop["id"]] = UP if number % 2 else DOWN
        world.run(10)
    world.run_alerts(120)
    assert [payload["data"]["count"] for payload in world.outbound.received()] == [1]
    assert told(world) == [("down", "FLAPPING")]


def test_recovery_that_is_overtaken_says_that_the_target_is_down_again(world: World) -> None:
    alice = world.user()
    channel(alice)
    shop, other = target(alice), target(alice, name="Other")
    world.run(60 - int(world.clock.time) % 60)
    fail(world, shop, other)
    stay(world, 120)
    heal(world, other)
    world.run_alerts()
    heal(world, shop)
    world.run_alerts()
    fail(world, shop)
    world.run_alerts(120)
    last = world.outbound.received()[-1]
    assert (last["type"], last["data"]["targets"][0]["status"]) == ("recovered", "DOWN")
    assert last["data"]["title"].startswith("Shop had recovered after")
    assert last["data"]["title"].endswith("but is down again")


def test_recovery_that_has_to_wait_does_not_delay_the_others(world: World) -> None:
    alice = world.user()
    channel(alice)
    shop, other = target(alice, tags=["prod"]), target(alice, name="Other")
    world.run(60)
    fail(world, other)
    world.run_alerts(60)
    window(alice, 0, 7_200)
    fail(world, shop)
    world.run_alerts(60)
    heal(world, shop, other)
    skip(world, 300)
    assert types(world) == ["down", "recovered"]
    skip(world, 10_000)
    assert types(world) == ["down", "recovered"]


def test_delay_covers_an_outage_that_lasts_while_flapping(world: World) -> None:
    alice = world.user()
    channel(alice, delay_s=600)
    shop = target(alice)
    flap(world, shop)
    stay(world, 420)
    assert told(world) == []
    stay(world, 180)
    assert told(world) == [("down", "DOWN")]
