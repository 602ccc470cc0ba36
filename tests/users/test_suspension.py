"""A disabled user's targets are not checked and alerts not sent, until the user is back."""

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


def switch(admin: Person, user: Person, *, disabled: bool) -> None:
    reply = admin.patch(f"/v1/users/{user.owner}", {"disabled": disabled})
    assert reply.status == 200, reply.text


def checked(world: World) -> set[str]:
    """The targets that are checked within a minute."""
    world.checker.seen.clear()
    world.run(60)
    return {spec.target_id for spec in world.checker.seen}


def test_nothing_of_a_disabled_user_is_checked_and_all_is_again(
    world: World, admin: Person, alice: Person
) -> None:
    bob = world.user("bob")
    shop, paused, other = target(alice), target(alice), target(bob)
    alice.post(f"/v1/targets/{paused['id']}/pause")
    world.run(60)
    switch(admin, alice, disabled=True)
    assert checked(world) == {other["id"]}
    switch(admin, alice, disabled=False)
    assert checked(world) == {shop["id"], other["id"]}
    assert alice.get(f"/v1/targets/{paused['id']}").json["enabled"] is False


def test_it_costs_a_check_nothing_to_know(
    world: World, admin: Person, alice: Person, dynamodb_calls: list[str]
) -> None:
    target(alice)
    world.run(60)
    switch(admin, alice, disabled=True)
    world.tick()
    world.clock.time += 10
    dynamodb_calls.clear()
    assert world.deliver() == []
    assert set(dynamodb_calls) == {"BatchGetItem"}


def test_what_was_down_is_down_and_told_when_it_is_over(
    world: World, admin: Person, alice: Person
) -> None:
    channel(alice)
    shop = target(alice)
    world.run(60)
    fail(world, shop)
    world.run_alerts()
    switch(admin, alice, disabled=True)
    world.run(60)
    switch(admin, alice, disabled=False)
    assert alice.get(f"/v1/targets/{shop['id']}").json["state"]["status"] == "DOWN"
    heal(world, shop)
    world.run_alerts()
    assert types(world) == ["down", "recovered"]


def test_an_alert_that_is_due_waits_for_its_owner(
    world: World, admin: Person, alice: Person
) -> None:
    hook = channel(alice)
    shop = target(alice)
    world.run(60)
    fail(world, shop)
    switch(admin, alice, disabled=True)
    world.run_alerts(3600)
    assert types(world) == []
    switch(admin, alice, disabled=False)
    world.run_alerts(1000)
    assert types(world, HOOK) == ["down"]
    (delivery,) = alice.get(f"/v1/channels/{hook['id']}/deliveries").json["items"]
    assert len(delivery["attempts"]) == 1


def test_after_a_day_it_is_not_told_any_more(world: World, admin: Person, alice: Person) -> None:
    hook = channel(alice)
    shop = target(alice)
    world.run(60)
    fail(world, shop)
    switch(admin, alice, disabled=True)
    for _ in range(100):
        world.run_alerts()
        world.clock.time += 900
    assert world.alerts.waiting == []
    switch(admin, alice, disabled=False)
    (delivery,) = alice.get(f"/v1/channels/{hook['id']}/deliveries").json["items"]
    assert delivery["status"] == "skipped"


def test_lanes_keep_their_version_while_they_rest(
    world: World, admin: Person, alice: Person
) -> None:
    target(alice)
    with acting_for(alice.owner):
        before = Lanes(alice.owner).get(0)
    switch(admin, alice, disabled=True)
    with acting_for(alice.owner):
        resting = Lanes(alice.owner).get(0)
    assert (resting.rests, resting.version) == (True, before.version)
