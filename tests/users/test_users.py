"""Users: admins create, list and disable them; nobody else has access."""

from collections.abc import Iterator

import pytest

from tests.support.world import Person, World

pytestmark = pytest.mark.shared_stage


@pytest.fixture
def admin(world: World) -> Person:
    return world.user("root", admin=True)


def test_me_shows_user_token_and_usage(alice: Person) -> None:
    alice.make_target()
    me = alice.get("/v1/me").json
    assert me == {
        "id": alice.owner,
        "name": "alice",
        "token": {"id": me["token"]["id"], "name": "first token", "scopes": ["read", "write"]},
        "limits": {
            "targets": {"used": 1, "limit": 10_000},
            "channels": {"used": 0, "limit": 50},
            "tokens": {"used": 1, "limit": 50},
            "pages": {"used": 0, "limit": 20},
        },
        "rate": {"per_minute": 60_000, "burst": 10_000},
    }


@pytest.mark.parametrize("is_admin", [True, False])
def test_a_new_user_gets_a_token_that_works(admin: Person, is_admin: bool) -> None:
    reply = admin.post("/v1/users", {"name": "bob", "admin": is_admin})
    assert reply.status == 201
    created = reply.json
    bob = Person(admin.world, created["id"], created.pop("token"))
    assert bob.get("/v1/me").json["name"] == "bob"
    assert admin.get(f"/v1/users/{created['id']}").json == created
    assert created == {**created, "name": "bob", "admin": is_admin, "disabled": False}
    assert bob.get("/v1/users").status == (200 if is_admin else 403)


def test_disabled_user_is_refused_until_enabled(admin: Person, alice: Person) -> None:
    path = f"/v1/users/{alice.owner}"
    assert admin.patch(path, {"disabled": True}).json["disabled"] is True
    assert alice.get("/v1/me").status == 401
    assert admin.patch(path, {"disabled": True}).status == 200
    assert admin.patch(path, {"disabled": False}).json["disabled"] is False
    assert alice.get("/v1/me").status == 200


def test_admins_cannot_disable_themselves(admin: Person) -> None:
    assert admin.patch(f"/v1/users/{admin.owner}", {"disabled": True}).status == 403
    assert admin.get("/v1/me").status == 200


@pytest.mark.parametrize("user_id", ["01a1ee56-5e00-7000-8000-000000000000", "nonsense"])
def test_unknown_user_is_not_found(admin: Person, user_id: str) -> None:
    path = f"/v1/users/{user_id}"
    assert admin.patch(path, {"disabled": True}).status == 404
    assert admin.get(path).status == 404


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "body.name"),
        ({"name": "bob", "admin": "true"}, "body.admin"),
        ({"name": "bob", "admin": 1}, "body.admin"),
        ({"name": "bob", "id": "x"}, "body.id"),
        ([], "body"),
    ],
)
def test_invalid_user_is_refused(admin: Person, body: object, field: str) -> None:
    reply = admin.post("/v1/users", body)
    assert (reply.status, reply.fields) == (422, [field])


def pages(admin: Person, limit: int) -> Iterator[list[str]]:
    query = f"limit={limit}"
    while True:
        reply = admin.get(f"/v1/users?{query}")
        assert reply.status == 200
        yield [user["id"] for user in reply.json["items"]]
        cursor = reply.json["next_cursor"]
        if cursor is None:
            return
        query = f"limit={limit}&cursor={cursor}"


def test_every_user_is_on_one_page(world: World, admin: Person) -> None:
    created = [world.user(f"user {number}").owner for number in range(5)]
    found = list(pages(admin, 2))
    assert all(len(page) <= 2 for page in found)
    listed = [user for page in found for user in page]
    assert len(set(listed)) == len(listed)
    assert set(created) <= set(listed)
    assert listed == sorted(listed), "oldest first"


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "q=x", "cursor=x"])
def test_invalid_parameters_are_refused(admin: Person, query: str) -> None:
    assert admin.get(f"/v1/users?{query}").status == 400
