"""Creating, showing and deleting targets."""

import pytest

from tests.support.world import Person, World

pytestmark = pytest.mark.shared_stage

SHOP = {"name": "Shop", "kind": "http", "url": "https://shop.example/health"}


def test_created_target_is_returned(alice: Person) -> None:
    reply = alice.post("/v1/targets", SHOP)
    assert reply.status == 201
    target = reply.json
    assert reply.headers["location"] == f"targets/{target['id']}"
    assert reply.headers["etag"] == '"1"'
    assert reply.headers["content-type"] == "application/json"
    assert reply.headers["cache-control"] == "no-store"
    assert target == {
        **SHOP,
        "id": target["id"],
        "method": "GET",
        "headers": {},
        "body": None,
        "interval_s": 60,
        "timeout_s": 10,
        "follow_redirects": True,
        "verify_tls": True,
        "max_body_bytes": None,
        "expect": {
            "status_codes": ["200-299"],
            "body_contains": None,
            "body_not_contains": None,
            "body_matches": None,
            "json": [],
            "headers": {},
            "max_response_ms": None,
            "tls_days_left": None,
        },
        "failure_threshold": 2,
        "recovery_threshold": 1,
        "tags": [],
        "channel_ids": [],
        "enabled": True,
        "created_at": "2026-11-18T11:06:40Z",
        "updated_at": "2026-11-18T11:06:40Z",
        "state": {
            "status": "PENDING",
            "since": "2026-11-18T11:06:40Z",
            "last_checked_at": None,
            "response_ms": None,
            "consecutive_failures": 0,
            "open_incident_id": None,
            "in_maintenance": False,
            "stale": False,
        },
    }


def test_every_field_is_returned_as_given(alice: Person) -> None:
    given = {
        **SHOP,
        "name": "Käse & Brot ☕",
        "url": "http://shop.example:8080/päth?q=1#part",
        "method": "POST",
        "body": '{"a": "ü"}',
        "interval_s": 10,
        "timeout_s": 9,
        "follow_redirects": False,
        "verify_tls": False,
        "expect": {
            "status_codes": ["200-299", 301],
            "body_contains": "OK",
            "body_not_contains": "error",
            "body_matches": "^a+$",
            "json": [
                {"path": "$.a", "equals": None},
                {"path": "$.b", "not": {"x": [1, 2.5, "ü"]}},
                {"path": "$.c", "greater": 1.5, "less": 2},
                {"path": "$.e", "exists": False},
                {"path": "$.f", "matches": "[0-9]{3}"},
            ],
            "headers": {"content-type": "text/html"},
            "max_response_ms": 2000,
            "tls_days_left": 14,
        },
        "failure_threshold": 3,
        "recovery_threshold": 4,
        "tags": ["prod", "b"],
        "enabled": False,
    }
    target = alice.make_target(**given)
    assert {name: target[name] for name in given} == given
    assert alice.get(f"/v1/targets/{target['id']}").json == target


def test_target_has_an_etag(alice: Person) -> None:
    target = alice.make_target()
    reply = alice.get(f"/v1/targets/{target['id']}")
    assert (reply.status, reply.headers["etag"]) == (200, '"1"')
    assert reply.json == target


def test_state_after_a_check(world: World, alice: Person) -> None:
    target = alice.make_target()
    world.deliver()
    state = alice.get(f"/v1/targets/{target['id']}").json["state"]
    assert state == {
        "status": "UP",
        "since": "2026-11-18T11:06:40Z",
        "last_checked_at": "2026-11-18T11:06:40Z",
        "response_ms": 50,
        "consecutive_failures": 0,
        "open_incident_id": None,
        "in_maintenance": False,
        "stale": False,
    }


def test_target_created_disabled_is_paused(world: World, alice: Person) -> None:
    target = alice.make_target(enabled=False)
    assert target["state"]["status"] == "PAUSED"
    world.tick()
    assert not any(target["id"] in body for _, body in world.queue.waiting)


def test_deleted_target_is_gone_with_its_history(world: World, alice: Person) -> None:
    target = alice.make_target(headers={"X-Key": "s3cret"})
    path = f"/v1/targets/{target['id']}"
    world.deliver()
    reply = alice.delete(path)
    assert (reply.status, reply.text) == (204, "")
    for call in (alice.get(path), alice.get(f"{path}/checks"), alice.delete(path)):
        assert call.status == 404
    assert alice.get("/v1/targets").json["items"] == []
    assert alice.get("/v1/me").json["limits"]["targets"]["used"] == 0


def test_check_in_progress_does_not_restore_a_deleted_target(world: World, alice: Person) -> None:
    target = alice.make_target()

    def delete() -> None:
        assert alice.delete(f"/v1/targets/{target['id']}").status == 204

    world.checker.before = delete
    assert world.deliver() == []
    assert alice.get("/v1/summary").json["total"] == 0


@pytest.mark.parametrize("given", ['"2"', "1", 'W/"1"', '"1', '"2", "3"'])
def test_delete_with_an_outdated_version_is_refused(alice: Person, given: str) -> None:
    target = alice.make_target()
    path = f"/v1/targets/{target['id']}"
    reply = alice.delete(path, If_Match=given)
    assert reply.status == 412
    assert alice.get(path).status == 200


@pytest.mark.parametrize("given", ['"1"', "*", ' "7" , "1"'])
def test_delete_with_the_current_version(alice: Person, given: str) -> None:
    target = alice.make_target()
    assert alice.delete(f"/v1/targets/{target['id']}", If_Match=given).status == 204


@pytest.mark.parametrize(
    "target_id", ["nonsense", "0190C1DE-0000-7000-8000-000000000000", "..", "%2e%2e", "0" * 36]
)
def test_malformed_id_is_not_found(alice: Person, target_id: str) -> None:
    reply = alice.get(f"/v1/targets/{target_id}")
    assert reply.status == 404
    problem = reply.json
    assert problem.pop("request_id")
    assert problem == {
        "type": "urn:monitum:problem:not-found",
        "title": "Not Found",
        "status": 404,
        "detail": "there is no such target",
        "errors": [],
    }
    assert reply.headers["content-type"] == "application/problem+json"
