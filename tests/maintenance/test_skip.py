"""Windows with mode `skip`: their targets are not checked, without further reads for others."""

from typing import Any

import pytest

from chalicelib.aws.sqs import SendError
from chalicelib.aws.tenancy import acting_for
from chalicelib.maintenance import skip_rules
from chalicelib.maintenance.skip_rule_repository import SkipRuleCache
from chalicelib.monitoring.storage.lane_repository import Lanes
from tests.support.windows import update_skip_rules, window
from tests.support.world import Person, World, as_system


def target(person: Person, *tags: str, **fields: Any) -> str:
    identifier: str = person.make_target(**{"interval_s": 60, "tags": list(tags), **fields})["id"]
    return identifier


def checked(world: World, seconds: int) -> set[str]:
    """Run for some seconds; returns the targets that were checked."""
    world.checker.seen.clear()
    world.tick()
    for _ in range(0, seconds, 10):
        update_skip_rules(world)
        world.run(10)
    return {spec.target_id for spec in world.checker.seen}


@pytest.fixture
def alice(world: World) -> Person:
    return world.user()


def test_targets_are_checked_again_after_the_window(world: World, alice: Person) -> None:
    shop, blog = target(alice, "prod"), target(alice)
    checked(world, 10)
    created = window(alice, 60, 240, mode="skip")
    update_skip_rules(world)
    assert checked(world, 60) == {shop, blog}
    assert checked(world, 180) == {blog}
    assert checked(world, 60) == {shop, blog}
    items = alice.get(f"/v1/targets/{shop}/checks").json["items"]
    times = [item["checked_at"] for item in items]
    assert [at for at in times if created["starts_at"] <= at < created["ends_at"]] == []
    assert times[-1] < created["starts_at"] < created["ends_at"] <= times[0]


def test_cached_skip_rules_cost_no_reads(
    world: World, alice: Person, dynamodb_calls: list[str]
) -> None:
    target(alice, "prod")
    target(alice)
    checked(world, 120)

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
    first, second = calls(), calls()
    assert second == before
    assert sorted(first) == sorted([*before, "BatchGetItem"])


def test_skipping_follows_changed_tags_and_new_targets(world: World, alice: Person) -> None:
    window(alice, 0, 86_400, mode="skip")
    shop = target(alice, "prod")
    blog = target(alice)
    assert checked(world, 60) <= {blog, shop}
    assert checked(world, 60) == {blog}
    assert alice.patch(f"/v1/targets/{shop}", {"tags": []}).status == 200
    assert alice.patch(f"/v1/targets/{blog}", {"tags": ["prod"]}).status == 200
    update_skip_rules(world)
    assert checked(world, 60) == {shop}


def test_a_new_target_in_the_place_of_a_skipped_one_is_checked(
    world: World, alice: Person, lowest_place: None
) -> None:
    shop = target(alice)
    window(alice, 0, 86_400, mode="skip", target_ids=[shop], tags=[])
    update_skip_rules(world)
    alice.delete(f"/v1/targets/{shop}")
    blog = target(alice)
    assert checked(world, 60) == {blog}


def test_changed_and_deleted_windows_stop_skipping(world: World, alice: Person) -> None:
    shop = target(alice, "prod")
    checked(world, 60)
    path = f"/v1/maintenance/{window(alice, 0, 86_400, mode='skip')['id']}"
    update_skip_rules(world)
    assert checked(world, 60) == set()
    alice.patch(path, {"mode": "mute"})
    update_skip_rules(world)
    assert checked(world, 60) == {shop}
    alice.patch(path, {"mode": "skip"})
    update_skip_rules(world)
    assert checked(world, 60) == set()
    alice.delete(path)
    update_skip_rules(world)
    assert checked(world, 60) == {shop}
    with acting_for(alice.owner):
        (lane,) = Lanes(alice.owner).all()
    # The negative stamp shows that the lane has no skip rules.
    assert lane.calendar == -4


def test_the_delayed_message_updates_skip_rules_if_the_process_dies(
    world: World, alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = target(alice, "prod", interval_s=10)
    original_send = world.alerts.send

    def send(messages: Any) -> None:
        """Send only the delayed message."""
        found = list(messages)
        if not found[0].delay_s:
            raise SendError("died")
        original_send(iter(found))

    checked(world, 60)
    with monkeypatch.context() as patch:
        patch.setattr(world.alerts, "send", send)
        window(alice, 0, 86_400, mode="skip")
    assert checked(world, 50) == {shop}
    world.clock.time += 60
    assert checked(world, 60) == set()
    assert alice.get(f"/v1/targets/{shop}").json["state"]["in_maintenance"] is True


def test_nothing_changes_if_the_queue_is_unavailable(
    world: World, alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: object) -> None:
        raise SendError("refused")

    monkeypatch.setattr(world.alerts, "send", refuse)
    body = {"name": "n", "tags": ["prod"], "mode": "skip", "cron": "0 3 * * *", "duration_s": 60}
    assert alice.post("/v1/maintenance", body).status == 503
    assert alice.get("/v1/maintenance").json["items"] == []


def test_concurrent_changes_are_both_applied(
    world: World, alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process that read first writes last, so it must read again."""
    target(alice, "prod")
    target(alice, "blog")
    checked(world, 60)
    window(alice, 0, 86_400, mode="skip")
    raced: list[str] = []
    expected_rules = skip_rules._expected_rules

    def slowly(runtime: Any, owner: str) -> Any:
        found = expected_rules(runtime, owner)
        if not raced:
            raced.append(owner)
            window(alice, 0, 86_400, mode="skip", tags=["blog"])
            update_skip_rules(world)
        return found

    monkeypatch.setattr(skip_rules, "_expected_rules", slowly)
    update_skip_rules(world)
    assert raced
    assert checked(world, 60) == set()


def test_targets_are_checked_if_skip_rules_cannot_be_read(
    world: World, alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = target(alice, "prod")
    window(alice, 0, 86_400, mode="skip")
    update_skip_rules(world)

    def refuse(*_: object) -> None:
        raise RuntimeError("no such table")

    monkeypatch.setattr("chalicelib.maintenance.skip_rule_repository.read_skip_rules", refuse)
    assert checked(world, 60) == {shop}


def test_skipped_targets_cannot_be_checked_on_demand(world: World, alice: Person) -> None:
    shop = target(alice, "prod")
    window(alice, 0, 86_400, mode="skip")
    assert alice.post(f"/v1/targets/{shop}/check").status == 409


def test_a_full_cache_keeps_the_rules_of_the_current_lanes(
    world: World, alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    ben = world.user("ben")
    owners = [alice.owner, ben.owner]
    for person in (alice, ben):
        target(person, "prod")
        window(person, 0, 86_400, mode="skip")
    update_skip_rules(world)
    with as_system():
        first, second = (Lanes(owner).all()[0] for owner in owners)
        cache = SkipRuleCache()
        monkeypatch.setattr("chalicelib.maintenance.skip_rule_repository._MAX_CACHED", 0)
        cache.of([first])
        assert all(cache.of([first, second])[owner, 0] for owner in owners)
