"""Receivers that respond with 410 (Gone): the channel is disabled, its alerts wait."""

import random
from collections import defaultdict
from typing import Any

import pytest

from chalicelib.alerting.notifiers import SendResult
from tests.alerting.test_chat_alerts import CHAT, Chat
from tests.alerting.test_chat_alerts import chat as chat  # noqa: PLC0414 - a fixture
from tests.support.alerts import HOOK, OTHER, channel, fail, heal, incidents, skip, target, types
from tests.support.world import START, Person, World


def disabled(world: World, owner: Person, **fields: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """A channel that was disabled by an outage, and the target that is down."""
    hook, shop = channel(owner, **fields), target(owner)
    world.outbound.script[HOOK] = 410
    world.run(60)
    fail(world, shop)
    world.run_alerts(60)
    return owner.get(f"/v1/channels/{hook['id']}").json, shop


def deliveries(owner: Person, hook: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = owner.get(f"/v1/channels/{hook['id']}/deliveries").json["items"]
    return found


def test_channel_is_disabled_with_the_reason_and_an_audit_record(world: World) -> None:
    alice = world.user()
    hook, _ = disabled(world, alice)
    assert hook["disabled"]["reason"] == "the receiver responded with 410 (Gone)"
    assert hook["disabled"]["at"].startswith("2026-11-18T11:0")
    record = alice.get("/v1/audit").json["items"][0]
    assert (record["action"], record["thing_id"]) == ("channel.disabled", hook["id"])
    assert record["by"]["user"] == "Monitum"
    assert len(world.outbound.posted) == 1
    skip(world, 7_200)
    assert len(world.outbound.posted) == 1


def test_other_channels_are_told_whatever_their_events_and_tags(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice = world.user()
    channel(alice, OTHER, events=["tls_expiring"], tags=["elsewhere"])
    hook, _ = disabled(world, alice)
    (told,) = world.outbound.received(OTHER)
    assert told["type"] == "channel_disabled"
    reason = "the receiver responded with 410 (Gone)"
    assert told["data"]["title"] == f"The channel Hook is disabled: {reason}"
    assert told["data"]["channel"] == {
        "channel_id": hook["id"], "name": "Hook", "reason": reason
    }  # fmt: skip
    assert told["data"]["targets"] == []


def test_waiting_alerts_are_sent_when_the_channel_is_enabled(world: World) -> None:
    alice = world.user()
    hook, shop = disabled(world, alice)
    heal(world, shop)
    world.run_alerts(1_000)
    assert {one["status"] for one in deliveries(alice, hook)} == {"waiting"}
    del world.outbound.script[HOOK]
    enabled = alice.post(f"/v1/channels/{hook['id']}/enable")
    assert (enabled.status, enabled.json["disabled"]) == (200, None)
    world.run_alerts(120)
    assert types(world) == ["down", "recovered"]


def test_new_url_enables_the_channel(world: World) -> None:
    alice = world.user()
    hook, _ = disabled(world, alice)
    path = f"/v1/channels/{hook['id']}"
    assert alice.patch(path, {"name": "Renamed"}).json["disabled"] == hook["disabled"]
    assert alice.patch(path, {"url": OTHER}).json["disabled"] is None
    world.run_alerts()
    assert types(world, OTHER) == ["down"]


def test_outage_that_goes_on_is_reported_when_the_channel_is_enabled_days_later(
    world: World,
) -> None:
    alice = world.user()
    hook, shop = disabled(world, alice)
    skip(world, 3 * 86_400)
    (skipped,) = deliveries(alice, hook)
    assert skipped["status"] == "skipped"
    assert skipped["attempts"][-1]["reason"] == "the channel is disabled"
    assert world.dead.waiting == []
    del world.outbound.script[HOOK]
    alice.post(f"/v1/channels/{hook['id']}/enable")
    heal(world, shop)
    skip(world, 600)
    assert types(world) == ["down", "recovered"]


def test_channel_that_was_changed_since_the_response_is_not_disabled(world: World) -> None:
    alice = world.user()
    hook, shop = channel(alice), target(alice)
    world.outbound.script[HOOK] = 410
    world.run(60)
    fail(world, shop)
    world.process_alerts()  # plans the delivery
    world.process_alerts()  # gets the response
    alice.patch(f"/v1/channels/{hook['id']}", {"url": OTHER})
    world.run_alerts(60)
    assert alice.get(f"/v1/channels/{hook['id']}").json["disabled"] is None
    assert types(world, OTHER) == ["down"]


def test_repeated_message_neither_disables_nor_tells_twice(world: World) -> None:
    alice = world.user()
    channel(alice, OTHER)
    hook, shop = channel(alice), target(alice, channel_ids=[])
    world.outbound.script[HOOK] = 410
    world.run(60)
    fail(world, shop)
    for _ in range(3):
        bodies = world.alerts.take()
        world.process_alerts([*bodies, *bodies])
    world.run_alerts(60)
    assert types(world, OTHER).count("channel_disabled") == 1
    alice.post(f"/v1/channels/{hook['id']}/enable")
    audit = [one["action"] for one in alice.get("/v1/audit").json["items"]]
    assert audit.count("channel.disabled") == 1
    assert audit[0] == "channel.enabled"


def test_owner_is_not_told_of_a_channel_that_was_enabled_meanwhile(world: World) -> None:
    alice = world.user()
    other = channel(alice, OTHER)
    world.outbound.script[OTHER] = 500
    hook, _ = disabled(world, alice)
    alice.post(f"/v1/channels/{hook['id']}/enable")
    world.outbound.script.clear()
    skip(world, 3_600)
    assert "channel_disabled" not in types(world, OTHER)
    assert {one["status"] for one in deliveries(alice, other)} == {"sent", "skipped"}


def test_test_alert_shows_that_the_channel_is_disabled(world: World) -> None:
    alice = world.user()
    hook, _ = disabled(world, alice)
    alice.post(f"/v1/channels/{hook['id']}/test")
    world.run_alerts()
    test = next(one for one in deliveries(alice, hook) if one["event"] == "test")
    assert (test["status"], test["targets"]) == ("skipped", 0)
    assert test["attempts"][-1]["reason"] == "the channel is disabled"


def test_chat_service_that_is_gone_disables_the_channel(world: World, chat: Chat) -> None:
    alice = world.user()
    created = channel(alice, CHAT, kind="apprise")
    shop = target(alice)
    chat.result = SendResult(is_sent=False, is_gone=True, status_code=410)
    world.run(60)
    fail(world, shop)
    world.run_alerts(60)
    assert alice.get(f"/v1/channels/{created['id']}").json["disabled"]


@pytest.mark.parametrize("seed", range(3))
def test_receiver_that_is_sometimes_gone_misses_nothing(world: World, seed: int) -> None:
    """An owner who enables the channel within a day gets every alert in order."""
    chance = random.Random(seed)
    alice = world.user()
    hook = channel(alice)
    shops = [target(alice, name=f"Shop {number}") for number in range(6)]
    codes = [302, 400, 404, 410, 500, 204, 204]
    world.outbound.choose = lambda: chance.choice(codes)
    world.run(60)
    for _ in range(8):
        some = chance.sample(shops, chance.randint(1, 6))
        fail(world, *some, seconds=chance.randint(10, 90))
        world.run_alerts(chance.randint(0, 40))
        heal(world, *some, seconds=chance.randint(10, 90))
        skip(world, 3_600)
        alice.post(f"/v1/channels/{hook['id']}/enable")
    codes[:] = [204]
    alice.post(f"/v1/channels/{hook['id']}/enable")
    skip(world, 86_400)

    told: dict[str, list[str]] = defaultdict(list)
    for payload in world.outbound.received():
        for one in payload["data"]["targets"]:
            told[one["incident_id"]].append(payload["type"])
    expected = {one["id"]: ["down", "recovered"] for one in incidents(alice, "?limit=200")}
    assert len(expected) > 10
    assert told == expected
    audit = [one["action"] for one in alice.get("/v1/audit?limit=200").json["items"]]
    assert audit.count("channel.disabled") > 1
    assert world.clock.time > START + 8 * 3_600
