"""When alerts are sent: mass failures, delays and reminders."""

import pytest

from chalicelib.alerting.delivery import Due
from chalicelib.aws.sqs import Message
from chalicelib.monitoring.alert_messages import FlipsJob, read_job
from tests.support.alerts import channel, fail, heal, incidents, target, types
from tests.support.world import World


def test_simultaneous_failures_are_sent_as_one_alert(world: World) -> None:
    alice = world.user()
    channel(alice)
    shops = [target(alice, name=f"Shop {number}") for number in range(10)]
    world.run(60)
    fail(world, *shops)
    split_messages(world)
    world.run_alerts(90)
    (down,) = world.outbound.received()
    assert (down["type"], down["data"]["count"]) == ("down", 10)
    assert down["data"]["title"] == "10 targets are down"
    heal(world, *shops, seconds=70)
    world.run_alerts(90)
    assert types(world) == ["down", "recovered"]
    assert {one["status"] for one in incidents(alice, "?limit=200")} == {"closed"}


def split_messages(world: World) -> None:
    """Split each message in two, as if two lanes had sent them."""
    for body in world.alerts.take():
        job = read_job(body)
        assert isinstance(job, FlipsJob)
        middle = len(job.entries) // 2
        for entries in (job.entries[:middle], job.entries[middle:]):
            half = FlipsJob(job.owner, job.lane, entries)
            world.alerts.send(iter([Message(half.to_json())]))


def test_second_failure_of_a_minute_is_sent_within_ten_seconds_and_later_ones_combined(
    world: World,
) -> None:
    alice = world.user()
    channel(alice)
    shops = [target(alice, name=f"Shop {number}") for number in range(4)]
    world.run(60 - int(world.clock.time) % 60)
    fail(world, shops[0])
    world.run_alerts()
    fail(world, shops[1])
    world.run_alerts(9)
    assert [one["data"]["count"] for one in world.outbound.received()] == [1, 1]
    for shop in shops[2:]:
        fail(world, shop)
        world.run_alerts()
    world.run_alerts(60)
    assert [one["data"]["count"] for one in world.outbound.received()] == [1, 1, 2]


@pytest.mark.parametrize("second", range(60))
def test_second_alert_waits_for_seconds_whatever_joins_it(second: int) -> None:
    first = Due(0, 1, second).at(1)
    assert second < first <= second + 8
    assert {Due(0, 4, now).at(1) for now in range(second, first)} == {first}


def test_many_failures_wait_for_the_end_of_the_minute() -> None:
    assert [Due(0, 5, 10).at(number) for number in (0, 1, 2)] == [65, 65, 65]
    assert [Due(0, 4, 10).at(number) for number in (0, 1, 2)] == [10, 16, 65]
    assert [Due(0, 1, 10, not_before=90).at(number) for number in (0, 1, 2)] == [90, 90, 90]


def test_outages_shorter_than_the_delay_are_not_sent(world: World) -> None:
    alice = world.user()
    channel(alice, delay_s=300)
    shop = target(alice)
    world.run(60)
    fail(world, shop)
    world.run_alerts(60)
    heal(world, shop)
    world.run_alerts(400)
    assert types(world) == []
    fail(world, shop)
    world.run_alerts(280)
    assert types(world) == []
    world.run_alerts(30)
    assert types(world) == ["down"]
    heal(world, shop)
    world.run_alerts(60)
    assert types(world) == ["down", "recovered"]


def test_reminders_are_sent_until_the_incident_is_acknowledged(world: World) -> None:
    alice = world.user()
    channel(alice, repeat_s=1800)
    shop = target(alice)
    world.run(60)
    fail(world, shop)
    world.run_alerts(2 * 1800 + 60)
    assert types(world) == ["down", "reminder", "reminder"]
    (incident,) = incidents(alice)
    path = f"/v1/incidents/{incident['id']}/acknowledge"
    assert alice.post(path, {"note": "on it"}).status == 200
    world.run_alerts(3 * 1800)
    assert types(world) == ["down", "reminder", "reminder"]


def test_reminders_stop_when_the_outage_ends(world: World) -> None:
    alice = world.user()
    channel(alice, repeat_s=600)
    shop = target(alice)
    world.run(60)
    fail(world, shop)
    world.run_alerts(60)
    heal(world, shop)
    world.run_alerts(1800)
    assert types(world) == ["down", "recovered"]


def test_flapping_incident_is_reminded_of_once_per_interval(world: World) -> None:
    alice = world.user()
    channel(alice, repeat_s=1800)
    shop = target(alice)
    for change in (fail, heal, fail, heal, fail, heal):
        change(world, shop)
        world.run_alerts(60)
    (incident,) = incidents(alice, "?open=true")
    assert incident["flapping"]
    before = types(world)
    assert before == ["down", "recovered", "down", "recovered", "down", "down"]
    world.run_alerts(2 * 1800)
    assert types(world) == [*before, "reminder", "reminder"]
