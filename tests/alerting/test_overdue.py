"""Deliveries whose messages are lost are found by the hourly search."""

import pytest

from chalicelib.alerting.overdue import send_overdue
from chalicelib.alerting.storage.delivery_repository import Deliveries
from chalicelib.aws.tenancy import acting_for
from chalicelib.monitoring.storage.lane_repository import Lanes
from tests.support.alerts import HOOK, channel, fail, heal, target, types
from tests.support.world import Person, World, as_system


@pytest.fixture
def shop(world: World, alice: Person) -> dict[str, object]:
    """A target whose outage and recovery are recorded while its channel's webhook is broken."""
    channel(alice)
    shop = target(alice)
    world.run(60)
    world.outbound.script[HOOK] = 503
    fail(world, shop)
    world.run_alerts(1)
    heal(world, shop)
    world.run_alerts(1)
    return shop


def receive_again(world: World) -> None:
    world.outbound.clear()
    del world.outbound.script[HOOK]


def search(world: World) -> int:
    return send_overdue(world.runtime)


@pytest.mark.usefixtures("shop")
def test_delivery_whose_message_is_lost_is_attempted(world: World) -> None:
    assert len(world.alerts.waiting) == 2
    world.alerts.waiting.clear()
    receive_again(world)
    world.run_alerts(3_600)
    assert types(world) == []

    assert search(world) == 2
    world.run_alerts(60)

    assert types(world) == ["down", "recovered"]


@pytest.mark.usefixtures("shop")
def test_finished_deliveries_are_not_found(world: World) -> None:
    receive_again(world)
    world.run_alerts(120)
    assert types(world) == ["down", "recovered"]
    world.clock.time += 7_200

    assert search(world) == 0
    assert world.alerts.waiting == []


@pytest.mark.usefixtures("shop")
def test_delivery_whose_message_may_be_delayed_is_not_found(world: World) -> None:
    world.clock.time += 900

    assert search(world) == 0


def test_search_takes_one_query_per_partition(
    world: World, shop: object, dynamodb_calls: list[str]
) -> None:
    world.clock.time += 3_600
    dynamodb_calls.clear()
    search(world)

    assert set(dynamodb_calls) == {"Query"}
    assert len(dynamodb_calls) <= 8


def test_message_of_a_chat_channel_is_for_the_chat_function(world: World, alice: Person) -> None:
    channel(alice, kind="apprise", url="ntfys://ntfy.example/topic")
    shop = target(alice)
    world.run(60)
    fail(world, shop)
    world.process_alerts()
    world.alerts.waiting.clear()
    world.clock.time += 3_600

    assert search(world) == 1
    ((_, body),) = world.alerts.waiting
    assert '"chat":true' in body


@pytest.mark.usefixtures("shop")
def test_deliveries_stored_by_an_older_version_can_be_indexed(world: World, alice: Person) -> None:
    world.alerts.waiting.clear()
    (hook,) = alice.get("/v1/channels").json["items"]
    with acting_for(alice.owner):
        stored = list(Deliveries(alice.owner).newest_first(hook["id"]))
        for one in stored:
            Deliveries(alice.owner).index(one)
    world.clock.time += 3_600

    assert search(world) == len(stored)


def test_recovery_is_sent_once_even_if_a_restored_lane_repeats_it(
    world: World, alice: Person
) -> None:
    """A backup reads one table after another, so the lane may be older than the incident."""
    channel(alice)
    shop = target(alice)
    world.run(60)
    fail(world, shop)
    world.run_alerts(1)
    with acting_for(alice.owner):
        older = Lanes(alice.owner).get(0)
    heal(world, shop)
    world.run_alerts(1)
    assert types(world) == ["down", "recovered"]
    with acting_for(alice.owner):
        newer = Lanes(alice.owner).get(0)
        assert Lanes(alice.owner).write(newer, {n: one.state for n, one in older.places.items()})

    world.run(120)
    world.run_alerts(600)

    assert types(world) == ["down", "recovered"]
    (incident,) = alice.get("/v1/incidents").json["items"]
    assert incident["status"] != "open"
    with as_system():
        assert send_overdue(world.runtime) == 0
