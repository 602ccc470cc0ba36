"""The audit log: who changed what, kept for 90 days, written together with the change."""

import pytest

from chalicelib.access import audit
from tests.support.world import Person, World

pytestmark = pytest.mark.shared_stage

HOOK = {"name": "Hook", "kind": "webhook", "url": "https://hooks.example/"}


def actions(person: Person) -> list[str]:
    return [item["action"] for item in person.get("/v1/audit").json["items"]]


def test_changes_are_listed_newest_first_with_author_and_fields(
    world: World, alice: Person
) -> None:
    target = alice.make_target(name="Shop", headers={"X": "planted"})
    path = f"/v1/targets/{target['id']}"
    world.clock.time += 5
    alice.patch(path, {"interval_s": 300, "tags": ["prod"], "headers": {"X": "replanted"}})
    alice.post(f"{path}/pause")
    alice.post(f"{path}/pause")
    alice.delete(path)
    reply = alice.get("/v1/audit")
    assert [item["action"] for item in reply.json["items"]] == [
        "target.deleted",
        "target.paused",
        "target.changed",
        "target.created",
    ]
    changed = reply.json["items"][2]
    assert changed["fields"] == ["interval_s", "tags", "secrets"]
    assert (changed["thing_id"], changed["thing_name"]) == (target["id"], "Shop")
    assert changed["by"]["user"] == "alice"
    assert changed["by"]["token_name"] == "first token"
    assert changed["at"] == "2026-11-18T11:06:45Z"
    assert changed["request_id"]
    assert "planted" not in reply.text
    assert "replanted" not in reply.text


def test_channels_and_tokens_are_recorded(alice: Person) -> None:
    channel = alice.post("/v1/channels", HOOK).json
    alice.patch(f"/v1/channels/{channel['id']}", {"delay_s": 60})
    alice.post(f"/v1/channels/{channel['id']}/rotate-secret")
    alice.delete(f"/v1/channels/{channel['id']}")
    token = alice.post("/v1/tokens", {"name": "second"}).json
    alice.delete(f"/v1/tokens/{token['id']}")
    assert actions(alice) == [
        "token.revoked",
        "token.created",
        "channel.deleted",
        "channel.secret_rotated",
        "channel.changed",
        "channel.created",
    ]
    assert channel["secret"] not in alice.get("/v1/audit").text


def test_changes_by_admins_are_in_the_users_log(world: World, alice: Person) -> None:
    admin = world.user("root", admin=True)
    admin.patch(f"/v1/users/{alice.owner}", {"limits": {"targets": 7}})
    (record,) = alice.get("/v1/audit").json["items"]
    assert (record["action"], record["fields"]) == ("user.changed", ["limits"])
    assert record["by"]["user"] == "root"


def test_failed_changes_are_not_recorded(alice: Person) -> None:
    target = alice.make_target()
    path = f"/v1/targets/{target['id']}"
    assert alice.delete(path, If_Match='"7"').status == 412
    assert alice.patch(path, {"interval_s": 7}).status == 422
    assert actions(alice) == ["target.created"]


def test_log_has_pages_and_expires_after_90_days(world: World, alice: Person) -> None:
    for _ in range(3):
        alice.make_target()
    first = alice.get("/v1/audit?limit=2").json
    rest = alice.get(f"/v1/audit?limit=2&cursor={first['next_cursor']}").json
    assert [len(first["items"]), len(rest["items"])] == [2, 1]
    world.clock.time += audit.KEPT_S
    assert actions(alice) == []


@pytest.mark.parametrize("method", ["POST", "DELETE", "PATCH"])
def test_log_is_read_only(alice: Person, method: str) -> None:
    assert alice.call(method, "/v1/audit").status == 405
