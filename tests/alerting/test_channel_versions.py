"""Idempotent creation and conditional changes of channels."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.support.stages import stored
from tests.support.world import Person, Reply

pytestmark = pytest.mark.shared_stage

HOOK = {"name": "On call", "kind": "webhook", "url": "https://example.com/hook"}
TEAM = {"name": "Team", "kind": "apprise", "url": "ntfy://topic", "events": ["up", "down"]}


def create(person: Person, body: dict[str, Any] = HOOK, **headers: str) -> Reply:
    reply = person.post("/v1/channels", body, **headers)
    assert reply.status == 201, reply.text
    return reply


def test_same_key_and_body_create_one_channel(alice: Person) -> None:
    first, again = (create(alice, Idempotency_Key="k") for _ in range(2))
    assert again.json == first.json
    assert again.headers["etag"] == first.headers["etag"]
    with ThreadPoolExecutor(4) as pool:
        created = list(pool.map(lambda _: create(alice, TEAM, Idempotency_Key="t").json, range(8)))
    assert len({one["id"] for one in created}) == 1
    assert len(alice.get("/v1/channels").json["items"]) == 2


def test_same_key_with_another_body_is_a_conflict(alice: Person) -> None:
    create(alice, Idempotency_Key="k")
    before = stored()
    assert alice.post("/v1/channels", TEAM, Idempotency_Key="k").status == 409
    assert stored() == before


def test_repeated_creation_sends_one_confirmation_email(alice: Person) -> None:
    mail = {"name": "Mail", "kind": "email", "address": "ops@shop.example"}
    before = len(alice.world.mailer.sent)
    for _ in range(2):
        create(alice, mail, Idempotency_Key="k")
    assert len(alice.world.mailer.sent) == before + 1


@pytest.mark.parametrize("etag", ['"7"', "nonsense", "", 'W/"1"', '"1'])
def test_if_match_with_another_version_changes_and_deletes_nothing(
    alice: Person, etag: str
) -> None:
    path = f"/v1/channels/{create(alice).json['id']}"
    before = stored()
    assert alice.patch(path, {"name": "New"}, If_Match=etag).status == 412
    assert alice.delete(path, If_Match=etag).status == 412
    assert stored() == before


def test_only_the_first_change_of_a_version_is_applied(alice: Person) -> None:
    created = create(alice)
    path, etag = f"/v1/channels/{created.json['id']}", created.headers["etag"]
    assert alice.get(path).headers["etag"] == etag
    first = alice.patch(path, {"name": "First"}, If_Match=f'"9", {etag}')
    assert first.status == 200
    assert alice.patch(path, {"name": "Second"}, If_Match=etag).status == 412
    assert alice.get(path).json["name"] == "First"
    assert first.headers["etag"] != etag
    assert alice.delete(path, If_Match=first.headers["etag"]).status == 204
    assert alice.delete(path, If_Match="*").status == 404


@pytest.mark.parametrize("body", [HOOK, TEAM])
def test_change_to_the_same_values_keeps_the_version(alice: Person, body: dict[str, Any]) -> None:
    created = create(alice, body)
    before = stored()
    again = alice.patch(f"/v1/channels/{created.json['id']}", body)
    assert again.headers["etag"] == created.headers["etag"]
    assert stored() == before
