"""Changing a target: replaced and kept fields, and concurrent changes."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.targets import service
from chalicelib.targets.validation import validate
from tests.support.stages import stored
from tests.support.world import Person, World

pytestmark = pytest.mark.shared_stage


def path_of(target: dict[str, Any]) -> str:
    return f"/v1/targets/{target['id']}"


def test_only_the_given_fields_change(world: World, alice: Person) -> None:
    target = alice.make_target(tags=["a"], interval_s=30, expect={"body_contains": "OK"})
    world.clock.time += 5
    reply = alice.patch(path_of(target), {"name": "Renamed", "tags": ["b", "c"]})
    assert reply.status == 200
    assert reply.headers["etag"] == '"2"'
    assert reply.json == {
        **target,
        "name": "Renamed",
        "tags": ["b", "c"],
        "updated_at": "2026-11-18T11:06:45Z",
    }
    assert alice.get(path_of(target)).json == reply.json


def test_null_restores_the_default(alice: Person) -> None:
    target = alice.make_target(
        interval_s=30, method="POST", body="x", expect={"body_contains": "OK"}, tags=["a"]
    )
    nulls = dict.fromkeys(["interval_s", "method", "body", "expect", "tags"])
    changed = alice.patch(path_of(target), nulls).json
    fresh = alice.make_target()
    assert {name: changed[name] for name in nulls} == {name: fresh[name] for name in nulls}


@pytest.mark.parametrize("name", ["name", "url"])
def test_required_fields_cannot_be_removed(alice: Person, name: str) -> None:
    target = alice.make_target()
    before = stored()
    reply = alice.patch(path_of(target), {name: None})
    assert (reply.status, reply.fields) == (422, [f"body.{name}"])
    assert stored() == before


def test_expectations_are_replaced_as_a_whole(alice: Person) -> None:
    target = alice.make_target(expect={"body_contains": "OK", "max_response_ms": 100})
    changed = alice.patch(path_of(target), {"expect": {"status_codes": [204]}}).json
    assert changed["expect"]["status_codes"] == [204]
    assert changed["expect"]["body_contains"] is None
    assert changed["expect"]["max_response_ms"] is None


@pytest.mark.parametrize("kind", ["tcp", "ftp", None, 5])
def test_kind_cannot_be_changed(alice: Person, kind: object) -> None:
    target = alice.make_target()
    reply = alice.patch(path_of(target), {"kind": kind})
    assert (reply.status, reply.fields) == (422, ["body.kind"])


@pytest.mark.parametrize("field", ["id", "created_at", "state", "lane", "owner", "version"])
def test_read_only_fields_cannot_be_changed(alice: Person, field: str) -> None:
    target = alice.make_target()
    before = stored()
    reply = alice.patch(path_of(target), {field: target.get(field, 1)})
    assert (reply.status, reply.fields) == (422, [f"body.{field}"])
    assert stored() == before


def test_timeout_must_fit_a_shorter_interval(alice: Person) -> None:
    target = alice.make_target(timeout_s=20)
    reply = alice.patch(path_of(target), {"interval_s": 10})
    assert (reply.status, reply.fields) == (422, ["body.timeout_s"])
    assert alice.patch(path_of(target), {"interval_s": 10, "timeout_s": 5}).status == 200


def test_changed_configuration_is_checked_immediately(world: World, alice: Person) -> None:
    target = alice.make_target()
    world.queue.waiting.clear()
    alice.patch(path_of(target), {"name": "Renamed"})
    assert world.queue.waiting == [], "the name does not affect checks"
    alice.patch(path_of(target), {"url": "https://other.example/"})
    world.clock.time += 1
    world.deliver()
    assert [spec.config["url"] for spec in world.checker.seen] == ["https://other.example/"]


def test_enabled_pauses_and_resumes(world: World, alice: Person) -> None:
    target = alice.make_target()
    world.deliver()
    paused = alice.patch(path_of(target), {"enabled": False}).json
    assert (paused["enabled"], paused["state"]["status"]) == (False, "PAUSED")
    resumed = alice.patch(path_of(target), {"enabled": True}).json
    assert (resumed["enabled"], resumed["state"]["status"]) == (True, "PENDING")


def test_an_outdated_version_is_refused(alice: Person) -> None:
    target = alice.make_target()
    assert alice.patch(path_of(target), {"name": "A"}, If_Match='"1"').status == 200
    before = stored()
    reply = alice.patch(path_of(target), {"name": "B"}, If_Match='"1"')
    assert reply.status == 412
    assert stored() == before
    assert alice.patch(path_of(target), {"name": "B"}, If_Match='"2"').status == 200


def between_read_and_write(
    monkeypatch: pytest.MonkeyPatch, interrupt: Callable[[], object]
) -> None:
    """Call `interrupt` once, between the next change's read and write."""

    def interrupted(*args: Any) -> None:
        monkeypatch.setattr(service, "validate", validate)
        interrupt()
        validate(*args)

    monkeypatch.setattr(service, "validate", interrupted)


def test_concurrent_changes_are_both_kept(alice: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    target = alice.make_target()
    between_read_and_write(
        monkeypatch, lambda: alice.patch(path_of(target), {"tags": ["teammate"]})
    )
    reply = alice.patch(path_of(target), {"name": "Alice"})
    assert reply.status == 200
    assert (reply.json["name"], reply.json["tags"]) == ("Alice", ["teammate"])
    assert reply.headers["etag"] == '"3"'


def test_version_is_compared_again_after_a_concurrent_change(
    alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = alice.make_target()
    between_read_and_write(monkeypatch, lambda: alice.patch(path_of(target), {"name": "First"}))
    reply = alice.patch(path_of(target), {"name": "Second"}, If_Match='"1"')
    assert reply.status == 412
    assert alice.get(path_of(target)).json["name"] == "First"


def test_change_of_a_concurrently_deleted_target_is_not_found(
    alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = alice.make_target()
    between_read_and_write(monkeypatch, lambda: alice.delete(path_of(target)))
    assert alice.patch(path_of(target), {"name": "Late"}).status == 404
    assert alice.get("/v1/targets").json["items"] == []


FIELDS = st.fixed_dictionaries(
    {},
    optional={
        "name": st.sampled_from(["Shop", "Käse"]),
        "url": st.sampled_from(["https://a.example/", "http://b.example:81/x?y"]),
        "method": st.sampled_from(["GET", "POST", None]),
        "body": st.sampled_from(["", "text", None]),
        "interval_s": st.sampled_from([30, 60, 86400, None]),
        "timeout_s": st.sampled_from([1, 25, None]),
        "verify_tls": st.sampled_from([True, False, None]),
        "tags": st.sampled_from([[], ["a"], ["b", "a"], None]),
        "enabled": st.sampled_from([True, False, None]),
        "expect": st.sampled_from([{}, {"body_contains": "x"}, {"status_codes": [204]}, None]),
    },
)


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(first=FIELDS, second=FIELDS)
def test_change_equals_creation_with_the_merged_fields(
    world: World, first: dict[str, Any], second: dict[str, Any]
) -> None:
    alice = world.user()
    kept = {name: value for name, value in first.items() if value is not None}
    changed = alice.patch(path_of(alice.make_target(**kept)), second).json
    both = {**first, **second}
    created = alice.make_target(
        **{name: value for name, value in both.items() if value is not None}
    )
    ignored = {"id", "state"}
    assert {name: changed[name] for name in changed.keys() - ignored} == {
        name: created[name] for name in created.keys() - ignored
    }
    assert changed["state"]["status"] == created["state"]["status"]


def test_change_without_effect_keeps_the_version(alice: Person) -> None:
    secret = {"headers": {"X-Key": "s3cret"}, "url": "https://me:pw@shop.example/"}
    created = alice.make_target(**secret)
    path = f"/v1/targets/{created['id']}"
    before, etag = stored(), alice.get(path).headers["etag"]
    alice.world.queue.waiting.clear()
    for body in (secret, {"headers": {"X-Key": "***"}}, {"name": "Shop", "body": None}, {}):
        assert alice.patch(path, body, If_Match=etag).headers["etag"] == etag
    assert stored() == before
    assert alice.world.queue.waiting == []
    assert alice.patch(path, {"headers": {"X-Key": "other"}}).headers["etag"] != etag
