"""The API of maintenance windows."""

from typing import Any

import pytest

from chalicelib.api.schemas import render_time
from chalicelib.maintenance import service as maintenance_service
from tests.support.world import START, Person, World

pytestmark = pytest.mark.shared_stage

HOUR = 3_600


def once(start: int = 0, end: int = HOUR) -> dict[str, Any]:
    return {"starts_at": render_time(START + start), "ends_at": render_time(START + end)}


def window(person: Person, **fields: Any) -> dict[str, Any]:
    reply = person.post("/v1/maintenance", {"name": "Upgrade", "tags": ["prod"], **fields})
    assert reply.status == 201, reply.text
    created: dict[str, Any] = reply.json
    return created


def test_create_show_change_and_delete(alice: Person) -> None:
    created = window(alice, **once(600))
    assert created == {
        "id": created["id"],
        "name": "Upgrade",
        "mode": "mute",
        "counts_in_uptime": False,
        "target_ids": [],
        "tags": ["prod"],
        **once(600),
        "cron": None,
        "timezone": None,
        "duration_s": None,
        "active": False,
        "next": once(600),
        "created_at": render_time(START),
        "updated_at": render_time(START),
    }
    path = f"/v1/maintenance/{created['id']}"
    assert alice.get(path).json == created
    assert alice.get("/v1/maintenance").json["items"] == [created]
    alice.world.clock.time += 700
    changed = alice.patch(path, {"mode": "skip", "counts_in_uptime": True})
    assert changed.status == 200
    assert changed.json["mode"] == "skip"
    assert changed.json["active"] is True
    assert changed.json["updated_at"] == render_time(START + 700)
    assert alice.delete(path).status == 204
    assert alice.get(path).status == alice.delete(path).status == 404
    assert alice.get("/v1/maintenance").json["items"] == []


def test_a_window_recurs_in_its_time_zone(alice: Person) -> None:
    # It is 2026-11-18, 11:06:40 UTC.
    created = window(alice, cron="0 3 * * 0", timezone="America/New_York", duration_s=7_200)
    assert created["next"] == {
        "starts_at": "2026-11-22T08:00:00Z",
        "ends_at": "2026-11-22T10:00:00Z",
    }
    daily = window(alice, cron="0 11 * * *", duration_s=HOUR)
    assert (daily["timezone"], daily["active"]) == ("UTC", True)


def test_a_single_window_becomes_recurring_and_back(alice: Person) -> None:
    path = f"/v1/maintenance/{window(alice, **once())['id']}"
    recurring = {"starts_at": None, "ends_at": None, "cron": "0 3 * * *", "duration_s": HOUR}
    assert alice.patch(path, recurring).json["cron"] == "0 3 * * *"
    single = {"cron": None, "timezone": None, "duration_s": None, **once(60)}
    assert alice.patch(path, single).json["starts_at"] == once(60)["starts_at"]
    assert alice.patch(path, {"cron": "0 3 * * *"}).fields == ["body.cron"]


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({**once(), "tags": []}, ["body.target_ids"]),
        ({**once(), "target_ids": ["x"]}, ["body.target_ids.0"]),
        ({}, ["body.cron", "body.duration_s"]),
        ({"starts_at": render_time(START)}, ["body.ends_at"]),
        ({"ends_at": render_time(START + 9)}, ["body.starts_at"]),
        ({"cron": "0 3 * * *"}, ["body.duration_s"]),
        ({"duration_s": 60}, ["body.cron"]),
        ({**once(), "cron": "0 3 * * *", "duration_s": 60}, ["body.cron", "body.duration_s"]),
        ({**once(), "timezone": "UTC"}, ["body.timezone"]),
        (once(HOUR, HOUR), ["body.ends_at"]),
        (once(-HOUR, -1), ["body.ends_at"]),
        (once(0, 91 * 86_400), ["body.ends_at"]),
        (once(800 * 86_400, 801 * 86_400), ["body.starts_at"]),
        ({**once(), "starts_at": "2026-11-22T06:40:04"}, ["body.starts_at"]),
        ({**once(), "mode": "off"}, ["body.mode"]),
        ({**once(), "counts_in_uptime": "no"}, ["body.counts_in_uptime"]),
        ({**once(), "name": ""}, ["body.name"]),
        ({**once(), "colour": "red"}, ["body.colour"]),
        ({"cron": "61 3 * * *", "duration_s": 60}, ["body.cron"]),
        ({"cron": "*/30 * * * *", "duration_s": 60}, ["body.cron"]),
        ({"cron": "0 3 * * *", "duration_s": 59}, ["body.duration_s"]),
        ({"cron": "0 3 * * *", "duration_s": 604_801}, ["body.duration_s"]),
        ({"cron": "0 3 * * *", "duration_s": 60, "timezone": "Moon"}, ["body.timezone"]),
    ],
)
def test_invalid_windows_are_rejected_with_the_field(
    alice: Person, body: dict[str, Any], fields: list[str]
) -> None:
    reply = alice.post("/v1/maintenance", {"name": "Upgrade", "tags": ["prod"], **body})
    assert (reply.status, reply.fields) == (422, fields)


def test_windows_and_targets_of_other_owners_are_hidden(alice: Person, mallory: Person) -> None:
    target, path = alice.make_target(), f"/v1/maintenance/{window(alice, **once())['id']}"
    for reply in (mallory.get(path), mallory.patch(path, {"name": "n"}), mallory.delete(path)):
        assert reply.status == 404
    assert mallory.get("/v1/maintenance").json["items"] == []
    body = {"name": "n", "target_ids": [target["id"]], **once()}
    assert mallory.post("/v1/maintenance", body).fields == ["body.target_ids.0"]
    assert alice.post("/v1/maintenance", body).status == 201
    # Another owner's window for the same tag does not cover alice's targets.
    window(mallory, tags=["theirs"], **once())
    tagged = alice.make_target(tags=["theirs"])
    assert tagged["state"]["in_maintenance"] is False


def test_if_match_rejects_outdated_versions(alice: Person) -> None:
    reply = alice.post("/v1/maintenance", {"name": "Upgrade", "tags": ["prod"], **once()})
    path, etag = f"/v1/maintenance/{reply.json['id']}", reply.headers["etag"]
    assert alice.patch(path, {"name": "New"}, If_Match=etag).status == 200
    assert alice.patch(path, {"name": "Newer"}, If_Match=etag).status == 412
    assert alice.delete(path, If_Match=etag).status == 412
    assert alice.delete(path, If_Match=alice.get(path).headers["etag"]).status == 204


def test_a_window_can_be_changed_after_a_target_was_deleted(alice: Person) -> None:
    target = alice.make_target()
    created = window(alice, target_ids=[target["id"]], **once())
    alice.delete(f"/v1/targets/{target['id']}")
    assert alice.patch(f"/v1/maintenance/{created['id']}", {"name": "New"}).status == 200


def test_the_limit_ignores_windows_that_are_over(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert maintenance_service.MAX_WINDOWS == 100
    monkeypatch.setattr(maintenance_service, "MAX_WINDOWS", 7)
    alice = world.user()
    for _ in range(7):
        window(alice, **once())
    body = {"name": "n", "tags": ["prod"]}
    assert alice.post("/v1/maintenance", {**body, **once()}).status == 409
    world.clock.time += HOUR
    window(alice, **once(HOUR, 2 * HOUR))
    # A few of the windows that ended over a month ago are deleted at a time.
    world.clock.time += 31 * 86_400
    before = len(windows_of(alice))
    window(alice, cron="0 3 * * *", duration_s=HOUR)
    assert len(windows_of(alice)) == before - 4


def windows_of(person: Person) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = person.get("/v1/maintenance?limit=200").json["items"]
    return found


def test_targets_show_that_they_are_in_maintenance(world: World) -> None:
    alice = world.user()
    named, tagged, other = (
        alice.make_target(),
        alice.make_target(tags=["prod", "x"]),
        alice.make_target(tags=["x"]),
    )
    window(alice, target_ids=[named["id"]], **once(60, 120))

    def in_maintenance() -> dict[str, bool]:
        items = alice.get("/v1/targets").json["items"]
        return {item["id"]: item["state"]["in_maintenance"] for item in items}

    assert in_maintenance() == {named["id"]: False, tagged["id"]: False, other["id"]: False}
    world.clock.time += 60
    assert in_maintenance() == {named["id"]: True, tagged["id"]: True, other["id"]: False}
    assert alice.get(f"/v1/targets/{named['id']}").json["state"]["in_maintenance"] is True
    world.clock.time += 60
    assert not any(in_maintenance().values())
