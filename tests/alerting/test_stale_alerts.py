"""Alerts about stale targets: only for channels that ask for them, and at most one an hour."""

from typing import Any

import pytest

from chalicelib.alerting import overdue
from chalicelib.history import dispatch
from chalicelib.monitoring.storage.schedule_repository import open_shard
from tests.support.alerts import HOOK, OTHER, channel, types
from tests.support.windows import window
from tests.support.world import Person, World, as_system

STALE = ["down", "recovered", "stale"]


def search(world: World) -> None:
    """Run the hourly fan-out, the search that it starts, and the alerts that this leads to."""
    world.clock.time += 3_600
    world.run_rollups()
    overdue.send_overdue(world.runtime)
    world.run_alerts(10)


def named(world: World, url: str = HOOK) -> list[list[str]]:
    """The names of the targets in each alert."""
    sent: list[Any] = world.outbound.received(url)
    return [[one["name"] for one in payload["data"]["targets"]] for payload in sent]


def test_channels_that_ask_for_it_are_notified_every_hour(world: World, alice: Person) -> None:
    channel(alice, events=STALE)
    channel(alice, OTHER)
    alice.make_target(name="Shop")
    alice.make_target(name="Blog", tags=["x"])
    alice.make_target(name="Daily", interval_s=86_400)
    world.run(300)
    search(world)
    assert types(world) == ["stale"]
    (alert,) = world.outbound.received(HOOK)
    assert sorted(named(world)[0]) == ["Blog", "Shop"]
    first = alert["data"]["targets"][0]
    shown = alice.get(f"/v1/targets/{first['target_id']}").json["state"]
    assert (first["status"], first["since"]) == ("UNKNOWN", shown["since"])
    search(world)
    assert types(world) == ["stale"] * 2
    assert types(world, OTHER) == []


def test_search_that_is_repeated_within_the_hour_sends_nothing_more(
    world: World, alice: Person
) -> None:
    channel(alice, events=STALE)
    alice.make_target()
    world.run(300)
    world.clock.time += 3_600
    for _ in range(3):
        assert not world.roll_up({"stale": [alice.owner]})
        world.run_alerts(10)
    assert types(world) == ["stale"]


def test_targets_that_are_checked_paused_or_in_maintenance_are_not_reported(
    world: World, alice: Person
) -> None:
    channel(alice, events=STALE)
    paused = alice.make_target(name="paused")
    alice.make_target(name="muted", tags=["prod"])
    later = alice.make_target(name="paused later")
    alice.make_target(name="stale")
    world.run(300)
    alice.post(f"/v1/targets/{paused['id']}/pause")
    window(alice, 1, 36_000)
    world.clock.time += 3_600
    assert not world.roll_up({"stale": [alice.owner]})
    alice.post(f"/v1/targets/{later['id']}/pause")
    world.run_alerts(10)
    assert named(world) == [["stale"]]


def test_nothing_is_sent_while_targets_are_checked(world: World, alice: Person) -> None:
    channel(alice, events=STALE)
    alice.make_target()
    world.run(300)
    assert not world.roll_up({"stale": [alice.owner]})
    assert world.alerts.waiting == []


def test_channels_are_chosen_as_for_other_alerts(world: World, alice: Person) -> None:
    channel(alice, events=STALE, tags=["prod"])
    chosen = channel(alice, OTHER, events=STALE, tags=["none"])
    alice.make_target(name="prod", tags=["prod"])
    alice.make_target(name="chosen", tags=["prod"], channel_ids=[chosen["id"]])
    world.run(300)
    search(world)
    assert (named(world), named(world, OTHER)) == ([["prod"]], [["chosen"]])


def test_outdated_alert_is_not_sent(world: World, alice: Person) -> None:
    channel(alice, events=STALE)
    alice.make_target()
    world.run(300)
    world.clock.time += 3_600
    assert not world.roll_up({"stale": [alice.owner]})
    world.clock.time += 7_200
    world.run_alerts(10)
    assert types(world) == []


def test_search_ends_with_the_last_channel_that_asks_for_it(world: World, alice: Person) -> None:
    first, second = channel(alice, events=STALE), channel(alice, OTHER, events=["down"])
    alice.make_target()

    def searches() -> bool:
        world.clock.time += 3_600
        world.functions.started.clear()
        dispatch.fan_out(world.runtime)
        return any("stale" in event for _, event in world.functions.started)

    assert searches()
    alice.patch(f"/v1/channels/{second['id']}", {"events": STALE})
    alice.delete(f"/v1/channels/{first['id']}")
    assert searches()
    alice.patch(f"/v1/channels/{second['id']}", {"events": ["down"]})
    assert not searches()


@pytest.mark.parametrize("shards", [1, 2])
def test_targets_of_every_shard_are_searched(world: World, alice: Person, shards: int) -> None:
    with as_system():
        open_shard(shards - 1)
    channel(alice, events=STALE)
    alice.make_target(interval_s=3_600)
    world.run(60)
    world.clock.time += 10_000
    assert not world.roll_up({"stale": [alice.owner]})
    world.run_alerts(10)
    assert types(world) == ["stale"]


def test_the_event_is_not_among_the_defaults(alice: Person) -> None:
    assert "stale" not in channel(alice)["events"]
    assert channel(alice, OTHER, events=STALE)["events"] == STALE
