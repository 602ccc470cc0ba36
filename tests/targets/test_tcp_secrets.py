"""`send` of TCP targets may hold a password: it is used but never returned."""

import json
import logging
from typing import Any

import pytest

from tests.support.stages import stored
from tests.support.world import Person, World
from tests.targets.test_secrets import path_of, used

pytestmark = pytest.mark.shared_stage

SENT = "AUTH pl4nted-p4ssword\r\nPING\r\n"
MASK = "***"
WITH_SECRET: dict[str, Any] = {
    "name": "Cache",
    "kind": "tcp",
    "host": "cache.example",
    "port": 6380,
    "send": SENT,
    "expect": {"body_contains": "PONG"},
}


@pytest.fixture
def target(alice: Person) -> dict[str, Any]:
    return create(alice)


def create(alice: Person, **fields: Any) -> dict[str, Any]:
    reply = alice.post("/v1/targets", {**WITH_SECRET, **fields})
    assert reply.status == 201, reply.text
    return dict(reply.json)


def items_with_secret(alice: Person) -> list[dict[str, Any]]:
    """Return Alice's items in any table that contain the secret."""
    texts = [item for items in stored().values() for item in items]
    return [json.loads(text) for text in texts if "pl4nted" in text and alice.owner in text]


def test_no_response_contains_it(alice: Person, target: dict[str, Any]) -> None:
    assert target["send"] == MASK
    replies = [
        alice.get(path_of(target)),
        alice.get("/v1/targets"),
        alice.patch(path_of(target), {"name": "Renamed"}),
        alice.post(f"{path_of(target)}/pause"),
        alice.post("/v1/targets", {**WITH_SECRET, "port": SENT}),
        alice.post("/v1/targets", {**WITH_SECRET, "host": "127.0.0.1"}),
        alice.post("/v1/targets/batch", {"items": [WITH_SECRET, {**WITH_SECRET, "unknown": 1}]}),
        alice.get("/v1/targets?q=pl4nted"),
        alice.get(f"{path_of(target)}/checks"),
    ]
    assert {reply.status for reply in replies} == {200, 422}
    assert not any("pl4nted" in reply.text for reply in replies)


def test_it_is_stored_only_with_the_secrets_of_the_lane(
    world: World, alice: Person, target: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "chalicelib")
    assert [item["key"]["S"] for item in items_with_secret(alice)] == ["secrets:0000"]
    world.tick()
    assert "pl4nted" not in str(world.queue.waiting)
    world.deliver()
    spec = world.checker.seen[-1]
    assert spec.secrets == {"send": SENT}
    assert "pl4nted" not in repr(spec)
    assert "pl4nted" not in caplog.text


@pytest.mark.parametrize(
    ("fields", "kept"),
    [
        ({"send": MASK}, SENT),
        ({"name": "Renamed", "timeout_s": 5}, SENT),
        ({"host": "CACHE.example.", "send": MASK}, SENT),
        ({"send": "PING\r\n"}, "PING\r\n"),
        ({"host": "new.example", "send": "PING\r\n"}, "PING\r\n"),
        ({"send": None}, None),
    ],
)
def test_masked_secret_is_kept(
    world: World, alice: Person, target: dict[str, Any], fields: dict[str, Any], kept: str | None
) -> None:
    world.clock.time += 1
    reply = alice.patch(path_of(target), {**fields, "interval_s": 30})
    assert reply.status == 200, reply.text
    assert reply.json["send"] == (MASK if kept else None)
    assert used(world) == ({"send": kept} if kept else {})


def test_removed_secret_is_deleted(alice: Person, target: dict[str, Any]) -> None:
    alice.patch(path_of(target), {"send": None})
    assert items_with_secret(alice) == []


@pytest.mark.parametrize("fields", [{"host": "evil.example"}, {"port": 6381}])
def test_it_is_not_sent_to_another_host(
    alice: Person, target: dict[str, Any], fields: dict[str, Any]
) -> None:
    reply = alice.patch(path_of(target), fields)
    assert (reply.status, reply.fields) == (422, ["body.host"])


def test_mask_without_a_stored_secret_is_refused(alice: Person) -> None:
    reply = alice.post("/v1/targets", {**WITH_SECRET, "send": MASK})
    assert (reply.status, reply.fields) == (422, ["body.send"])
    plain = create(alice, send=None)
    reply = alice.patch(path_of(plain), {"send": MASK})
    assert (reply.status, reply.fields) == (422, ["body.send"])


def test_length_as_json_is_limited(alice: Person) -> None:
    reply = alice.post("/v1/targets", {**WITH_SECRET, "send": "\U0001f600" * 400})
    assert (reply.status, reply.fields) == (422, ["body.send"])
    assert alice.post("/v1/targets", {**WITH_SECRET, "send": "\n" * 1000}).status == 201
