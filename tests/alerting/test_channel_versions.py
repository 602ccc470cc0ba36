"""Channels are made once by their Idempotency-Key and changed only as they were seen."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.support.stages import stored
from tests.support.world import Person, Reply

pytestmark = pytest.mark.shared_stage

HOOK = {"name": "On call", "kind": "webhook", "url": "https://example.com/hook"}
TEAM = {"name": "Team", "kind": "apprise", "url": "ntfy://topic", "events": ["up", "down"]}


def make(person: Person, body: dict[str, Any] = HOOK, **headers: str) -> Reply:
    reply = person.post("/v1/channels", body, **headers)
    assert reply.status == 201, reply.text
    return reply


def test_the_same_key_and_body_make_one_channel(alice: Person) -> None:
    first, again = (make(alice, Idempotency_Key="k") for _ in range(2))
    assert again.json == first.json
    assert again.headers["etag"] == first.headers["etag"]
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda _: make(alice, TEAM, Idempotency_Key="t").json, range(8)))
    assert len({one["id"] for one in made}) == 1
    assert len(alice.get("/v1/channels").json["items"]) == 2


def test_the_same_key_with_another_body_is_a_conflict(alice: Person) -> None:
    make(alice, Idempotency_Key="k")
    before = stored()
    assert alice.post("/v1/channels", TEAM, Idempotency_Key="k").status == 409
    assert stored() == before


def test_an_address_that_is_asked_for_again_is_mailed_to_once(alice: Person) -> None:
    mail = {"name": "Mail", "kind": "email", "address": "ops@shop.example"}
    before = len(alice.world.mailer.sent)
    for _ in range(2):
        make(alice, mail, Idempotency_Key="k")
    assert len(alice.world.mailer.sent) == before + 1


@pytest.mark.parametrize("etag", ['"7"', "nonsense", "", 'W/"1"', '"1'])
def test_a_version_that_was_not_seen_is_neither_changed_nor_deleted(
    alice: Person, etag: str
) -> None:
    path = f"/v1/channels/{make(alice).json['id']}"
    before = stored()
    assert alice.patch(path, {"name": "New"}, If_Match=etag).status == 412
    assert alice.delete(path, If_Match=etag).status == 412
    assert stored() == before


def test_of_two_changes_to_one_version_one_is_made(alice: Person) -> None:
    made = make(alice)
    path, etag = f"/v1/channels/{made.json['id']}", made.headers["etag"]
    assert alice.get(path).headers["etag"] == etag
    first = alice.patch(path, {"name": "First"}, If_Match=f'"9", {etag}')
    assert first.status == 200
    assert alice.patch(path, {"name": "Second"}, If_Match=etag).status == 412
    assert alice.get(path).json["name"] == "First"
    assert first.headers["etag"] != etag
    assert alice.delete(path, If_Match=first.headers["etag"]).status == 204
    assert alice.delete(path, If_Match="*").status == 404


@pytest.mark.parametrize("body", [HOOK, TEAM])
def test_a_change_that_changes_nothing_keeps_the_version(
    alice: Person, body: dict[str, Any]
) -> None:
    made = make(alice, body)
    before = stored()
    again = alice.patch(f"/v1/channels/{made.json['id']}", body)
    assert again.headers["etag"] == made.headers["etag"]
    assert stored() == before
