"""Idempotency-Key on all creating operations, including secrets that are shown only once."""

import json
import secrets
import zlib
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from chalicelib.access.idempotency_repository import IdempotencyKeys
from chalicelib.access.models import IdempotencyItem
from chalicelib.routes import ALL
from tests.support.threads import run_concurrently
from tests.support.world import Person, Reply, World, as_system

pytestmark = pytest.mark.shared_stage

HOOK = {"name": "Hook", "kind": "webhook", "url": "https://hooks.example/"}
SHOP = {"name": "Shop", "kind": "http", "url": "https://shop.example/"}
WINDOW = {
    "name": "Nights",
    "tags": ["prod"],
    "cron": "0 3 * * SUN",
    "timezone": "Europe/Berlin",
    "duration_s": 7_200,
}
CREATIONS = [
    ("/v1/targets", SHOP),
    ("/v1/targets/batch", {"items": [SHOP, {"name": "no"}, {**SHOP, "name": "Other"}]}),
    ("/v1/channels", HOOK),
    ("/v1/tokens", {"name": "robot", "scopes": ["read"]}),
    ("/v1/users", {"name": "bob"}),
    ("/v1/maintenance", WINDOW),
    ("/v1/pages", {"name": "Shop", "slug": "made-once", "tags": ["prod"]}),
]


@pytest.fixture
def root(world: World) -> Iterator[Person]:
    person = world.user("root", admin=True)
    yield person
    # Slugs are unique across the owners of the stage.
    for page in person.get("/v1/pages").json["items"]:
        person.delete(f"/v1/pages/{page['id']}")


@pytest.mark.parametrize(("path", "body"), CREATIONS)
def test_repetition_creates_nothing_and_gets_the_same_response(
    root: Person, path: str, body: dict[str, Any]
) -> None:
    first = root.post(path, body, Idempotency_Key="k")
    used = root.get("/v1/me").json["limits"]
    again = root.post(path, body, Idempotency_Key="k")
    assert first.status == again.status in (200, 201)
    assert again.json == first.json
    assert again.headers["idempotent-replayed"] == "true"
    assert "idempotent-replayed" not in first.headers
    for header in ("location", "etag", "content-type"):
        assert again.headers.get(header) == first.headers.get(header)
    assert root.get("/v1/me").json["limits"] == used


@pytest.mark.parametrize(("path", "body"), CREATIONS)
def test_key_is_rejected_by_other_operations(root: Person, path: str, body: dict[str, Any]) -> None:
    other = "/v1/users" if path != "/v1/users" else "/v1/tokens"
    assert root.post(other, {"name": "x"}, Idempotency_Key="k").status == 201
    reply = root.post(path, body, Idempotency_Key="k")
    assert reply.status == 409
    assert reply.json["type"] == "urn:monitum:problem:idempotency-key-reused"


@pytest.mark.parametrize(("path", "body"), [one for one in CREATIONS if one[0] != "/v1/targets"])
def test_retry_after_a_crash_gets_the_same_resource(
    root: Person, monkeypatch: pytest.MonkeyPatch, path: str, body: dict[str, Any]
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(
            "chalicelib.access.idempotency_repository.IdempotencyKeys.finish", lambda *_: 1 / 0
        )
        assert root.post(path, body, Idempotency_Key="k").status == 500
    used = root.get("/v1/me").json["limits"]
    again = root.post(path, body, Idempotency_Key="k")
    assert again.status in (200, 201)
    assert root.post(path, body, Idempotency_Key="k").json == again.json
    assert root.get("/v1/me").json["limits"] == used


def test_repeated_token_is_only_shown_to_the_first_caller(root: Person) -> None:
    created = root.post("/v1/tokens", {"name": "robot"}, Idempotency_Key="k").json
    robot = Person(root.world, root.owner, created["token"])
    assert robot.get("/v1/me").json["token"]["name"] == "robot"
    # Another token of the same user must not see the secret.
    reply = robot.post("/v1/tokens", {"name": "robot"}, Idempotency_Key="k")
    assert reply.status == 409
    assert created["token"] not in reply.text


def test_every_creating_operation_accepts_a_key() -> None:
    making = {route.path for route in ALL if route.status == 201 and "{" not in route.path}
    keyed = {route.path for route in ALL if "Idempotency-Key" in route.request_headers}
    assert keyed == making | {"/v1/targets/batch"}
    assert {path for path, _ in CREATIONS} == keyed, "CREATIONS must list all of them"


@pytest.mark.parametrize(
    ("path", "body"),
    [("/v1/targets", SHOP), ("/v1/channels", HOOK), ("/v1/maintenance", WINDOW)],
)
def test_response_is_unchanged_after_change_and_deletion(
    root: Person, path: str, body: dict[str, Any]
) -> None:
    first = root.post(path, body, Idempotency_Key="k")
    place = f"{path}/{first.json['id']}"
    root.patch(place, {"name": "Renamed"})
    root.world.clock.time += 3_600
    assert root.post(path, body, Idempotency_Key="k").text == first.text
    assert root.delete(place).status == 204
    again = root.post(path, body, Idempotency_Key="k")
    assert (again.status, again.text) == (201, first.text)
    assert again.headers["etag"] == first.headers["etag"]
    assert root.get(place).status == 404, "it was created again"


def test_revoked_token_is_not_created_again(root: Person) -> None:
    first = root.post("/v1/tokens", {"name": "robot"}, Idempotency_Key="k")
    root.delete(f"/v1/tokens/{first.json['id']}")
    again = root.post("/v1/tokens", {"name": "robot"}, Idempotency_Key="k")
    assert again.text == first.text
    assert Person(root.world, root.owner, first.json["token"]).get("/v1/me").status == 401


def test_batch_response_is_unchanged_after_a_deletion(alice: Person) -> None:
    body = {"items": [SHOP, {**SHOP, "url": "http://127.0.0.1/"}]}
    first = alice.post("/v1/targets/batch", body, Idempotency_Key="k")
    alice.delete(f"/v1/targets/{first.json['items'][0]['target']['id']}")
    assert alice.post("/v1/targets/batch", body, Idempotency_Key="k").text == first.text
    assert alice.get("/v1/targets").json["items"] == []


def test_another_token_gets_the_same_response_except_secrets(root: Person) -> None:
    created = root.post("/v1/tokens", {"name": "second", "scopes": ["read", "write", "admin"]}).json
    other = Person(root.world, root.owner, created["token"])
    for path, body in CREATIONS:
        first = root.post(path, body, Idempotency_Key=path)
        again = other.post(path, body, Idempotency_Key=path)
        if path in ("/v1/channels", "/v1/tokens", "/v1/users"):
            assert again.status == 409
            assert again.json["type"] == "urn:monitum:problem:idempotency-key-reused"
        else:
            assert (again.status, again.text) == (first.status, first.text)


@pytest.mark.parametrize(("path", "body"), CREATIONS)
def test_secrets_are_stored_encrypted(root: Person, path: str, body: dict[str, Any]) -> None:
    response = root.post(path, body, Idempotency_Key="k").json
    with as_system():
        (item,) = IdempotencyItem.query(root.owner, IdempotencyItem.key.startswith("once:"))
    if path in ("/v1/channels", "/v1/tokens", "/v1/users"):
        with pytest.raises(zlib.error):
            zlib.decompress(item.answer)
        with pytest.raises(zlib.error):
            zlib.decompress(item.answer[32:])
    else:
        status, _, text = json.loads(zlib.decompress(item.answer))
        assert json.loads(text) == response
        assert status in (200, 201)


def test_response_of_the_largest_batch_is_stored(alice: Person) -> None:
    # Random letters, which do not compress, up to the size limit of a body.
    letters = "".join(secrets.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(480))
    body = {"items": [{**SHOP, "name": f"{n}", "body": letters[n:]} for n in range(100)]}
    first = alice.post("/v1/targets/batch", body, Idempotency_Key="k")
    assert {item["status"] for item in first.json["items"]} == {201}
    assert alice.post("/v1/targets/batch", body, Idempotency_Key="k").text == first.text


def test_first_stored_response_wins(alice: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    finish, responses = IdempotencyKeys.finish, []

    def overtaken(keys: IdempotencyKeys, key: str, response: bytes) -> bytes:
        monkeypatch.setattr(IdempotencyKeys, "finish", finish)
        alice.world.run(60)
        responses.append(alice.post("/v1/targets", SHOP, Idempotency_Key="k"))
        return finish(keys, key, response)

    monkeypatch.setattr(IdempotencyKeys, "finish", overtaken)
    slow = alice.post("/v1/targets", SHOP, Idempotency_Key="k")
    assert slow.text == responses[0].text
    assert slow.json["state"]["status"] == "UP", "the response of the faster request"
    assert "idempotent-replayed" in slow.headers


def test_two_hundred_concurrent_requests_with_twenty_keys_create_twenty(alice: Person) -> None:
    def create_ten(number: int) -> list[Reply]:
        return [
            alice.post("/v1/targets", {**SHOP, "name": f"Shop {key}"}, Idempotency_Key=f"k{key}")
            for key in ((number + offset) % 20 for offset in range(10))
        ]

    replies = [reply for some in run_concurrently(create_ten, 20) for reply in some]
    assert Counter(reply.status for reply in replies) == {201: 200}
    assert len({reply.json["id"] for reply in replies}) == 20
    assert len(alice.get("/v1/targets?limit=200").json["items"]) == 20
    assert alice.get("/v1/me").json["limits"]["targets"]["used"] == 20
