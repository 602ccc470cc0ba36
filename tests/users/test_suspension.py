"""Disabled users' targets are not checked and their alerts not sent until they are enabled."""

import pytest

from chalicelib.aws.tenancy import acting_for
from chalicelib.monitoring.storage.lane_repository import Lanes
from tests.support.alerts import HOOK, channel, fail, heal, target, types
from tests.support.world import Person, World


@pytest.fixture
def admin(world: World) -> Person:
    return world.user("root", admin=True)


@pytest.fixture
def alice(world: World) -> Person:
    return world.user()


def set_disabled(admin: Person, user: Person, *, disabled: bool) -> None:
    reply = admin.patch(f"/v1/users/{user.owner}", {"disabled": disabled})
    assert reply.status == 200, reply.text


def checked(world: World) -> set[str]:
    """Run for a minute and return the ids of the checked targets."""
    world.checker.seen.clear()
    world.run(60)
    return {spec.target_id for spec in world.checker.seen}


def test_targets_of_a_disabled_user_are_not_checked(
    world: World, admin: Person, alice: Person
) -> None:
    bob = world.user("bob")
    shop, paused, other = target(alice), target(alice), target(bob)
    alice.post(f"/v1/targets/{paused['id']}/pause")
    world.run(60)
    set_disabled(admin, alice, disabled=True)
    assert checked(world) == {other["id"]}
    set_disabled(admin, alice, disabled=False)
    assert checked(world) == {shop["id"], other["id"]}
    assert alice.get(f"/v1/targets/{paused['id']}").json["enabled"] is False


def test_suspension_costs_the_worker_no_extra_read(
    world: World, admin: Person, alice: Person, dynamodb_calls: list[str]
) -> None:
    target(alice)
    world.run(60)
    set_disabled(admin, alice, disabled=True)
    world.tick()
    world.clock.time += 10
    dynamodb_calls.clear()
    assert world.deliver() == []
    assert set(dynamodb_calls) == {"BatchGetItem"}


def test_incident_survives_the_suspension(world: World, admin: Person, alice: Person) -> None:
    channel(alice)
    shop = target(alice)
    world.run(60)
    fail(world, shop)
    world.run_alerts()
    set_disabled(admin, alice, disabled=True)
    world.run(60)
    set_disabled(admin, alice, disabled=False)
    state = alice.get(f"/v1/targets/{shop['id']}").json["state"]
    assert state["status"] == "DOWN"
    assert state["open_incident_id"]
    heal(world, shop)
    world.run_alerts()
    assert types(world) == ["down", "recovered"]


def test_due_alert_waits_until_the_user_is_enabled(
    world: World, admin: Person, alice: Person
) -> None:
    hook = channel(alice)
    shop = target(alice)
    world.run(60)
    fail(world, shop)
    set_disabled(admin, alice, disabled=True)
    world.run_alerts(3600)
    assert types(world) == []
    set_disabled(admin, alice, disabled=False)
    world.run_alerts(1000)
    assert types(world, HOOK) == ["down"]
    (delivery,) = alice.get(f"/v1/channels/{hook['id']}/deliveries").json["items"]
    assert len(delivery["attempts"]) == 1


def test_alert_is_skipped_after_a_day(world: World, admin: Person, alice: Person) -> None:
    hook = channel(alice)
    shop = target(alice)
    world.run(60)
    fail(world, shop)
    set_disabled(admin, alice, disabled=True)
    for _ in range(100):
        world.run_alerts()
        world.clock.time += 900
    assert world.alerts.waiting == []
    set_disabled(admin, alice, disabled=False)
    (delivery,) = alice.get(f"/v1/channels/{hook['id']}/deliveries").json["items"]
    assert delivery["status"] == "skipped"


def test_suspension_keeps_the_version_of_lanes(world: World, admin: Person, alice: Person) -> None:
    target(alice)
    with acting_for(alice.owner):
        before = Lanes(alice.owner).get(0)
    set_disabled(admin, alice, disabled=True)
    with acting_for(alice.owner):
        suspended = Lanes(alice.owner).get(0)
    assert (suspended.is_suspended, suspended.version) == (True, before.version)
