"""Tokens: shown once, revoked immediately, with no more scopes than their creator."""

from typing import Any

import pytest

from tests.support.stages import stored
from tests.support.world import Person, World

pytestmark = pytest.mark.shared_stage


def using(person: Person, token: str) -> Person:
    return Person(person.world, person.owner, token)


def create_token(person: Person, **fields: Any) -> dict[str, Any]:
    reply = person.post("/v1/tokens", {"name": "ci", **fields})
    assert reply.status == 201, reply.text
    created: dict[str, Any] = reply.json
    return created


def test_a_new_token_is_shown_once_and_works(alice: Person) -> None:
    created = create_token(
        alice, name="laptop", scopes=["read"], expires_at="2026-12-01T00:00:00+01:00"
    )
    token = created.pop("token")
    assert created == {
        "id": created["id"],
        "name": "laptop",
        "hint": f"mon_…{token[-6:]}",
        "scopes": ["read"],
        "created_at": "2026-11-18T11:06:40Z",
        "expires_at": "2026-11-30T23:00:00Z",
        "last_used_at": None,
    }
    me = using(alice, token).get("/v1/me").json
    assert me["token"] == {"id": created["id"], "name": "laptop", "scopes": ["read"]}
    listed = alice.get("/v1/tokens").json
    assert listed["next_cursor"] is None
    assert {**created, "last_used_at": "2026-11-18T11:06:40Z"} in listed["items"]
    assert token not in str(listed)


def test_last_use_is_accurate_to_the_hour(alice: Person, dynamodb_calls: list[str]) -> None:
    def used() -> str:
        return str(alice.get("/v1/tokens").json["items"][0]["last_used_at"])

    assert used() == "2026-11-18T11:06:40Z"
    alice.world.clock.time += 3_599
    dynamodb_calls.clear()
    assert used() == "2026-11-18T11:06:40Z"
    assert dynamodb_calls.count("UpdateItem") == 1, "the one that counts the request"
    alice.world.clock.time += 1
    assert used() == "2026-11-18T12:06:40Z"


def test_only_a_hash_is_stored(alice: Person) -> None:
    token = create_token(alice)["token"]
    kept = str(stored())
    for known in (token, alice.token):
        assert known not in kept
        assert known[20:60] not in kept


def test_tokens_are_listed_oldest_first(world: World, alice: Person) -> None:
    for name in ("b", "a"):
        world.clock.time = max(world.clock.time, 1.9e9) + 1
        create_token(alice, name=name)
    assert [token["name"] for token in alice.get("/v1/tokens").json["items"]] == [
        "first token",
        "b",
        "a",
    ]


def test_every_token_is_on_one_page(alice: Person) -> None:
    for number in range(4):
        create_token(alice, name=f"{number}")
    whole = alice.get("/v1/tokens").json["items"]
    found, query = [], "limit=2"
    for _ in range(len(whole)):
        page = alice.get(f"/v1/tokens?{query}").json
        found += page["items"]
        if page["next_cursor"] is None:
            break
        query = f"limit=2&cursor={page['next_cursor']}"
    assert found == whole
    assert len(whole) == 5


def test_a_revoked_token_stops_at_once(alice: Person) -> None:
    created = create_token(alice)
    robot = using(alice, created["token"])
    assert robot.get("/v1/me").status == 200
    assert alice.delete(f"/v1/tokens/{created['id']}").status == 204
    assert robot.get("/v1/me").status == 401
    assert alice.delete(f"/v1/tokens/{created['id']}").status == 404


def test_a_token_can_revoke_itself(alice: Person) -> None:
    own = alice.get("/v1/me").json["token"]["id"]
    assert alice.delete(f"/v1/tokens/{own}").status == 204
    assert alice.get("/v1/me").status == 401


def test_token_is_refused_from_the_second_of_its_expiry(world: World, alice: Person) -> None:
    robot = using(alice, create_token(alice, expires_at="2026-11-18T11:07:00Z")["token"])
    world.clock.time += 19.9
    assert robot.get("/v1/me").status == 200
    world.clock.time += 0.1
    assert robot.get("/v1/me").status == 401


@pytest.mark.parametrize("case", ["checksum", "secret", "owner", "case", "longer", "shorter"])
def test_altered_token_is_refused(alice: Person, case: str) -> None:
    token = alice.token
    swapped = {"A": "B"}
    changed = {
        "checksum": token[:-1] + swapped.get(token[-1], "A"),
        "secret": token[:60] + swapped.get(token[60], "A") + token[61:],
        "owner": token[:10] + swapped.get(token[10], "A") + token[11:],
        "case": token.swapcase(),
        "longer": token + "0",
        "shorter": token[:-1],
    }[case]
    assert using(alice, changed).get("/v1/me").status == 401


@pytest.mark.parametrize("given", ["Token", "Token ", "Basic {}", "{}", "Token{}", "Token {} x"])
def test_malformed_authorization_is_refused(alice: Person, given: str) -> None:
    reply = alice.get("/v1/me", Authorization=given.format(alice.token))
    assert (reply.status, reply.headers["www-authenticate"]) == (401, "Token")


@pytest.mark.parametrize("scheme", ["Token", "token", "Bearer", "BEARER", "Token  "])
def test_both_schemes_are_accepted(alice: Person, scheme: str) -> None:
    assert alice.get("/v1/me", Authorization=f"{scheme} {alice.token}").status == 200


@pytest.mark.parametrize(
    ("own", "requested"),
    [
        (["write"], ["read"]),
        (["write"], ["write", "admin"]),
        (["read", "write"], ["admin"]),
        (["write"], None),
    ],
)
def test_scopes_are_limited_to_those_of_the_creator(
    alice: Person, own: list[str], requested: list[str] | None
) -> None:
    creator = using(alice, create_token(alice, scopes=own)["token"])
    before = stored()
    reply = creator.post(
        "/v1/tokens", {"name": "more", **({"scopes": requested} if requested else {})}
    )
    assert reply.status == 403
    assert stored() == before


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"name": ""}, "body.name"),
        ({"name": " a"}, "body.name"),
        ({"name": "a\nb"}, "body.name"),
        ({"name": "x" * 201}, "body.name"),
        ({"name": None}, "body.name"),
        ({"scopes": []}, "body.scopes"),
        ({"scopes": ["root"]}, "body.scopes.0"),
        ({"scopes": "read"}, "body.scopes"),
        ({"expires_at": "2026-11-18T11:06:40Z"}, "body.expires_at"),
        ({"expires_at": "2026-12-01T00:00:00"}, "body.expires_at"),
        ({"expires_at": "tomorrow"}, "body.expires_at"),
        ({"expires_at": 1_900_000_000}, "body.expires_at"),
        ({"expires_at": "9999-12-31T23:59:59Z"}, "body.expires_at"),
        ({"token": "mon_mine"}, "body.token"),
        ({"owner": "somebody"}, "body.owner"),
    ],
)
def test_invalid_field_is_named_and_nothing_is_created(
    alice: Person, fields: dict[str, Any], field: str
) -> None:
    before = stored("users")
    reply = alice.post("/v1/tokens", {"name": "ci", **fields})
    assert (reply.status, reply.fields) == (422, [field])
    assert stored("users") == before


def test_duplicate_scopes_are_merged(alice: Person) -> None:
    assert create_token(alice, scopes=["read", "read"])["scopes"] == ["read"]
