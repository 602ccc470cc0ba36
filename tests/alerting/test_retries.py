"""Failing receivers: what is retried, for how long, and independence of channels."""

import random
from collections import defaultdict
from itertools import pairwise
from typing import Any

import pytest

from tests.support.alerts import HOOK, OTHER, channel, fail, heal, incidents, skip, target, types
from tests.support.world import Person, World


def give_up(world: World, owner: Person) -> dict[str, Any]:
    """Return a target that is down, whose alert has been retried for a day."""
    shop = target(owner)
    world.outbound.script[HOOK] = 404
    world.run(60)
    fail(world, shop)
    skip(world, 86_400)
    assert len(world.dead.waiting) == 1
    return shop


def test_recovery_waits_until_its_outage_is_delivered(world: World) -> None:
    alice = world.user()
    hook = channel(alice)
    shop = target(alice)
    world.outbound.script[HOOK] = 503
    world.run(60)
    fail(world, shop)
    world.run_alerts(30)
    heal(world, shop)
    world.run_alerts(60)
    assert types(world) == []
    del world.outbound.script[HOOK]
    world.run_alerts(400)
    down, recovered = world.outbound.received()
    assert (down["type"], down["data"]["late"]) == ("down", True)
    assert down["data"]["title"] == "Shop is down (late alert: already over)"
    assert recovered["type"] == "recovered"
    log = alice.get(f"/v1/channels/{hook['id']}/deliveries").json["items"]
    attempts = {one["event"]: [try_["status_code"] for try_ in one["attempts"]] for one in log}
    assert attempts["down"][-1] == 204
    assert set(attempts["down"][:-1]) == {503}
    assert attempts["recovered"] == [204]


def test_attempts_have_the_same_id_and_growing_pauses(world: World) -> None:
    alice = world.user()
    channel(alice)
    shop = target(alice)
    world.outbound.script[HOOK] = 0
    world.run(60)
    fail(world, shop)
    world.run_alerts(300)
    ids = {headers["webhook-id"] for _, _, headers in world.outbound.posted}
    times = [int(headers["webhook-timestamp"]) for _, _, headers in world.outbound.posted]
    assert len(ids) == 1
    pauses = [b - a for a, b in pairwise(times)]
    assert len(pauses) >= 3
    assert pauses == sorted(pauses)


@pytest.mark.parametrize("status", [301, 302, 400, 401, 403, 404, 408, 422, 429, 500, 503, 0])
def test_failure_is_retried(world: World, status: int) -> None:
    alice = world.user()
    hook = channel(alice)
    shop = target(alice)
    world.outbound.script[HOOK] = status
    world.run(60)
    fail(world, shop)
    world.run_alerts(100)
    (delivery,) = alice.get(f"/v1/channels/{hook['id']}/deliveries").json["items"]
    assert len(delivery["attempts"]) == len(world.outbound.posted) > 2
    assert "secret words" not in str(delivery)
    del world.outbound.script[HOOK]
    world.run_alerts(200)
    assert types(world) == ["down"]


def test_retried_dead_letter_is_followed_by_the_recovery(world: World) -> None:
    alice = world.user()
    channel(alice)
    shop = give_up(world, alice)
    heal(world, shop)
    skip(world, 600)
    assert types(world) == []
    del world.outbound.script[HOOK]
    world.process_alerts(world.dead.take())
    skip(world, 600)
    assert types(world) == ["down", "recovered"]
    assert world.outbound.received()[0]["data"]["late"] is True


def test_recovery_after_a_retried_dead_letter_is_sent_once(world: World) -> None:
    alice = world.user()
    channel(alice)
    shop = give_up(world, alice)
    del world.outbound.script[HOOK]
    world.process_alerts(world.dead.take())
    heal(world, shop)
    skip(world, 86_400)
    assert types(world) == ["down", "recovered"]
    assert len(world.outbound.posted) == world.outbound.accepted.count(False) + 2


def test_dead_letter_that_fails_again_and_is_retried_again_brings_its_recovery(
    world: World,
) -> None:
    alice = world.user()
    channel(alice)
    shop, other = give_up(world, alice), target(alice, name="Other")
    heal(world, shop)
    for _ in range(2):
        world.process_alerts(world.dead.take())
        skip(world, 2 * 86_400)
    world.run(60)
    del world.outbound.script[HOOK]
    fail(world, other)
    heal(world, other)
    skip(world, 600)
    world.process_alerts(world.dead.take())
    skip(world, 600)
    ends = [one for one in world.outbound.received() if one["type"] == "recovered"]
    assert [one["data"]["title"].split()[0] for one in ends] == ["Other", "Shop"]


@pytest.mark.parametrize("seed", range(4))
def test_receiver_with_random_failures_misses_nothing(world: World, seed: int) -> None:
    chance = random.Random(seed)
    alice = world.user()
    channel(alice)
    shops = [target(alice, name=f"Shop {number}") for number in range(6)]
    codes = [302, 400, 404, 500, 204]
    world.outbound.choose = lambda: chance.choice(codes)
    world.run(60)
    for _ in range(8):
        some = chance.sample(shops, chance.randint(1, 6))
        fail(world, *some, seconds=chance.randint(10, 90))
        world.run_alerts(chance.randint(0, 40))
        heal(world, *some, seconds=chance.randint(10, 90))
        skip(world, 3_600)
    codes[:] = [204]
    skip(world, 86_400)

    told: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for payload in world.outbound.received():
        for one in payload["data"]["targets"]:
            told[one["incident_id"]].append((payload["type"], one["target_id"]))
    expected = {
        one["id"]: [("down", one["target_id"]), ("recovered", one["target_id"])]
        for one in incidents(alice, "?limit=200")
    }
    assert len(expected) > 10
    assert told == expected
    assert world.outbound.accepted.count(False) > 20
    assert world.dead.waiting == []


def test_retry_after_delays_the_next_attempt(world: World) -> None:
    alice = world.user()
    channel(alice)
    shop = target(alice)
    world.outbound.script[HOOK] = 503
    world.outbound.retry_after[HOOK] = "200"
    world.run(60)
    fail(world, shop)
    world.run_alerts(190)
    assert len(world.outbound.posted) == 1
    world.outbound.script.clear()
    world.run_alerts(20)
    assert types(world) == ["down"]


def test_delivery_fails_after_a_day_of_attempts(world: World) -> None:
    alice = world.user()
    hook = channel(alice)
    shop = target(alice)
    world.outbound.script[HOOK] = 500
    world.run(60)
    fail(world, shop)
    waiting = world.alerts.take()
    for _ in range(400):
        world.process_alerts(waiting)
        world.clock.time += 400
        waiting = world.alerts.take()
        if not world.alerts.waiting and not waiting:
            break
    (delivery,) = alice.get(f"/v1/channels/{hook['id']}/deliveries").json["items"]
    assert delivery["status"] == "failed"
    assert len(delivery["attempts"]) > 20
    assert len(world.dead.take()) == 1


def test_failing_channel_does_not_delay_others(world: World) -> None:
    alice = world.user()
    channel(alice)
    channel(alice, OTHER)
    shop = target(alice)
    world.outbound.script[HOOK] = 0
    world.run(60)
    fail(world, shop)
    world.run_alerts()
    assert types(world, OTHER) == ["down"]
