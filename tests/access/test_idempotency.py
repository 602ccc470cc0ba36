"""Idempotency-Key: however often a target is asked for with one key, it is made once."""

import json
import threading
from typing import Any

import pytest

from chalicelib.access.models import IdempotencyItem
from chalicelib.targets import service
from tests.support.stages import stored
from tests.support.world import Person, Reply, World, as_system

pytestmark = pytest.mark.shared_stage

SHOP = {"name": "Shop", "kind": "http", "url": "https://shop.example/"}


def ask(person: Person, key: str, **fields: Any) -> Reply:
    return person.post("/v1/targets", {**SHOP, **fields}, Idempotency_Key=key)


def count(person: Person) -> int:
    return len(person.get("/v1/targets?limit=200").json["items"])


def test_the_same_key_and_body_make_one_target(world: World, alice: Person) -> None:
    first = ask(alice, "k", headers={"X-Key": "s3cret"})
    world.clock.time += 60
    again = ask(alice, "k", headers={"X-Key": "s3cret"})
    assert (first.status, again.status) == (201, 201)
    assert again.json == first.json
    for header in ("location", "etag"):
        assert again.headers[header] == first.headers[header]
    assert count(alice) == 1


def test_the_order_and_the_defaults_of_the_body_do_not_matter(alice: Person) -> None:
    first = ask(alice, "k").json
    same = dict(reversed([*SHOP.items(), ("interval_s", 60)]))
    assert alice.post("/v1/targets", same, Idempotency_Key="k").json["id"] == first["id"]


@pytest.mark.parametrize("fields", [{"name": "Other"}, {"headers": {"X-Key": "other"}}])
def test_the_same_key_with_another_body_is_a_conflict(
    alice: Person, fields: dict[str, Any]
) -> None:
    ask(alice, "k", headers={"X-Key": "s3cret"})
    before = stored()
    reply = ask(alice, "k", **{"headers": {"X-Key": "s3cret"}, **fields})
    assert reply.status == 409
    assert stored() == before


def test_other_keys_and_other_owners_make_others(alice: Person, mallory: Person) -> None:
    ids = {ask(alice, "k").json["id"], ask(alice, "K").json["id"], ask(mallory, "k").json["id"]}
    assert len(ids) == 3


@pytest.mark.parametrize("fields", [{"url": "http://127.0.0.1/"}, {"headers": {"X": "***"}}])
def test_a_body_that_is_refused_uses_no_key_up(alice: Person, fields: dict[str, Any]) -> None:
    before = stored()
    assert ask(alice, "k", **fields).status == 422
    assert stored() == before
    assert ask(alice, "k").status == 201


@pytest.mark.parametrize("key", ["", "x" * 256, "a\tb", "a\x7fb"])
def test_a_key_is_printable_and_not_too_long(alice: Person, key: str) -> None:
    before = stored()
    reply = ask(alice, key)
    assert (reply.status, reply.fields) == (422, ["header.Idempotency-Key"])
    assert stored() == before


@pytest.mark.parametrize("step", ["_use", "_add", "_check_soon"])
def test_who_comes_after_one_that_died_half_way_gets_the_same(
    alice: Person, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    work = getattr(service, step)

    def dies_after(*args: Any, **kwargs: Any) -> Any:
        work(*args, **kwargs)
        raise SystemError("the function is killed")

    with monkeypatch.context() as patch:
        patch.setattr(service, step, dies_after)
        assert ask(alice, "k").status == 500
    again = ask(alice, "k")
    assert again.status == 201
    assert ask(alice, "k").json == again.json
    assert count(alice) == 1


def test_what_was_made_and_deleted_is_not_made_again(
    alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(
            "chalicelib.access.idempotency_repository.IdempotencyKeys.finish", lambda *_: 1 / 0
        )
        assert ask(alice, "k").status == 500
    first = ask(alice, "k")
    alice.delete(f"/v1/targets/{first.json['id']}")
    assert ask(alice, "k").text == first.text
    assert count(alice) == 0


def test_a_key_of_older_code_which_kept_no_answers_makes_nothing_twice(alice: Person) -> None:
    made = ask(alice, "k").json
    with as_system():
        (item,) = IdempotencyItem.query(alice.owner, IdempotencyItem.key.startswith("once:"))
        item.update([IdempotencyItem.answer.remove()])
    assert ask(alice, "k").json["id"] == made["id"]
    with as_system():
        item.update([IdempotencyItem.answer.remove()])
    alice.delete(f"/v1/targets/{made['id']}")
    assert ask(alice, "k").status == 409


def test_a_key_is_forgotten_after_a_day(world: World, alice: Person) -> None:
    ask(alice, "k")
    world.clock.time += 86_399
    assert ask(alice, "k", name="Other").status == 409
    world.clock.time += 1
    assert ask(alice, "k", name="Other").status == 201
    assert count(alice) == 2


def test_a_second_request_between_claim_and_creation_makes_the_same(
    alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    add, answers = service._add, []

    def interrupted(*args: Any) -> Any:
        monkeypatch.setattr(service, "_add", add)
        answers.append(ask(alice, "k").json)
        return add(*args)

    monkeypatch.setattr(service, "_add", interrupted)
    answers.append(ask(alice, "k").json)
    assert answers[0] == answers[1]
    assert count(alice) == 1
    lane = next(json.loads(item) for item in stored("lanes")["lanes"] if alice.owner in item)
    assert len(lane["places"]["M"]) == 1, "and no second place is taken"


def test_many_at_once_make_one(alice: Person) -> None:
    answers: list[Reply] = []
    threads = [threading.Thread(target=lambda: answers.append(ask(alice, "k"))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {reply.status for reply in answers} == {201}
    assert len({reply.json["id"] for reply in answers}) == 1
    assert count(alice) == 1
