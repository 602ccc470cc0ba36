"""When alerts are sent: mass failures, delays and reminders."""

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


def test_later_failures_within_the_minute_are_combined(world: World) -> None:
    alice = world.user()
    channel(alice)
    shops = [target(alice, name=f"Shop {number}") for number in range(3)]
    world.run(60 - int(world.clock.time) % 60)
    for shop in shops:
        fail(world, shop)
        world.run_alerts()
    world.run_alerts(60)
    assert [one["data"]["count"] for one in world.outbound.received()] == [1, 2]


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
