"""Failing receivers: what is retried, for how long, and independence of channels."""

from itertools import pairwise

import pytest

from tests.support.alerts import HOOK, OTHER, channel, fail, heal, target, types
from tests.support.world import World


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


@pytest.mark.parametrize("status", [400, 404, 410, 302])
def test_permanent_failure_is_not_retried_but_becomes_a_dead_letter(
    world: World, status: int
) -> None:
    alice = world.user()
    hook = channel(alice)
    shop = target(alice)
    world.outbound.script[HOOK] = status
    world.run(60)
    fail(world, shop)
    world.run_alerts(100)
    assert len(world.outbound.posted) == 1
    (delivery,) = alice.get(f"/v1/channels/{hook['id']}/deliveries").json["items"]
    assert delivery["status"] == "failed"
    assert "secret words" not in str(delivery)
    (dead,) = world.dead.take()
    del world.outbound.script[HOOK]
    world.process_alerts([dead])
    assert types(world) == ["down"]


@pytest.mark.parametrize("status", [408, 429, 500, 503])
def test_temporary_failure_is_retried(world: World, status: int) -> None:
    alice = world.user()
    channel(alice)
    shop = target(alice)
    world.outbound.script[HOOK] = status
    world.run(60)
    fail(world, shop)
    world.run_alerts(100)
    assert len(world.outbound.posted) > 1


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
