"""Three hundred targets that fail lane by lane within a minute."""

from collections.abc import Iterator
from typing import Any

import pytest

from chalicelib.alerting.storage import delivery_repository
from chalicelib.aws.sqs import Message
from chalicelib.common.ids import derived_id
from chalicelib.monitoring.alert_messages import Entry, FlipsJob
from chalicelib.monitoring.result import Reason
from chalicelib.monitoring.state import Flip, FlipKind, Status
from tests.support.alerts import channel
from tests.support.world import Person, World

LANES, IN_LANE = 6, 50


def flip_lanes(world: World, person: Person, kind: FlipKind, opened: dict[str, int]) -> None:
    """Every ten seconds, a lane reports a flip of all its targets."""
    for lane in range(LANES):
        entries = list(flips(person, lane, kind, int(world.clock.time), opened))
        message = Message(FlipsJob(person.owner, lane, entries).to_json())
        world.alerts.send(iter([message]))
        world.run_alerts(10)
    world.run_alerts(70)


def flips(
    person: Person, lane: int, kind: FlipKind, at: int, opened: dict[str, int]
) -> Iterator[Entry]:
    for place in range(IN_LANE):
        target = derived_id(0, person.owner, str(lane), str(place))
        opened.setdefault(target, at)
        up, down = Status.UP, Status.DOWN
        before, after = (up, down) if kind is FlipKind.OPENED else (down, up)
        flip = Flip(kind, before, after, at, Reason.CONNECT, opened_at=opened[target])
        yield Entry(target_id=target, flip=flip)


def test_mass_failure_and_recovery_send_one_alert_each(world: World) -> None:
    alice = world.user()
    channel(alice)
    world.clock.time += 60 - world.clock.time % 60
    opened: dict[str, int] = {}
    flip_lanes(world, alice, FlipKind.OPENED, opened)
    world.clock.time += 60 - world.clock.time % 60
    flip_lanes(world, alice, FlipKind.CLOSED, opened)
    sent = [(one["type"], one["data"]["count"]) for one in world.outbound.received()]
    assert sent == [("down", LANES * IN_LANE), ("recovered", LANES * IN_LANE)]
    for payload in world.outbound.received():
        named = {one["target_id"] for one in payload["data"]["targets"]}
        assert named == set(opened)
        assert payload["data"]["targets_url"] is None
    assert world.dead.waiting == []


def test_webhook_links_to_the_targets_beyond_a_thousand(world: World) -> None:
    alice = world.user()
    hook = channel(alice)
    world.clock.time += 60 - world.clock.time % 60
    opened: dict[str, int] = {}
    for lane in range(21):
        entries = list(flips(alice, lane, FlipKind.OPENED, int(world.clock.time), opened))
        world.alerts.send(iter([Message(FlipsJob(alice.owner, lane, entries).to_json())]))
    world.run_alerts(70)
    (down,) = world.outbound.received()
    assert (down["data"]["count"], len(down["data"]["targets"])) == (1_050, 1_000)
    path = f"/v1/channels/{hook['id']}/deliveries/{down['data']['id']}/targets"
    assert down["data"]["targets_url"].endswith(path)
    listed: list[Any] = []
    query = "?limit=200"
    while query:
        page = alice.get(f"{path}{query}").json
        listed += page["items"]
        query = page["next_cursor"] and f"?limit=200&cursor={page['next_cursor']}"
    for one in [*listed, *down["data"]["targets"]]:
        one.pop("link")  # the API knows its own URL from the request
    assert listed[:1_000] == down["data"]["targets"]
    assert {one["target_id"] for one in listed} == set(opened)


def test_reported_targets_of_an_unknown_alert_are_not_found(world: World) -> None:
    alice, bob = world.user(), world.user("bob")
    hook = channel(alice)
    delivery = alice.post(f"/v1/channels/{hook['id']}/test").json
    path = f"/v1/channels/{hook['id']}/deliveries/{delivery['id']}/targets"
    assert alice.get(path).json == {"items": [], "next_cursor": None}
    assert bob.get(path).status == 404
    assert alice.get(path.replace(delivery["id"], hook["id"])).status == 404


def test_flips_beyond_the_size_of_an_item_make_another_delivery(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery_repository, "_MAX_FLIPS", 100)
    alice = world.user()
    channel(alice)
    world.clock.time += 60 - world.clock.time % 60
    flip_lanes(world, alice, FlipKind.OPENED, {})
    assert [one["data"]["count"] for one in world.outbound.received()] == [100, 100, 100]
