"""Idempotency-Key: repeated requests with one key create one target."""

import json
from typing import Any

import pytest

from chalicelib.access.models import IdempotencyItem
from chalicelib.targets import service
from tests.support.stages import stored
from tests.support.threads import run_concurrently
from tests.support.world import Person, Reply, World, as_system

pytestmark = pytest.mark.shared_stage

SHOP = {"name": "Shop", "kind": "http", "url": "https://shop.example/"}


def create(person: Person, key: str, **fields: Any) -> Reply:
    return person.post("/v1/targets", {**SHOP, **fields}, Idempotency_Key=key)


def count(person: Person) -> int:
    return len(person.get("/v1/targets?limit=200").json["items"])


def test_same_key_and_body_create_one_target(world: World, alice: Person) -> None:
    first = create(alice, "k", headers={"X-Key": "s3cret"})
    world.clock.time += 60
    again = create(alice, "k", headers={"X-Key": "s3cret"})
    assert (first.status, again.status) == (201, 201)
    assert again.json == first.json
    for header in ("location", "etag"):
        assert again.headers[header] == first.headers[header]
    assert count(alice) == 1


def test_field_order_and_defaults_do_not_matter(alice: Person) -> None:
    first = create(alice, "k").json
    same = dict(reversed([*SHOP.items(), ("interval_s", 60)]))
    assert alice.post("/v1/targets", same, Idempotency_Key="k").json["id"] == first["id"]


@pytest.mark.parametrize("fields", [{"name": "Other"}, {"headers": {"X-Key": "other"}}])
def test_same_key_with_another_body_is_a_conflict(alice: Person, fields: dict[str, Any]) -> None:
    create(alice, "k", headers={"X-Key": "s3cret"})
    before = stored()
    reply = create(alice, "k", **{"headers": {"X-Key": "s3cret"}, **fields})
    assert reply.status == 409
    assert stored() == before


def test_other_keys_and_owners_create_separate_targets(alice: Person, mallory: Person) -> None:
    ids = {
        create(alice, "k").json["id"],
        create(alice, "K").json["id"],
        create(mallory, "k").json["id"],
    }
    assert len(ids) == 3


@pytest.mark.parametrize("fields", [{"url": "http://127.0.0.1/"}, {"headers": {"X": "***"}}])
def test_rejected_body_does_not_claim_the_key(alice: Person, fields: dict[str, Any]) -> None:
    before = stored()
    assert create(alice, "k", **fields).status == 422
    assert stored() == before
    assert create(alice, "k").status == 201


@pytest.mark.parametrize("key", ["", "x" * 256, "a\tb", "a\x7fb"])
def test_malformed_keys_are_rejected(alice: Person, key: str) -> None:
    before = stored()
    reply = create(alice, key)
    assert (reply.status, reply.fields) == (422, ["header.Idempotency-Key"])
    assert stored() == before


@pytest.mark.parametrize("step", ["_use", "_add", "_check_soon"])
def test_retry_after_a_crash_gets_the_same_resource(
    alice: Person, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    work = getattr(service, step)

    def dies_after(*args: Any, **kwargs: Any) -> Any:
        work(*args, **kwargs)
        raise SystemError("the function is killed")

    with monkeypatch.context() as patch:
        patch.setattr(service, step, dies_after)
        assert create(alice, "k").status == 500
    again = create(alice, "k")
    assert again.status == 201
    assert create(alice, "k").json == again.json
    assert count(alice) == 1


def test_deleted_target_is_not_created_again(
    alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(
            "chalicelib.access.idempotency_repository.IdempotencyKeys.finish", lambda *_: 1 / 0
        )
        assert create(alice, "k").status == 500
    first = create(alice, "k")
    alice.delete(f"/v1/targets/{first.json['id']}")
    assert create(alice, "k").text == first.text
    assert count(alice) == 0


def test_key_without_stored_response_creates_nothing_twice(alice: Person) -> None:
    created = create(alice, "k").json
    with as_system():
        (item,) = IdempotencyItem.query(alice.owner, IdempotencyItem.key.startswith("once:"))
        item.update([IdempotencyItem.answer.remove()])
    assert create(alice, "k").json["id"] == created["id"]
    with as_system():
        item.update([IdempotencyItem.answer.remove()])
    alice.delete(f"/v1/targets/{created['id']}")
    assert create(alice, "k").status == 409


def test_keys_expire_after_a_day(world: World, alice: Person) -> None:
    create(alice, "k")
    world.clock.time += 86_399
    assert create(alice, "k", name="Other").status == 409
    world.clock.time += 1
    assert create(alice, "k", name="Other").status == 201
    assert count(alice) == 2


def test_second_request_between_claim_and_creation_gets_the_same_target(
    alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    add, responses = service._add, []

    def interrupted(*args: Any) -> Any:
        monkeypatch.setattr(service, "_add", add)
        responses.append(create(alice, "k").json)
        return add(*args)

    monkeypatch.setattr(service, "_add", interrupted)
    responses.append(create(alice, "k").json)
    assert responses[0] == responses[1]
    assert count(alice) == 1
    lane = next(json.loads(item) for item in stored("lanes")["lanes"] if alice.owner in item)
    assert len(lane["places"]["M"]) == 1, "a second place was taken"


def test_concurrent_requests_create_one_target(alice: Person) -> None:
    responses = run_concurrently(lambda _: create(alice, "k"), 4)
    assert {reply.status for reply in responses} == {201}
    assert len({reply.json["id"] for reply in responses}) == 1
    assert count(alice) == 1
