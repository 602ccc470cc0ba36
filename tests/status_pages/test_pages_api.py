"""The API with which owners manage status pages."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.support.stages import stored
from tests.support.visitors import free_slug, make_page, path_of
from tests.support.world import Person, World

pytestmark = pytest.mark.shared_stage


def test_create_read_change_and_delete(alice: Person) -> None:
    shop, mail = alice.make_target(), alice.make_target(name="Mail")
    slug = free_slug()
    reply = make_page(
        alice,
        slug=slug,
        target_ids=[shop["id"]],
        sections=[{"name": "Post", "target_ids": [mail["id"], mail["id"]], "tags": ["mail"]}],
    )
    created = reply.json
    assert created == {
        "id": created["id"],
        "name": "Shop",
        "slug": slug,
        "title": None,
        "description": None,
        "target_ids": [shop["id"]],
        "tags": [],
        "sections": [{"name": "Post", "target_ids": [mail["id"]], "tags": ["mail"]}],
        "published": False,
        "show_response_times": True,
        "history_days": 90,
        "created_at": "2026-11-18T11:06:40Z",
        "updated_at": "2026-11-18T11:06:40Z",
    }
    assert reply.headers["location"] == f"pages/{created['id']}"
    shown = alice.get(path_of(reply))
    assert (shown.json, shown.headers["etag"]) == (created, reply.headers["etag"])
    assert alice.get("/v1/pages").json["items"] == [created]
    alice.world.clock.time += 60
    changed = alice.patch(path_of(reply), {"title": "Our shop", "history_days": 30, "tags": ["x"]})
    assert changed.json == {
        **created,
        "title": "Our shop",
        "history_days": 30,
        "tags": ["x"],
        "updated_at": "2026-11-18T11:07:40Z",
    }
    back = alice.patch(path_of(reply), {"title": None, "history_days": None, "tags": None}).json
    assert {**back, "updated_at": ""} == {**created, "updated_at": ""}
    assert alice.delete(path_of(reply)).status == 204
    assert alice.get(path_of(reply)).status == alice.delete(path_of(reply)).status == 404
    assert alice.get("/v1/pages").json["items"] == []


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"slug": "Shop"}, ["body.slug"]),
        ({"slug": ""}, ["body.slug"]),
        ({"slug": "-shop"}, ["body.slug"]),
        ({"slug": "shop-"}, ["body.slug"]),
        ({"slug": "a--b"}, ["body.slug"]),
        ({"slug": "shop.json"}, ["body.slug"]),
        ({"slug": "../shop"}, ["body.slug"]),
        ({"slug": "shöp"}, ["body.slug"]),
        ({"slug": "shop\n"}, ["body.slug"]),
        ({"slug": "<script>"}, ["body.slug"]),
        ({"slug": "s" * 61}, ["body.slug"]),
        ({"slug": "api"}, ["body.slug"]),
        ({"slug": None}, ["body.slug"]),
        ({"name": ""}, ["body.name"]),
        ({"name": "a\x00b"}, ["body.name"]),
        ({"title": "two\nlines"}, ["body.title"]),
        ({"description": "x" * 501}, ["body.description"]),
        ({"published": "yes"}, ["body.published"]),
        ({"history_days": 91}, ["body.history_days"]),
        ({"history_days": 6}, ["body.history_days"]),
        ({"target_ids": ["x"]}, ["body.target_ids.0"]),
        ({"target_ids": ["x"] * 101}, ["body.target_ids"]),
        ({"tags": ["t"] * 21}, ["body.tags"]),
        ({"sections": [{"tags": ["x"]}]}, ["body.sections.0.name"]),
        ({"sections": [{"name": "s", "colour": 1}]}, ["body.sections.0.colour"]),
        (
            {"sections": [{"name": "a"}, {"name": "b", "target_ids": ["x", "y"]}]},
            ["body.sections.1.target_ids.0", "body.sections.1.target_ids.1"],
        ),
        ({"sections": [{"name": "s"}] * 21}, ["body.sections"]),
        ({"logo": "https://elsewhere.example/"}, ["body.logo"]),
    ],
)
def test_invalid_field_is_named(alice: Person, fields: dict[str, Any], named: list[str]) -> None:
    before = stored()
    reply = alice.post("/v1/pages", {"name": "Shop", "slug": free_slug(), **fields})
    assert (reply.status, reply.fields) == (422, named)
    assert stored() == before


def test_page_names_at_most_a_hundred_targets(alice: Person) -> None:
    ids = [f"01a1ee56-5e00-7000-8000-{number:012x}" for number in range(101)]
    sections = [{"name": "a", "target_ids": ids[:60]}, {"name": "b", "target_ids": ids[60:]}]
    body = {"name": "Shop", "slug": free_slug(), "sections": sections}
    assert alice.post("/v1/pages", body).fields[0] == "body.target_ids"


def test_targets_and_pages_of_other_owners_are_not_found(alice: Person, mallory: Person) -> None:
    target, created = alice.make_target(), make_page(alice)
    path = path_of(created)
    for reply in (mallory.get(path), mallory.patch(path, {"name": "n"}), mallory.delete(path)):
        assert reply.status == 404
    assert mallory.get("/v1/pages").json["items"] == []
    body = {"name": "n", "slug": free_slug(), "target_ids": [target["id"]]}
    theirs, nobodys = (
        mallory.post("/v1/pages", {**body, "target_ids": [one]})
        for one in (target["id"], "01a1ee56-5e00-7000-8000-000000000000")
    )
    assert (theirs.status, theirs.fields) == (422, ["body.target_ids.0"])
    assert theirs.json["errors"] == nobodys.json["errors"]
    own = make_page(mallory)
    assert mallory.patch(path_of(own), {"target_ids": [target["id"]]}).status == 422


def test_deleted_target_disappears_from_pages(alice: Person) -> None:
    gone, stays = alice.make_target(), alice.make_target()
    ids = [gone["id"], stays["id"]]
    created = make_page(alice, target_ids=ids, sections=[{"name": "s", "target_ids": ids}])
    alice.delete(f"/v1/targets/{gone['id']}")
    for shown in (alice.get(path_of(created)).json, *alice.get("/v1/pages").json["items"]):
        assert shown["target_ids"] == [stays["id"]]
        assert shown["sections"][0]["target_ids"] == [stays["id"]]
    assert alice.patch(path_of(created), {"name": "New"}).json["target_ids"] == [stays["id"]]
    assert alice.patch(path_of(created), {"target_ids": ids}).fields == ["body.target_ids.0"]


def test_if_match_requires_the_current_version(alice: Person) -> None:
    created = make_page(alice)
    path, etag = path_of(created), created.headers["etag"]
    assert alice.patch(path, {"name": "Shop"}, If_Match=etag).headers["etag"] == etag
    assert alice.patch(path, {"name": "New"}, If_Match=etag).status == 200
    before = stored()
    assert alice.patch(path, {"name": "Newer"}, If_Match=etag).status == 412
    assert alice.delete(path, If_Match=etag).status == 412
    assert stored() == before
    assert alice.delete(path, If_Match=alice.get(path).headers["etag"]).status == 204


def test_concurrent_changes_are_all_applied(alice: Person) -> None:
    path = path_of(make_page(alice))
    fields: list[dict[str, Any]] = [
        {"title": "T"},
        {"description": "D"},
        {"history_days": 7},
        {"published": True},
    ]
    with ThreadPoolExecutor(4) as pool:
        statuses = list(pool.map(lambda one: alice.patch(path, one).status, fields))
    assert statuses == [200] * 4
    shown = alice.get(path).json
    assert all(shown[name] == value for one in fields for name, value in one.items())


def test_idempotency_key_creates_one_page(alice: Person) -> None:
    body = {"name": "Shop", "slug": free_slug()}
    with ThreadPoolExecutor(4) as pool:
        created = list(
            pool.map(lambda _: alice.post("/v1/pages", body, Idempotency_Key="k"), range(8))
        )
    assert {one.status for one in created} == {201}
    assert len({one.json["id"] for one in created}) == 1
    other = alice.post("/v1/pages", {**body, "name": "Other"}, Idempotency_Key="k")
    assert other.json["type"] == "urn:monitum:problem:idempotency-key-reused"
    assert alice.get("/v1/me").json["limits"]["pages"]["used"] == 1


def test_user_quota_replaces_the_stage_quota(world: World, alice: Person) -> None:
    root = world.user("root", admin=True)
    root.patch(f"/v1/users/{alice.owner}", {"limits": {"pages": 2}})
    first, _ = make_page(alice), make_page(alice)
    beyond = alice.post("/v1/pages", {"name": "Shop", "slug": free_slug()})
    assert (beyond.status, beyond.fields) == (403, ["quota.pages"])
    assert alice.get("/v1/me").json["limits"]["pages"] == {"used": 2, "limit": 2}
    alice.delete(path_of(first))
    make_page(alice)


def test_audit_log_records_changes(alice: Person) -> None:
    created = make_page(alice)
    alice.patch(path_of(created), {"published": True, "sections": [{"name": "s"}]})
    alice.delete(path_of(created))
    found = [
        (one["action"], one["thing_id"], one["fields"])
        for one in alice.get("/v1/audit").json["items"]
    ]
    identifier = created.json["id"]
    assert found == [
        ("page.deleted", identifier, []),
        ("page.changed", identifier, ["published", "sections"]),
        ("page.created", identifier, []),
    ]


def test_list_continues_at_the_cursor(alice: Person) -> None:
    created = [make_page(alice).json["id"] for _ in range(5)]
    found, link = [], "/v1/pages?limit=2"
    while link:
        reply = alice.get(link)
        found += [one["id"] for one in reply.json["items"]]
        target = reply.headers.get("link", "<>").split(">")[0][1:]
        link = f"/v1/pages{target}" if reply.json["next_cursor"] else ""
    assert found == created
    assert alice.get("/v1/pages?cursor=nonsense").status == 400


@pytest.mark.parametrize(("scope", "reads", "writes"), [("read", 200, 403), ("write", 403, 201)])
def test_scopes(alice: Person, scope: str, reads: int, writes: int) -> None:
    token = alice.post("/v1/tokens", {"name": "t", "scopes": [scope]}).json["token"]
    person = Person(alice.world, alice.owner, token)
    assert person.get("/v1/pages").status == reads
    assert person.post("/v1/pages", {"name": "Shop", "slug": free_slug()}).status == writes
