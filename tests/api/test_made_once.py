"""Idempotency-Key on everything that creates, with the secrets that are shown only once."""

import threading
from collections import Counter
from typing import Any

import pytest

from tests.world import Person, Reply, World

HOOK = {"name": "Hook", "kind": "webhook", "url": "https://hooks.example/"}
SHOP = {"name": "Shop", "kind": "http", "url": "https://shop.example/"}
CREATIONS = [
    ("/v1/targets", SHOP),
    ("/v1/targets/batch", {"items": [SHOP, {"name": "no"}, {**SHOP, "name": "Other"}]}),
    ("/v1/channels", HOOK),
    ("/v1/tokens", {"name": "robot", "scopes": ["read"]}),
    ("/v1/users", {"name": "bob"}),
]


@pytest.fixture
def root(world: World) -> Person:
    return world.user("root", admin=True)


def bare(body: Any) -> Any:
    """What was answered, but for the ids of requests in the problems of a batch."""
    for item in body.get("items", ()) if isinstance(body, dict) else ():
        if item.get("problem"):
            item["problem"].pop("request_id")
    return body


@pytest.mark.parametrize(("path", "body"), CREATIONS)
def test_the_same_again_makes_nothing_and_answers_the_same(
    root: Person, path: str, body: dict[str, Any]
) -> None:
    first = root.post(path, body, Idempotency_Key="k")
    used = root.get("/v1/me").json["limits"]
    again = root.post(path, body, Idempotency_Key="k")
    assert first.status == again.status in (200, 201)
    assert bare(again.json) == bare(first.json)
    assert root.get("/v1/me").json["limits"] == used


@pytest.mark.parametrize(("path", "body"), CREATIONS)
def test_one_key_is_for_one_thing(root: Person, path: str, body: dict[str, Any]) -> None:
    other = "/v1/users" if path != "/v1/users" else "/v1/tokens"
    assert root.post(other, {"name": "x"}, Idempotency_Key="k").status == 201
    reply = root.post(path, body, Idempotency_Key="k")
    assert reply.status == 409
    assert reply.json["type"] == "urn:monitum:problem:idempotency-key-reused"


@pytest.mark.parametrize(("path", "body"), [one for one in CREATIONS if one[0] != "/v1/targets"])
def test_who_comes_after_one_that_died_half_way_gets_the_same(
    root: Person, monkeypatch: pytest.MonkeyPatch, path: str, body: dict[str, Any]
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("chalicelib.store.once.Once.finish", lambda *_: 1 / 0)
        assert root.post(path, body, Idempotency_Key="k").status == 500
    used = root.get("/v1/me").json["limits"]
    again = root.post(path, body, Idempotency_Key="k")
    assert again.status in (200, 201)
    assert bare(root.post(path, body, Idempotency_Key="k").json) == bare(again.json)
    assert root.get("/v1/me").json["limits"] == used


def test_a_token_made_once_works_and_is_the_same_for_who_asked(root: Person) -> None:
    made = root.post("/v1/tokens", {"name": "robot"}, Idempotency_Key="k").json
    robot = Person(root.world, root.owner, made["token"])
    assert robot.get("/v1/me").json["token"]["name"] == "robot"
    # Another token of the same user cannot have it told again.
    reply = robot.post("/v1/tokens", {"name": "robot"}, Idempotency_Key="k")
    assert reply.status == 409
    assert made["token"] not in reply.text


def test_what_was_deleted_is_not_made_again(root: Person) -> None:
    for path, body in (("/v1/channels", HOOK), ("/v1/tokens", {"name": "robot"})):
        made = root.post(path, body, Idempotency_Key=path).json
        root.delete(f"{path}/{made['id']}")
        assert root.post(path, body, Idempotency_Key=path).status == 409


def test_a_batch_that_was_deleted_in_part_says_so(alice: Person) -> None:
    body = {"items": [SHOP, {**SHOP, "name": "Other"}]}
    made = alice.post("/v1/targets/batch", body, Idempotency_Key="k").json["items"]
    alice.delete(f"/v1/targets/{made[0]['target']['id']}")
    again = alice.post("/v1/targets/batch", body, Idempotency_Key="k").json["items"]
    assert [item["status"] for item in again] == [409, 201]
    assert again[1]["target"]["id"] == made[1]["target"]["id"]


def test_two_hundred_at_once_with_twenty_keys_make_twenty(alice: Person) -> None:
    replies: list[Reply] = []

    def ask(number: int) -> None:
        for key in range(number, number + 10):
            body = {**SHOP, "name": f"Shop {key % 20}"}
            replies.append(alice.post("/v1/targets", body, Idempotency_Key=f"k{key % 20}"))

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Counter(reply.status for reply in replies) == {201: 200}
    assert len({reply.json["id"] for reply in replies}) == 20
    assert len(alice.get("/v1/targets?limit=200").json["items"]) == 20
    assert alice.get("/v1/me").json["limits"]["targets"]["used"] == 20
