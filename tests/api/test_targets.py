"""Targets through the API: create, list, show, change, pause, resume, delete."""

from world import World


def test_a_new_target_is_answered_whole(world: World) -> None:
    alice = world.user()
    reply = alice.post(
        "/v1/targets", {"name": "Shop", "kind": "http", "url": "https://shop.example/health"}
    )
    assert reply.status == 201
    target = reply.json
    assert reply.headers["location"].endswith(f"/v1/targets/{target['id']}")
    assert reply.headers["etag"] == '"1"'
    assert target["state"] == {
        "status": "PENDING",
        "since": "2026-11-18T11:06:40Z",
        "last_checked_at": None,
        "response_ms": None,
        "consecutive_failures": 0,
        "open_incident_id": None,
    }
