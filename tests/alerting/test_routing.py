"""Which channels are notified: by id, tag, event and owner."""

from collections.abc import Iterable
from typing import Any

from chalicelib.monitoring.alert_messages import FlipsJob, read_job
from tests.support.alerts import HOOK, OTHER, channel, fail, heal, incidents, target, types
from tests.support.world import World


def test_recovery_is_sent_only_to_the_channels_of_the_outage(world: World) -> None:
    alice = world.user()
    channel(alice)
    shop = target(alice)
    world.run(60)
    fail(world, shop)
    world.run_alerts()
    channel(alice, OTHER)
    heal(world, shop)
    world.run_alerts()
    assert types(world, HOOK) == ["down", "recovered"]
    assert types(world, OTHER) == []


def test_channels_are_chosen_by_id_or_by_tag_or_cover_everything(world: World) -> None:
    alice = world.user()
    named = channel(alice, "https://hooks.example/named", tags=["nothing"])
    channel(alice, "https://hooks.example/tagged", tags=["prod"])
    channel(alice, "https://hooks.example/all")
    shops = [
        target(alice, name="by id", channel_ids=[named["id"]]),
        target(alice, name="by tag", tags=["prod", "eu"]),
        target(alice, name="plain"),
    ]
    world.run(60)
    fail(world, *shops)
    world.run_alerts(90)

    def names(url: str) -> set[str]:
        sent: Iterable[Any] = world.outbound.received(url)
        return {one["name"] for payload in sent for one in payload["data"]["targets"]}

    assert names("https://hooks.example/named") == {"by id"}
    assert names("https://hooks.example/tagged") == {"by tag"}
    assert names("https://hooks.example/all") == {"by tag", "plain"}


def test_channel_receives_only_its_events(world: World) -> None:
    alice = world.user()
    channel(alice, events=["down"])
    channel(alice, OTHER, events=["recovered"])
    shop = target(alice)
    world.run(60)
    fail(world, shop)
    world.run_alerts()
    heal(world, shop)
    world.run_alerts()
    assert types(world, HOOK) == ["down"]
    assert types(world, OTHER) == []


def test_deleted_channel_receives_nothing(world: World) -> None:
    alice = world.user()
    hook = channel(alice)
    shop = target(alice)
    world.run(60)
    fail(world, shop)
    (flips,) = world.alerts.take()
    assert isinstance(read_job(flips), FlipsJob)
    world.process_alerts([flips])
    assert alice.delete(f"/v1/channels/{hook['id']}").status == 204
    world.run_alerts()
    assert world.outbound.posted == []


def test_alerts_and_incidents_are_private_to_their_owner(world: World) -> None:
    alice, bob = world.user("alice"), world.user("bob")
    channel(bob)
    shop = target(alice)
    world.run(60)
    fail(world, shop)
    world.run_alerts()
    assert world.outbound.posted == []
    (incident,) = incidents(alice)
    assert incidents(bob) == []
    assert bob.get(f"/v1/incidents/{incident['id']}").status == 404
    assert bob.post(f"/v1/incidents/{incident['id']}/acknowledge", {}).status == 404
