"""Header values and userinfo: they go in, are used, and never come out."""

import json
import logging
from typing import Any

import boto3
import pytest

from chalicelib.monitoring.check_job import CheckJob
from chalicelib.worker.check_worker import run_checks
from tests.support.blueprint import PREFIX
from tests.support.stages import stored
from tests.support.world import Person, Reply, World

pytestmark = pytest.mark.shared_stage

HEADER, USERINFO, OTHER = "Bearer pl4nted-h3ader", "us3r:pl4nted-p4ss", "pl4nted-0ther"
SECRETS = (HEADER, USERINFO, OTHER, "pl4nted", "us3r")
GUARDED: dict[str, Any] = {
    "name": "Shop",
    "kind": "http",
    "url": f"https://{USERINFO}@shop.example/health",
    "headers": {"Authorization": HEADER, "X-Key": OTHER},
}
MASKED = {"Authorization": "***", "X-Key": "***"}


@pytest.fixture
def target(alice: Person) -> dict[str, Any]:
    """A target with secrets in its headers and its URL."""
    return alice.make_target(**GUARDED)


def path_of(target: dict[str, Any]) -> str:
    return f"/v1/targets/{target['id']}"


def leaks(text: object) -> list[str]:
    return [secret for secret in SECRETS if secret in str(text)]


def used(world: World) -> dict[str, Any]:
    """The secrets that the worker's last check is given."""
    world.checker.seen.clear()
    world.deliver()
    return dict(world.checker.seen[-1].secrets)


def answers(alice: Person, target: dict[str, Any]) -> list[Reply]:
    """Every answer that shows the target."""
    path = path_of(target)
    return [
        alice.post("/v1/targets", GUARDED, Idempotency_Key=target["id"]),
        alice.post("/v1/targets", GUARDED, Idempotency_Key=target["id"]),
        alice.post("/v1/targets", {**GUARDED, "name": "X"}, Idempotency_Key=target["id"]),
        alice.post("/v1/targets/batch", {"items": [GUARDED, {**GUARDED, "unknown": HEADER}]}),
        alice.post("/v1/targets", {**GUARDED, "interval_s": HEADER}),
        alice.post("/v1/targets", {**GUARDED, "headers": {"Connection": HEADER}}),
        alice.post("/v1/targets", {**GUARDED, "url": f"ftp://{USERINFO}@shop.example/"}),
        alice.post("/v1/targets", {**GUARDED, "url": f"http://{USERINFO}@127.0.0.1/"}),
        alice.post("/v1/targets", {**GUARDED, "url": f"http://{USERINFO}@x@y/"}),
        alice.post("/v1/targets", json.dumps(GUARDED)[:-1].encode()),
        alice.get(path),
        alice.patch(path, {"name": "Renamed"}),
        alice.get("/v1/targets"),
        alice.get("/v1/targets?q=shop"),
        alice.post(f"{path}/pause"),
        alice.post(f"{path}/resume"),
        alice.get("/v1/summary"),
        alice.get(f"{path}/checks"),
        alice.delete(path),
    ]


def test_no_answer_shows_them(alice: Person, target: dict[str, Any]) -> None:
    assert target["headers"] == MASKED
    assert target["url"] == "https://***@shop.example/health"
    for reply in answers(alice, target):
        assert reply.status < 500
        assert leaks(reply.text + json.dumps(reply.headers)) == []


def test_what_is_down_is_shown_without_them(world: World, alice: Person) -> None:
    from tests.support.world import DOWN  # noqa: PLC0415 - its one use

    down = alice.make_target(**GUARDED, failure_threshold=1)
    world.checker.script[down["id"]] = DOWN
    world.deliver()
    shown = alice.get("/v1/summary").json["down"]
    assert [item["headers"] for item in shown] == [MASKED]
    assert leaks(shown) == []


def test_they_are_stored_in_the_lanes_secrets_and_nowhere_else(
    alice: Person, target: dict[str, Any]
) -> None:
    alice.post("/v1/targets", GUARDED, Idempotency_Key="k")
    kept = stored()
    holding = [json.loads(item) for items in kept.values() for item in items if leaks(item)]
    mine = [item for item in holding if item["owner"]["S"] == alice.owner]
    assert [item["key"]["S"] for item in mine] == ["secrets:0000"]
    assert all(item["key"]["S"].startswith("secrets:") for item in holding)


def test_the_index_and_the_messages_do_not_hold_them(
    world: World, alice: Person, target: dict[str, Any]
) -> None:
    world.tick()
    assert any(target["id"] in body for _, body in world.queue.waiting)
    assert leaks(world.queue.waiting) == []
    items = map(json.loads, stored("targets")["targets"])
    slot = next(item["slot"]["S"] for item in items if item["target_id"]["S"] == target["id"])
    indexed = boto3.client("dynamodb").query(
        TableName=f"{PREFIX}targets",
        IndexName="due",
        KeyConditionExpression="slot = :slot",
        ExpressionAttributeValues={":slot": {"S": slot}},
    )
    assert target["id"] in str(indexed)
    assert leaks(indexed) == []


def test_no_log_record_holds_them(
    world: World,
    alice: Person,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    caplog.set_level(logging.INFO)
    caplog.set_level(logging.DEBUG, "chalicelib")
    answers(alice, alice.make_target(**GUARDED))
    world.deliver()

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("the store is gone")

    with monkeypatch.context() as patch:
        patch.setattr(
            "chalicelib.monitoring.storage.target_repository.TransactWrite.__exit__", fail
        )
        assert alice.post("/v1/targets", GUARDED).status == 500
    assert "request failed" in caplog.text
    assert leaks(caplog.text) == []
    assert leaks([record.__dict__ for record in caplog.records]) == []


def test_representations_hide_them(world: World, target: dict[str, Any]) -> None:
    world.deliver()
    spec = world.checker.seen[-1]
    assert spec.secrets["userinfo"] == USERINFO
    assert leaks(repr(spec)) == []


@pytest.mark.parametrize("q", ["pl4nted", "us3r", "Bearer", "***", "Authorization"])
def test_they_cannot_be_searched_for(alice: Person, target: dict[str, Any], q: str) -> None:
    assert alice.get(f"/v1/targets?q={q}").json["items"] == []


def test_the_check_uses_them(world: World, target: dict[str, Any]) -> None:
    assert used(world) == {"headers": GUARDED["headers"], "userinfo": USERINFO}


@pytest.mark.parametrize(
    ("fields", "headers", "userinfo"),
    [
        ({"headers": MASKED}, GUARDED["headers"], USERINFO),
        ({"url": "https://***@shop.example/other"}, GUARDED["headers"], USERINFO),
        ({"name": "Renamed", "timeout_s": 5}, GUARDED["headers"], USERINFO),
        (
            {"headers": {"Authorization": "***", "X-Key": "new", "B": "2"}},
            {"Authorization": HEADER, "X-Key": "new", "B": "2"},
            USERINFO,
        ),
        ({"headers": {"X-Key": "***"}}, {"X-Key": OTHER}, USERINFO),
        ({"headers": {}}, {}, USERINFO),
        ({"headers": None}, {}, USERINFO),
        ({"url": "https://shop.example/"}, GUARDED["headers"], None),
        ({"url": "https://n3w:p4ss@shop.example/"}, GUARDED["headers"], "n3w:p4ss"),
    ],
)
def test_what_is_masked_stays_and_the_rest_is_replaced(
    world: World,
    alice: Person,
    target: dict[str, Any],
    fields: dict[str, Any],
    headers: dict[str, str],
    userinfo: str | None,
) -> None:
    world.clock.time += 1
    reply = alice.patch(path_of(target), {**fields, "interval_s": 30})
    assert reply.status == 200, reply.text
    assert reply.json["headers"] == dict.fromkeys(headers, "***")
    assert ("***@" in reply.json["url"]) == (userinfo is not None)
    kept = {"headers": headers, "userinfo": userinfo}
    assert used(world) == {name: value for name, value in kept.items() if value}


def test_the_last_secret_removed_leaves_none(
    world: World, alice: Person, target: dict[str, Any]
) -> None:
    alice.patch(path_of(target), {"headers": None, "url": "https://shop.example/"})
    assert [item for item in stored("lanes")["lanes"] if alice.owner in item and leaks(item)] == []
    assert leaks(used(world)) == []


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"headers": {"X-New": "***"}}, "body.headers.X-New"),
        ({"headers": {"x-key": "***"}}, "body.headers.x-key"),
    ],
)
def test_a_mask_that_stands_for_nothing_is_refused(
    alice: Person, target: dict[str, Any], fields: dict[str, Any], field: str
) -> None:
    before = stored()
    reply = alice.patch(path_of(target), fields)
    assert (reply.status, reply.fields) == (422, [field])
    assert stored() == before


def test_a_mask_of_userinfo_that_there_never_was_is_refused(alice: Person) -> None:
    plain = alice.make_target()
    reply = alice.patch(path_of(plain), {"url": "https://***@shop.example/"})
    assert (reply.status, reply.fields) == (422, ["body.url"])


def test_who_gets_the_place_of_a_deleted_target_gets_no_secret_of_it(
    world: World, alice: Person, target: dict[str, Any]
) -> None:
    alice.delete(path_of(target))
    assert [item for item in stored("lanes")["lanes"] if alice.owner in item and leaks(item)] == []


def test_a_message_that_claims_secrets_gets_those_of_its_own_place_only(
    world: World, alice: Person, mallory: Person, target: dict[str, Any]
) -> None:
    """Mallory's lane has the number of Alice's; a job for it must not see hers."""
    mallory.make_target(headers={"X": "mallorys"})
    jobs = [CheckJob.from_json(body) for _, body in world.queue.waiting]
    assert {job.owner for job in jobs} == {alice.owner, mallory.owner}
    run_checks(world.runtime, jobs)
    seen = {str(spec.secrets) for spec in world.checker.seen}
    assert len(seen) == 2
    assert sum("mallorys" in secrets for secrets in seen) == 1
    assert sum(bool(leaks(secrets)) for secrets in seen) == 1


def test_stored_secrets_do_not_follow_the_target_to_another_host(alice: Person) -> None:
    made = alice.make_target(headers={"X-Key": "planted"})
    path = f"/v1/targets/{made['id']}"
    for url in ("https://evil.example/", "http://shop.example/", "https://shop.example:444/"):
        reply = alice.patch(path, {"url": url})
        assert (reply.status, reply.fields) == (422, ["body.url"])
    assert alice.patch(path, {"url": "https://shop.example/other"}).status == 200
    moved = alice.patch(path, {"url": "https://new.example/", "headers": {"X-Key": "another"}})
    assert moved.status == 200
