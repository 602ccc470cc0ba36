"""Changes of targets take effect at once, although planned messages have earlier definitions."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pynamodb.expressions.update import Action
from pynamodb.models import Model

from chalicelib.api.schemas import render_time
from chalicelib.aws.sqs import SendError
from chalicelib.aws.tenancy import acting_for
from chalicelib.monitoring import schedule
from chalicelib.monitoring.check_spec import CheckSpec
from chalicelib.monitoring.result import CheckResult
from chalicelib.monitoring.storage.lane_repository import (
    Lanes,
    lane_key,
    place_path,
    read_secrets,
    secrets_key,
)
from chalicelib.monitoring.storage.models import LaneItem, SecretsItem, TargetItem
from chalicelib.targets.kind_schemas import DnsTarget, HttpTarget, TcpTarget, TlsTarget
from chalicelib.worker import check_worker
from tests.support.alerts import channel, incidents, skip, types
from tests.support.stages import memory_stage
from tests.support.world import DOWN, START, UP, Person, World

OLD, NEW = "https://old.example/", "https://new.example/"


def make(person: Person, **fields: Any) -> dict[str, Any]:
    """A target that is checked every ten seconds, and planned for the next minutes."""
    target = person.make_target(**{"url": OLD, "interval_s": 10, "timeout_s": 5, **fields})
    person.world.run(60 - int(person.world.clock.time) % 60)
    person.world.run(1)
    return target


def path(target: dict[str, Any]) -> str:
    return f"/v1/targets/{target['id']}"


def change(person: Person, target: dict[str, Any], **fields: Any) -> dict[str, Any]:
    reply = person.patch(path(target), fields)
    assert reply.status == 200, reply.text
    changed: dict[str, Any] = reply.json
    return changed


def status(person: Person, target: dict[str, Any]) -> str:
    found: str = person.get(path(target)).json["state"]["status"]
    return found


def checks(person: Person, target: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = person.get(f"{path(target)}/checks?limit=100").json["items"]
    return found


def verdicts(person: Person, target: dict[str, Any]) -> list[str]:
    return [check["verdict"] for check in checks(person, target)]


def moments(person: Person, target: dict[str, Any]) -> list[str]:
    """When the target was checked, oldest first."""
    return [check["checked_at"] for check in reversed(checks(person, target))]


def urls(world: World) -> set[str]:
    return {spec.config["url"] for spec in world.checker.seen}


def by_url(bad: str) -> Callable[[CheckSpec], CheckResult]:
    return lambda spec: DOWN if spec.config["url"] == bad else UP


def planned_bodies(world: World) -> list[str]:
    """The waiting messages of lanes, by tick."""
    lanes = [body for _, body in world.queue.waiting if "place" not in json.loads(body)]
    return sorted(lanes, key=lambda body: int(json.loads(body)["tick"]))


def during_the_check(world: World, interrupt: Callable[[], object], seconds: int = 0) -> None:
    """Interrupt the next check; its target answers after `seconds`."""

    def interrupted() -> None:
        world.checker.before = lambda: None
        interrupt()
        world.clock.time += seconds

    world.checker.before = interrupted


def test_a_changed_address_alone_is_checked_from_then_on(world: World, alice: Person) -> None:
    target = make(alice)
    world.checker.seen.clear()
    change(alice, target, url=NEW)
    world.run(180)
    assert urls(world) == {NEW}
    assert len(world.checker.seen) >= 18, "and at every tick"


def test_an_edit_of_a_target_that_is_down_recovers_it_once(world: World, alice: Person) -> None:
    channel(alice)
    target = make(alice, failure_threshold=1)
    world.checker.judge = by_url(OLD)
    world.run(30)
    assert status(alice, target) == "DOWN"
    skip(world, 0)
    change(alice, target, url=NEW)
    for _ in range(180):
        world.run(1)
        world.run_alerts()
    assert types(world) == ["down", "recovered"]
    assert len(incidents(alice)) == 1
    assert set(verdicts(alice, target)[:18]) == {"UP"}


CHANGES: dict[type, dict[str, Any]] = {
    HttpTarget: {
        "url": NEW,
        "method": "HEAD",
        "headers": {"X-Key": "other"},
        "body": "text",
        "follow_redirects": False,
        "verify_tls": False,
        "max_body_bytes": 1_000,
        "expect": {"body_contains": "OK"},
    },
    TcpTarget: {
        "host": "other.example",
        "port": 81,
        "send": "PING",
        "expect": {"body_contains": "PONG"},
    },
    TlsTarget: {
        "host": "other.example",
        "port": 444,
        "verify_tls": False,
        "expect": {"tls_days_left": 20},
    },
    DnsTarget: {
        "host": "other.example",
        "record_type": "MX",
        "expected": ["192.0.2.1"],
        "exact": True,
        "resolver": "9.9.9.9",
        "expect": {"max_response_ms": 100},
    },
}
COMMON = {"timeout_s": 7, "failure_threshold": 3, "recovery_threshold": 2, "interval_s": 20}
NOT_CHECKED = {"kind", "name", "tags", "channel_ids", "enabled"}
CREATED: dict[type, dict[str, Any]] = {
    HttpTarget: {"kind": "http", "url": OLD},
    TcpTarget: {"kind": "tcp", "host": "old.example", "port": 80},
    TlsTarget: {"kind": "tls", "host": "old.example"},
    DnsTarget: {"kind": "dns", "host": "old.example"},
}
EVERY = [
    (kind, name, value)
    for kind, fields in CHANGES.items()
    for name, value in {**fields, **COMMON}.items()
]


def test_all_fields_that_affect_checks_are_tested() -> None:
    for kind, fields in CHANGES.items():
        assert {*fields, *COMMON} == kind.model_fields.keys() - NOT_CHECKED  # type: ignore[attr-defined]


@pytest.mark.parametrize(("kind", "name", "value"), EVERY)
def test_every_field_takes_effect_at_once(
    world: World, alice: Person, kind: type, name: str, value: Any
) -> None:
    fields = {"name": "Target", "interval_s": 10, "timeout_s": 5, **CREATED[kind]}
    target = alice.post("/v1/targets", fields).json
    world.tick()
    world.deliver()
    (before, *_), world.checker.seen = world.checker.seen, []
    change(alice, target, **{name: value})
    world.run(40)
    after = world.checker.seen
    assert len(after) >= 2
    with acting_for(alice.owner):
        stored = TargetItem.get(alice.owner, target["id"])
    expected = CheckSpec.from_message(target["id"], stored.spec)
    assert {repr(spec) for spec in after} == {repr(expected)}
    assert all(spec.secrets == after[0].secrets for spec in after)
    assert repr(before) != repr(expected)
    assert before.secrets != after[0].secrets or name not in ("headers", "send")


def test_new_secrets_are_used_at_once(world: World, alice: Person) -> None:
    target = make(alice, headers={"X-Key": "one"})
    world.checker.seen.clear()
    change(alice, target, headers={"X-Key": "two"})
    world.run(60)
    assert {spec.secrets["headers"]["X-Key"] for spec in world.checker.seen} == {"two"}
    change(alice, target, headers=None)
    world.checker.seen.clear()
    world.run(60)
    assert [dict(spec.secrets) for spec in world.checker.seen] == [{}] * len(world.checker.seen)


@pytest.mark.parametrize("number", range(1, 7))
@pytest.mark.parametrize("outdated", [False, True])
def test_secrets_are_only_sent_to_the_address_they_were_stored_with(
    world: World, alice: Person, monkeypatch: pytest.MonkeyPatch, number: int, outdated: bool
) -> None:
    """The change comes before the worker's first, second, ... read."""
    target = make(alice, headers={"X-Key": "old"}, failure_threshold=1)
    if outdated:
        change(alice, target, timeout_s=4)
    world.run(8)
    world.checker.seen.clear()
    reads: list[int] = []
    plain = Model.batch_get.__func__  # type: ignore[attr-defined]

    def interrupted(model: Any, *args: Any, **kwargs: Any) -> Any:
        reads.append(1)
        if len(reads) == number:
            with monkeypatch.context() as patch:
                patch.setattr(Model, "batch_get", classmethod(plain))
                change(alice, target, url=NEW, headers={"X-Key": "new"})
        return plain(model, *args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(Model, "batch_get", classmethod(interrupted))
        for _ in range(11):
            world.deliver()
            world.clock.time += 1
    if len(reads) < number:
        change(alice, target, url=NEW, headers={"X-Key": "new"})
    world.run(20)
    sent = {(spec.config["url"], spec.secrets["headers"]["X-Key"]) for spec in world.checker.seen}
    assert sent <= {(OLD, "old"), (NEW, "new")}
    assert (NEW, "new") in sent
    assert status(alice, target) == "UP"


def test_an_edit_between_plan_and_check_counts(world: World, alice: Person) -> None:
    target = make(alice, failure_threshold=1)
    bodies = planned_bodies(world)
    tick = json.loads(bodies[0])["tick"]
    world.checker.judge = by_url(OLD)
    world.clock.time = tick - 3
    change(alice, target, url=NEW)
    world.clock.time = tick
    world.checker.seen.clear()
    world.deliver([bodies[0]])
    assert urls(world) == {NEW}
    assert status(alice, target) == "UP"


def test_a_check_at_or_before_the_edit_is_left_out(world: World, alice: Person) -> None:
    """It belongs to the earlier definition; the edit orders a check of its own."""
    target = make(alice)
    bodies = planned_bodies(world)
    world.clock.time = json.loads(bodies[0])["tick"]
    before = len(checks(alice, target))
    change(alice, target, url=NEW)
    world.checker.seen.clear()
    world.deliver([bodies[0]])
    assert world.checker.seen == []
    assert len(checks(alice, target)) == before
    world.clock.time += 1
    world.deliver()
    assert urls(world) == {NEW}


@pytest.mark.parametrize("how", ["edit", "pause", "pause and resume", "delete", "new secret"])
def test_a_slow_check_is_not_stored_after_a_change(world: World, alice: Person, how: str) -> None:
    target = make(alice, failure_threshold=1, headers={"X-Key": "one"})
    neighbour = make(alice, url="https://neighbour.example/")
    world.run(190)
    before = len(checks(alice, target)), len(checks(alice, neighbour))
    world.checker.judge = by_url(OLD)

    def act() -> None:
        if how == "edit":
            change(alice, target, url=NEW, headers=None)
        elif how == "new secret":
            change(alice, target, headers={"X-Key": "two"})
        elif how == "delete":
            alice.delete(path(target))
        else:
            alice.post(f"{path(target)}/pause")
        if how == "pause and resume":
            alice.post(f"{path(target)}/resume")

    body = planned_bodies(world)[0]
    world.clock.time = json.loads(body)["tick"]
    during_the_check(world, act, seconds=4)
    assert world.deliver([body]) == []
    assert len(checks(alice, neighbour)) == before[1] + 1, "the neighbour is not affected"
    if how != "delete":
        assert len(checks(alice, target)) == before[0]
        assert status(alice, target) != "DOWN"
    assert incidents(alice) == []


@pytest.mark.parametrize("how", ["url", "failure_threshold"])
def test_a_quick_check_is_not_judged_after_a_change(world: World, alice: Person, how: str) -> None:
    target = make(alice, failure_threshold=1)
    body = planned_bodies(world)[0]
    world.checker.judge = by_url(OLD)
    world.clock.time = json.loads(body)["tick"]
    during_the_check(world, lambda: change(alice, target, **{how: {"url": NEW}.get(how, 3)}))
    assert world.deliver([body]) == []
    assert status(alice, target) == "UP"
    assert incidents(alice) == []
    if how == "url":
        world.run(60)
        assert status(alice, target) == "UP"


def test_a_new_name_does_not_affect_a_check_that_is_under_way(world: World, alice: Person) -> None:
    target = make(alice, failure_threshold=1)
    world.checker.judge = by_url(OLD)
    body = planned_bodies(world)[0]
    world.clock.time = json.loads(body)["tick"]
    during_the_check(world, lambda: change(alice, target, name="Renamed"), seconds=4)
    world.deliver([body])
    assert status(alice, target) == "DOWN"


def test_a_neighbour_is_judged_despite_the_change(world: World, alice: Person) -> None:
    target = make(alice, failure_threshold=1)
    neighbour = make(alice, failure_threshold=1)
    world.run(190)
    world.checker.script = {target["id"]: DOWN, neighbour["id"]: DOWN}
    body = planned_bodies(world)[0]
    world.clock.time = json.loads(body)["tick"]
    during_the_check(world, lambda: change(alice, target, url=NEW))
    world.deliver([body])
    assert (status(alice, target), status(alice, neighbour)) == ("UP", "DOWN")


def test_a_stored_result_of_the_earlier_definition_is_not_judged_later(
    world: World, alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = make(alice, failure_threshold=1)
    world.checker.judge = by_url(OLD)
    body = planned_bodies(world)[0]
    world.clock.time = json.loads(body)["tick"]
    with monkeypatch.context() as patch:
        patch.setattr(check_worker, "_apply", _dies)
        assert world.deliver([body]) == [body]
    change(alice, target, url=NEW)
    world.clock.time += 5
    assert world.deliver([body]) == []
    assert status(alice, target) == "UP"


def test_a_stored_result_of_the_new_definition_is_judged_later(
    world: World, alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = make(alice, failure_threshold=1)
    world.checker.judge = by_url(NEW)
    change(alice, target, url=NEW)
    body = planned_bodies(world)[1]
    world.clock.time = json.loads(body)["tick"]
    with monkeypatch.context() as patch:
        patch.setattr(check_worker, "_apply", _dies)
        assert world.deliver([body]) == [body]
    assert status(alice, target) == "UP"
    assert world.deliver([body]) == []
    assert status(alice, target) == "DOWN"


def _dies(*_: object) -> None:
    raise RuntimeError("killed")


def test_a_target_paused_and_resumed_is_checked_once_per_tick(world: World, alice: Person) -> None:
    target = make(alice)
    alice.post(f"{path(target)}/pause")
    world.run(12)
    paused = moments(alice, target)
    alice.post(f"{path(target)}/resume")
    world.run(300)
    since = moments(alice, target)[len(paused) :]
    assert len(since) == len(set(since)), "no tick twice"
    assert len(since) in (30, 31), "every tick, and the immediate check"


def test_a_pause_during_the_check_and_a_resumption_keep_its_result_out(
    world: World, alice: Person
) -> None:
    target = make(alice, failure_threshold=1)
    world.checker.script[target["id"]] = DOWN
    body = planned_bodies(world)[0]
    world.clock.time = json.loads(body)["tick"]

    def switch() -> None:
        alice.post(f"{path(target)}/pause")
        alice.post(f"{path(target)}/resume")

    during_the_check(world, switch)
    world.deliver([body])
    assert status(alice, target) == "PENDING"


@pytest.mark.parametrize(("before", "after"), [(10, 60), (60, 10), (10, 30), (30, 20), (20, 120)])
def test_a_changed_interval_applies_at_once_and_no_tick_is_checked_twice(
    world: World, alice: Person, before: int, after: int
) -> None:
    target = make(alice, interval_s=before)
    number = len(checks(alice, target))
    change(alice, target, interval_s=after)
    changed_at = int(world.clock.time)
    world.run(360)
    since = moments(alice, target)[number:]
    offset = schedule.offset(alice.owner, 0)
    ticks = schedule.ticks_in(after, offset, changed_at + 2, changed_at + 360)
    assert len(since) == len(set(since))
    assert len(since) == 1 + len(ticks)


@pytest.mark.parametrize(("first", "second"), [(10, 60), (60, 10)])
def test_an_interval_changed_back_and_forth_checks_every_tick_once(
    world: World, alice: Person, first: int, second: int
) -> None:
    target = make(alice, interval_s=first)
    change(alice, target, interval_s=second)
    world.run(15)
    number = len(checks(alice, target))
    change(alice, target, interval_s=first)
    changed_at = int(world.clock.time)
    world.run(300)
    since = moments(alice, target)[number:]
    offset = schedule.offset(alice.owner, 0)
    ticks = schedule.ticks_in(first, offset, changed_at + 2, changed_at + 300)
    assert since[1:] == list(map(render_time, ticks)), "after the immediate check"


def test_the_next_target_in_a_place_is_checked_by_its_own_definition(
    world: World, alice: Person, lowest_place: None
) -> None:
    old = make(alice, failure_threshold=1)
    world.checker.judge = by_url(OLD)
    change(alice, old, url="https://changed.example/")
    world.run(5)
    body = planned_bodies(world)[0]
    world.clock.time = json.loads(body)["tick"]
    new: list[dict[str, Any]] = []

    def replace() -> None:
        alice.delete(path(old))
        new.append(alice.make_target(url=NEW, interval_s=10, timeout_s=5, failure_threshold=1))

    during_the_check(world, replace, seconds=4)
    world.deliver([body])
    assert checks(alice, new[0]) == []
    assert status(alice, new[0]) == "PENDING"
    world.checker.seen.clear()
    world.run(120)
    assert urls(world) == {NEW}
    assert status(alice, new[0]) == "UP"
    assert set(verdicts(alice, new[0])) == {"UP"}


def test_secrets_of_the_next_target_in_a_place_are_not_sent_for_the_previous_one(
    world: World, alice: Person, lowest_place: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = make(alice, headers={"X-Key": "old"})
    body = planned_bodies(world)[0]
    world.clock.time = json.loads(body)["tick"]

    def replace_first(lanes: Any) -> Any:
        monkeypatch.setattr("chalicelib.worker.definitions.read_secrets", read_secrets)
        alice.delete(path(old))
        alice.make_target(url=NEW, headers={"X-Key": "new"})
        return read_secrets(lanes)

    monkeypatch.setattr("chalicelib.worker.definitions.read_secrets", replace_first)
    world.checker.seen.clear()
    assert world.deliver([body]) == []
    assert world.checker.seen == []


def test_check_now_uses_the_definition_of_its_moment(world: World, alice: Person) -> None:
    target = make(alice)
    send = world.queue.send

    def send_and_work(sent: Any) -> None:
        send(sent)
        world.clock.time += 1
        world.deliver()

    world.queue.send = send_and_work  # type: ignore[method-assign]
    world.checker.judge = by_url(OLD)
    assert alice.post(f"{path(target)}/check").json["verdict"] == "DOWN"
    world.clock.time -= 1
    change(alice, target, url=NEW)
    world.clock.time -= 1
    assert alice.post(f"{path(target)}/check").json["verdict"] == "UP", "within the same second"


def test_if_the_queue_refuses_the_edit_still_counts_at_the_next_tick(
    world: World, alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = make(alice)

    def refuse(_: object) -> None:
        raise SendError("refused")

    with monkeypatch.context() as patch:
        patch.setattr(world.queue, "send", refuse)
        change(alice, target, url=NEW)
    world.checker.seen.clear()
    world.run(12)
    assert urls(world) == {NEW}


def test_what_an_earlier_version_changed_is_checked(world: World, alice: Person) -> None:
    """It changes the target without its versions, and leaves the lane alone."""
    target = make(alice, headers={"X-Key": "one"})
    change(alice, target, url="https://between.example/", headers={"X-Key": "two"})
    world.run(240)
    with acting_for(alice.owner):
        item = TargetItem.get(alice.owner, target["id"])
        spec = {**item.spec, "config": {"url": NEW}}
        del spec["version"], spec["secrets_version"]
        actions: list[Action] = [TargetItem.spec.set(spec), TargetItem.version.set(9)]
        TargetItem(alice.owner, target["id"]).update(actions)
    world.run(300)
    world.checker.seen.clear()
    number = len(checks(alice, target))
    world.checker.script[target["id"]] = DOWN
    world.run(60)
    assert urls(world) == {NEW}
    assert {spec.secrets["headers"]["X-Key"] for spec in world.checker.seen} == {"two"}
    assert len(checks(alice, target)) == number + 6
    assert status(alice, target) == "DOWN"


def test_what_an_earlier_version_stored_is_checked_and_changed(world: World, alice: Person) -> None:
    target = make(alice, headers={"X-Key": "one"})
    with acting_for(alice.owner):
        secrets = SecretsItem(alice.owner, secrets_key(0))
        secrets.refresh()
        (place,) = secrets.places.as_dict()
        untagged = json.dumps({"headers": {"X-Key": "one"}})
        secrets.update([place_path(int(place)).set(untagged)])
        lane = LaneItem.get(alice.owner, lane_key(0))
        assert lane.definitions is None
    world.checker.seen.clear()
    world.run(20)
    assert [spec.secrets["headers"]["X-Key"] for spec in world.checker.seen] == ["one", "one"]
    change(alice, target, url=NEW, headers={"X-Key": "two"})
    world.run(20)
    last = world.checker.seen[-1]
    assert (last.config["url"], last.secrets["headers"]["X-Key"]) == (NEW, "two")


def test_after_the_planned_minutes_a_changed_target_costs_what_it_did(
    world: World, alice: Person, dynamodb_calls: list[str]
) -> None:
    target = make(alice)
    alice.post(f"{path(target)}/pause")
    alice.post(f"{path(target)}/resume")
    change(alice, target, url=NEW)
    world.run(300)
    body = planned_bodies(world)[0]
    world.clock.time = json.loads(body)["tick"]
    dynamodb_calls.clear()
    world.deliver([body])
    assert sorted(dynamodb_calls) == ["BatchGetItem", "BatchGetItem", "PutItem"]


def test_an_edit_does_not_overwrite_a_state(
    world: World, alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker writes the lane between the edit's read and write."""
    target = make(alice, failure_threshold=1)
    world.checker.script[target["id"]] = DOWN
    body = planned_bodies(world)[0]
    world.clock.time = json.loads(body)["tick"]
    get = Lanes.get

    def interrupted(lanes: Lanes, number: int) -> Any:
        found = get(lanes, number)
        monkeypatch.setattr(Lanes, "get", get)
        world.deliver([body])
        return found

    monkeypatch.setattr(Lanes, "get", interrupted)
    change(alice, target, url=NEW)
    assert status(alice, target) == "DOWN"


@pytest.mark.moto
def test_definitions_are_stored_with_the_first_change_and_removed_with_the_target(
    world: World, alice: Person
) -> None:
    one, other = alice.make_target(), alice.make_target()

    def stored() -> list[list[int]] | None:
        with acting_for(alice.owner):
            found = LaneItem.get(alice.owner, lane_key(0)).definitions
        return None if found is None else sorted(map(list, found.as_dict().values()))

    assert stored() is None
    change(alice, one, url=NEW)
    assert stored() == [[START + 1]]
    for switch in ("pause", "resume"):
        assert alice.post(f"{path(other)}/{switch}").status == 200
    apart_s = schedule.planned_until(START) - (START + 2)
    assert stored() == [[START + 1], [START + 2, apart_s]]
    assert alice.delete(path(one)).status == 204
    assert alice.delete(path(other)).status == 204
    assert stored() == []
    assert alice.make_target()["state"]["status"] == "PENDING"


EDITS: dict[str, Callable[[int], dict[str, Any]]] = {
    "url": lambda n: {"url": f"https://host{n}.example/", "headers": {"X-Key": str(n)}},
    "secret": lambda n: {"headers": {"X-Key": str(n)}},
    "interval": lambda n: {"interval_s": [10, 20, 60][n % 3]},
    "threshold": lambda n: {"failure_threshold": n + 2},
    "name": lambda n: {"name": str(n)},
}
STEPS = st.tuples(st.sampled_from([*EDITS, "pause", "resume"]), st.integers(0, 25))


@settings(max_examples=12, deadline=None)
@given(st.lists(STEPS, min_size=1, max_size=6))
def test_every_check_is_by_the_current_definition_and_no_tick_is_checked_twice(
    steps: list[tuple[str, int]],
) -> None:
    with memory_stage() as world:
        alice = world.user()
        target = make(alice)
        key: list[str] = []

        def judge(spec: CheckSpec) -> CheckResult:
            shown = alice.get(path(target)).json
            assert shown["enabled"]
            assert spec.config["url"] == shown["url"]
            assert spec.interval_s == shown["interval_s"]
            assert spec.failure_threshold == shown["failure_threshold"]
            assert list(spec.secrets.get("headers", {}).values()) == key
            return UP

        world.checker.judge = judge
        for number, (action, seconds) in enumerate([*steps, ("resume", 240)]):
            if action in EDITS:
                fields = EDITS[action](number)
                change(alice, target, **fields)
                key = list(fields.get("headers", {}).values()) or key
            else:
                alice.post(f"{path(target)}/{action}")
            world.run(seconds)
        found = moments(alice, target)
        interval_s = alice.get(path(target)).json["interval_s"]
        assert len(found) == len(set(found))
        assert len([at for at in found if at >= render_time(int(world.clock.time) - 240)]) in (
            240 // interval_s,
            240 // interval_s + 1,
        )
