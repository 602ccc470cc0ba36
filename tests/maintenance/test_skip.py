"""Windows that skip: targets are not checked, at no cost to those that are."""

from typing import Any

import pytest

from chalicelib.aws.sqs import SendError
from chalicelib.aws.tenancy import acting_for
from chalicelib.maintenance import skip_rules
from chalicelib.monitoring.storage.lane_repository import Lanes
from tests.support.windows import update_skip_rules, window
from tests.support.world import Person, World


def target(person: Person, *tags: str, **fields: Any) -> str:
    identifier: str = person.make_target(**{"interval_s": 60, "tags": list(tags), **fields})["id"]
    return identifier


def seen(world: World, seconds: int) -> set[str]:
    """The targets that were checked in the next seconds."""
    world.checker.seen.clear()
    world.tick()
    for _ in range(0, seconds, 10):
        update_skip_rules(world)
        world.run(10)
    return {spec.target_id for spec in world.checker.seen}


@pytest.fixture
def alice(world: World) -> Person:
    return world.user()


def test_targets_are_not_checked_within_and_are_afterwards(world: World, alice: Person) -> None:
    shop, blog = target(alice, "prod"), target(alice)
    seen(world, 10)
    made = window(alice, 60, 240, mode="skip")
    update_skip_rules(world)
    assert seen(world, 60) == {shop, blog}
    assert seen(world, 180) == {blog}
    assert seen(world, 60) == {shop, blog}
    items = alice.get(f"/v1/targets/{shop}/checks").json["items"]
    times = [item["checked_at"] for item in items]
    assert [at for at in times if made["starts_at"] <= at < made["ends_at"]] == []
    assert times[-1] < made["starts_at"] < made["ends_at"] <= times[0]


def test_no_read_more_once_a_calendar_is_known(
    world: World, alice: Person, dynamodb_calls: list[str]
) -> None:
    target(alice, "prod")
    target(alice)
    seen(world, 120)

    def calls() -> list[str]:
        world.clock.time += 60 - world.clock.time % 60
        world.tick()
        world.clock.time += 59
        dynamodb_calls.clear()
        assert world.deliver() == []
        return list(dynamodb_calls)

    before = calls()
    window(alice, 0, 86_400, mode="skip")
    update_skip_rules(world)
    first, then = calls(), calls()
    assert then == before
    assert sorted(first) == sorted([*before, "BatchGetItem"])


def test_a_tag_that_comes_or_goes_and_a_new_target(world: World, alice: Person) -> None:
    window(alice, 0, 86_400, mode="skip")
    shop = target(alice, "prod")
    blog = target(alice)
    assert seen(world, 60) <= {blog, shop}
    assert seen(world, 60) == {blog}
    assert alice.patch(f"/v1/targets/{shop}", {"tags": []}).status == 200
    assert alice.patch(f"/v1/targets/{blog}", {"tags": ["prod"]}).status == 200
    update_skip_rules(world)
    assert seen(world, 60) == {shop}


def test_a_place_that_changes_hands_is_not_skipped_for_the_one_before(
    world: World, alice: Person, lowest_place: None
) -> None:
    shop = target(alice)
    window(alice, 0, 86_400, mode="skip", target_ids=[shop], tags=[])
    update_skip_rules(world)
    alice.delete(f"/v1/targets/{shop}")
    blog = target(alice)
    assert seen(world, 60) == {blog}


def test_changed_and_deleted_windows_let_go(world: World, alice: Person) -> None:
    shop = target(alice, "prod")
    seen(world, 60)
    path = f"/v1/maintenance/{window(alice, 0, 86_400, mode='skip')['id']}"
    update_skip_rules(world)
    assert seen(world, 60) == set()
    alice.patch(path, {"mode": "mute"})
    update_skip_rules(world)
    assert seen(world, 60) == {shop}
    alice.patch(path, {"mode": "skip"})
    update_skip_rules(world)
    assert seen(world, 60) == set()
    alice.delete(path)
    update_skip_rules(world)
    assert seen(world, 60) == {shop}
    with acting_for(alice.owner):
        (lane,) = Lanes(alice.owner).all()
    # Nothing lies beside the lane any more, and its stamp says so.
    assert lane.calendar == -4


def test_when_the_process_dies_after_the_change_it_is_in_force_a_minute_later(
    world: World, alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = target(alice, "prod", interval_s=10)
    sent = world.alerts.send

    def send(messages: Any) -> None:
        """The first message goes out, and then no more."""
        found = list(messages)
        if not found[0].delay_s:
            raise SendError("died")
        sent(iter(found))

    seen(world, 60)
    with monkeypatch.context() as patch:
        patch.setattr(world.alerts, "send", send)
        window(alice, 0, 86_400, mode="skip")
    assert seen(world, 50) == {shop}
    world.clock.time += 60
    assert seen(world, 60) == set()
    assert alice.get(f"/v1/targets/{shop}").json["state"]["in_maintenance"] is True


def test_nothing_changes_where_it_could_not_be_promised(
    world: World, alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: object) -> None:
        raise SendError("refused")

    monkeypatch.setattr(world.alerts, "send", refuse)
    body = {"name": "n", "tags": ["prod"], "mode": "skip", "cron": "0 3 * * *", "duration_s": 60}
    assert alice.post("/v1/maintenance", body).status == 503
    assert alice.get("/v1/maintenance").json["items"] == []


def test_two_changes_at_once_are_both_seen(
    world: World, alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one that read first writes last: it has to read again."""
    target(alice, "prod")
    target(alice, "blog")
    seen(world, 60)
    window(alice, 0, 86_400, mode="skip")
    raced: list[str] = []
    wanted = skip_rules._wanted

    def slowly(runtime: Any, owner: str) -> Any:
        found = wanted(runtime, owner)
        if not raced:
            raced.append(owner)
            window(alice, 0, 86_400, mode="skip", tags=["blog"])
            update_skip_rules(world)
        return found

    monkeypatch.setattr(skip_rules, "_wanted", slowly)
    update_skip_rules(world)
    assert raced
    assert seen(world, 60) == set()


def test_without_a_calendar_targets_are_checked(
    world: World, alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = target(alice, "prod")
    window(alice, 0, 86_400, mode="skip")
    update_skip_rules(world)

    def refuse(*_: object) -> None:
        raise RuntimeError("no such table")

    monkeypatch.setattr("chalicelib.maintenance.skip_rule_cache.read_calendars", refuse)
    assert seen(world, 60) == {shop}


def test_what_is_skipped_is_not_checked_on_demand_either(world: World, alice: Person) -> None:
    shop = target(alice, "prod")
    window(alice, 0, 86_400, mode="skip")
    assert alice.post(f"/v1/targets/{shop}/check").status == 409
