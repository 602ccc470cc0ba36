"""Header values and userinfo of URLs: they are used but never returned."""

import json
import logging
from typing import Any

import boto3
import pytest

from chalicelib.monitoring.check_job import CheckJob
from chalicelib.worker.check_worker import run_checks
from tests.support.blueprint import PREFIX
from tests.support.stages import stored
from tests.support.world import DOWN, Person, Reply, World

pytestmark = pytest.mark.shared_stage

HEADER, USERINFO, OTHER = "Bearer pl4nted-h3ader", "us3r:pl4nted-p4ss", "pl4nted-0ther"
SECRETS = (HEADER, USERINFO, OTHER, "pl4nted", "us3r")
WITH_SECRETS: dict[str, Any] = {
    "name": "Shop",
    "kind": "http",
    "url": f"https://{USERINFO}@shop.example/health",
    "headers": {"Authorization": HEADER, "X-Key": OTHER},
}
MASKED = {"Authorization": "***", "X-Key": "***"}


@pytest.fixture
def target(alice: Person) -> dict[str, Any]:
    """A target with secrets in its headers and its URL."""
    return alice.make_target(**WITH_SECRETS)


def path_of(target: dict[str, Any]) -> str:
    return f"/v1/targets/{target['id']}"


def leaks(text: object) -> list[str]:
    return [secret for secret in SECRETS if secret in str(text)]


def used(world: World) -> dict[str, Any]:
    """Let the worker check and return the secrets given to its last check."""
    world.checker.seen.clear()
    world.clock.time += 1
    world.deliver()
    return dict(world.checker.seen[-1].secrets)


def responses(alice: Person, target: dict[str, Any]) -> list[Reply]:
    """Make every request whose response could contain the target's secrets."""
    path = path_of(target)
    return [
        alice.post("/v1/targets", WITH_SECRETS, Idempotency_Key=target["id"]),
        alice.post("/v1/targets", WITH_SECRETS, Idempotency_Key=target["id"]),
        alice.post("/v1/targets", {**WITH_SECRETS, "name": "X"}, Idempotency_Key=target["id"]),
        alice.post(
            "/v1/targets/batch", {"items": [WITH_SECRETS, {**WITH_SECRETS, "unknown": HEADER}]}
        ),
        alice.post("/v1/targets", {**WITH_SECRETS, "interval_s": HEADER}),
        alice.post("/v1/targets", {**WITH_SECRETS, "headers": {"Connection": HEADER}}),
        alice.post("/v1/targets", {**WITH_SECRETS, "url": f"ftp://{USERINFO}@shop.example/"}),
        alice.post("/v1/targets", {**WITH_SECRETS, "url": f"http://{USERINFO}@127.0.0.1/"}),
        alice.post("/v1/targets", {**WITH_SECRETS, "url": f"http://{USERINFO}@x@y/"}),
        alice.post("/v1/targets", json.dumps(WITH_SECRETS)[:-1].encode()),
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


def test_no_response_contains_them(alice: Person, target: dict[str, Any]) -> None:
    assert target["headers"] == MASKED
    assert target["url"] == "https://***@shop.example/health"
    for reply in responses(alice, target):
        assert reply.status < 500
        assert leaks(reply.text + json.dumps(reply.headers)) == []


def test_summary_masks_them(world: World, alice: Person) -> None:
    down = alice.make_target(**WITH_SECRETS, failure_threshold=1)
    world.checker.script[down["id"]] = DOWN
    world.deliver()
    listed = alice.get("/v1/summary").json["down"]
    assert [item["headers"] for item in listed] == [MASKED]
    assert leaks(listed) == []


def test_they_are_stored_only_with_the_secrets_of_the_lane(
    alice: Person, target: dict[str, Any]
) -> None:
    alice.post("/v1/targets", WITH_SECRETS, Idempotency_Key="k")
    kept = stored()
    holding = [json.loads(item) for items in kept.values() for item in items if leaks(item)]
    mine = [item for item in holding if item["owner"]["S"] == alice.owner]
    assert [item["key"]["S"] for item in mine] == ["secrets:0000"]
    assert all(item["key"]["S"].startswith("secrets:") for item in holding)


def test_index_and_messages_do_not_contain_them(
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
        KeyConditionExpression="#slot = :slot",
        ExpressionAttributeNames={"#slot": "slot"},
        ExpressionAttributeValues={":slot": {"S": slot}},
    )
    assert target["id"] in str(indexed)
    assert leaks(indexed) == []


def test_logs_do_not_contain_them(
    world: World,
    alice: Person,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    caplog.set_level(logging.INFO)
    caplog.set_level(logging.DEBUG, "chalicelib")
    responses(alice, alice.make_target(**WITH_SECRETS))
    world.deliver()

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("the store is gone")

    with monkeypatch.context() as patch:
        patch.setattr(
            "chalicelib.monitoring.storage.target_repository.TransactWrite.__exit__", fail
        )
        assert alice.post("/v1/targets", WITH_SECRETS).status == 500
    assert "request failed" in caplog.text
    assert leaks(caplog.text) == []
    assert leaks([record.__dict__ for record in caplog.records]) == []


def test_representations_hide_them(world: World, target: dict[str, Any]) -> None:
    world.deliver()
    spec = world.checker.seen[-1]
    assert spec.secrets["userinfo"] == USERINFO
    assert leaks(repr(spec)) == []


@pytest.mark.parametrize("q", ["pl4nted", "us3r", "Bearer", "***", "Authorization"])
def test_search_does_not_match_them(alice: Person, target: dict[str, Any], q: str) -> None:
    assert alice.get(f"/v1/targets?q={q}").json["items"] == []


def test_the_check_uses_them(world: World, target: dict[str, Any]) -> None:
    assert used(world) == {"headers": WITH_SECRETS["headers"], "userinfo": USERINFO}


@pytest.mark.parametrize(
    ("fields", "headers", "userinfo"),
    [
        ({"headers": MASKED}, WITH_SECRETS["headers"], USERINFO),
        ({"url": "https://***@shop.example/other"}, WITH_SECRETS["headers"], USERINFO),
        ({"name": "Renamed", "timeout_s": 5}, WITH_SECRETS["headers"], USERINFO),
        (
            {"headers": {"Authorization": "***", "X-Key": "new", "B": "2"}},
            {"Authorization": HEADER, "X-Key": "new", "B": "2"},
            USERINFO,
        ),
        ({"headers": {"X-Key": "***"}}, {"X-Key": OTHER}, USERINFO),
        ({"headers": {}}, {}, USERINFO),
        ({"headers": None}, {}, USERINFO),
        ({"url": "https://shop.example/"}, WITH_SECRETS["headers"], None),
        ({"url": "https://n3w:p4ss@shop.example/"}, WITH_SECRETS["headers"], "n3w:p4ss"),
    ],
)
def test_masked_secrets_are_kept_and_others_replaced(
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


@pytest.mark.parametrize("host", ["evil.example", None])
def test_another_host_header_does_not_get_stored_secrets(
    world: World, alice: Person, host: str | None
) -> None:
    """Many hosts are behind the address of a load balancer, and not all are the owner's."""
    headers = {"Host": "shop.example", "X-Key": OTHER}
    target = alice.make_target(headers=headers)
    changed = {"X-Key": "***", **({"host": host} if host else {})}

    reply = alice.patch(path_of(target), {"headers": changed})

    assert (reply.status, reply.fields) == (422, ["body.headers.Host"])
    assert used(world)["headers"] == headers
    for kept in ("***", "shop.example"):
        reply = alice.patch(path_of(target), {"headers": {"X-Key": "***", "Host": kept}})
        assert reply.status == 200, reply.text
    sent_again = {"X-Key": "another-key", **({"Host": host} if host else {})}
    assert alice.patch(path_of(target), {"headers": sent_again}).status == 200


def test_removed_secrets_are_deleted(world: World, alice: Person, target: dict[str, Any]) -> None:
    alice.patch(path_of(target), {"headers": None, "url": "https://shop.example/"})
    assert [item for item in stored("lanes")["lanes"] if alice.owner in item and leaks(item)] == []
    assert leaks(used(world)) == []


@pytest.mark.parametrize("name", ["X-New", "x-key"])
def test_mask_without_a_stored_secret_is_refused(
    alice: Person, target: dict[str, Any], name: str
) -> None:
    before = stored()
    reply = alice.patch(path_of(target), {"headers": {name: "***"}})
    assert (reply.status, reply.fields) == (422, [f"body.headers.{name}"])
    assert stored() == before


def test_mask_without_stored_userinfo_is_refused(alice: Person) -> None:
    plain = alice.make_target()
    reply = alice.patch(path_of(plain), {"url": "https://***@shop.example/"})
    assert (reply.status, reply.fields) == (422, ["body.url"])


def test_secrets_of_a_deleted_target_are_deleted(alice: Person, target: dict[str, Any]) -> None:
    alice.delete(path_of(target))
    assert [item for item in stored("lanes")["lanes"] if alice.owner in item and leaks(item)] == []


def test_job_gets_only_the_secrets_of_its_own_lane(
    world: World, alice: Person, mallory: Person, target: dict[str, Any]
) -> None:
    """Mallory's lane has the same number as Alice's; its job must not get her secrets."""
    mallory.make_target(headers={"X": "mallorys"})
    jobs = [CheckJob.from_json(body) for _, body in world.queue.waiting]
    assert {job.owner for job in jobs} == {alice.owner, mallory.owner}
    run_checks(world.runtime, jobs)
    seen = {str(spec.secrets) for spec in world.checker.seen}
    assert len(seen) == 2
    assert sum("mallorys" in secrets for secrets in seen) == 1
    assert sum(bool(leaks(secrets)) for secrets in seen) == 1


def test_stored_secrets_are_not_sent_to_another_host(alice: Person) -> None:
    created = alice.make_target(headers={"X-Key": "planted"})
    path = f"/v1/targets/{created['id']}"
    for url in ("https://evil.example/", "http://shop.example/", "https://shop.example:444/"):
        reply = alice.patch(path, {"url": url})
        assert (reply.status, reply.fields) == (422, ["body.url"])
    assert alice.patch(path, {"url": "https://shop.example/other"}).status == 200
    moved = alice.patch(path, {"url": "https://new.example/", "headers": {"X-Key": "another"}})
    assert moved.status == 200
