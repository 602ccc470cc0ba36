"""GET /v1/targets: pages, filters and cursors."""

from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import pytest

from tests.support.stages import reset_world
from tests.support.world import DOWN, Person, Reply, World

pytestmark = pytest.mark.shared_stage

PATH = "/v1/targets"


def create(person: Person, *names: str, **fields: Any) -> list[str]:
    """Create targets with these names, a second apart, so that they are listed in this order."""
    for name in names:
        person.world.clock.time += 1
        person.make_target(name=name, **fields)
    return list(names)


def names(reply: Reply) -> list[str]:
    assert reply.status == 200, reply.text
    return [target["name"] for target in reply.json["items"]]


def walk(person: Person, query: str) -> list[str]:
    """Return the names on all pages, following the links."""
    found: list[str] = []
    path: str | None = f"{PATH}?{query}"
    while path:
        reply = person.get(path)
        found += names(reply)
        path = following(reply)
    return found


def following(reply: Reply) -> str | None:
    """Return the next page's path from the relative link, which must have the body's cursor."""
    link, cursor = reply.headers.get("link"), reply.json["next_cursor"]
    assert (link is None) == (cursor is None)
    if link is None:
        return None
    url, rel = link.split("; ")
    assert rel == 'rel="next"'
    parts = urlsplit(url.strip("<>"))
    assert parse_qs(parts.query)["cursor"] == [cursor]
    assert (parts.netloc, parts.path) == ("", "")
    return f"{PATH}?{parts.query}"


def test_list_is_empty_without_targets(alice: Person) -> None:
    assert alice.get(PATH).json == {"items": [], "next_cursor": None}


def test_list_is_oldest_first(alice: Person) -> None:
    created = create(alice, "a", "b", "c")
    reply = alice.get(PATH)
    assert names(reply) == created
    target = reply.json["items"][1]
    assert target == alice.get(f"{PATH}/{target['id']}").json


@pytest.mark.parametrize("limit", [1, 2, 5, 7, 200])
def test_every_target_is_on_one_page(alice: Person, limit: int) -> None:
    created = create(alice, *"abcde")
    assert walk(alice, f"limit={limit}") == created


@pytest.mark.parametrize("limit", ["0", "-1", "201", "x", "", "1e1", "9" * 50])
def test_limit_is_from_1_to_200(alice: Person, limit: str) -> None:
    reply = alice.get(f"{PATH}?limit={limit}")
    assert (reply.status, reply.fields) == (400, ["query.limit"])


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("bogus=1", "query.bogus"),
        ("Limit=1", "query.Limit"),
        ("limit=1&limit=1", "query.limit"),
        ("tag=a&tag=b", "query.tag"),
        ("status=up", "query.status"),
        ("status=LATE", "query.status"),
        ("kind=ftp", "query.kind"),
        ("enabled=maybe", "query.enabled"),
        ("enabled=", "query.enabled"),
        ("q=", "query.q"),
        ("q=" + "x" * 201, "query.q"),
        ("tag=", "query.tag"),
        ("tag=" + "x" * 51, "query.tag"),
        ("cursor=", "query.cursor"),
        ("cursor=" + "x" * 1001, "query.cursor"),
    ],
)
def test_invalid_parameter_is_named(alice: Person, query: str, field: str) -> None:
    reply = alice.get(f"{PATH}?{query}")
    assert (reply.status, reply.fields) == (400, [field])
    assert reply.headers["content-type"] == "application/problem+json"


@pytest.fixture(scope="module")
def varied(shared_stage: World) -> Person:
    """Return Alice, with targets of several statuses and two tags."""
    world = reset_world(shared_stage)
    alice = world.user("alice")
    create(alice, "Shop", url="https://shop.example/", tags=["prod", "eu"])
    create(alice, "API", url="https://api.shop.example/Deep?x=1", tags=["prod"])
    create(alice, "Straße", url="https://strasse.example/", tags=["eu"], failure_threshold=1)
    create(alice, "Paused", url="https://paused.example/", enabled=False)
    down = alice.get(PATH).json["items"][2]["id"]
    world.checker.script[down] = DOWN
    world.deliver()
    create(alice, "New", url="https://new.example/", tags=["prod"])
    return alice


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("status=UP", ["Shop", "API"]),
        ("status=DOWN", ["Straße"]),
        ("status=PAUSED", ["Paused"]),
        ("status=PENDING", ["New"]),
        ("status=DEGRADED", []),
        ("tag=prod", ["Shop", "API", "New"]),
        ("tag=eu", ["Shop", "Straße"]),
        ("tag=pro", []),
        ("kind=http", ["Shop", "API", "Straße", "Paused", "New"]),
        ("enabled=false", ["Paused"]),
        ("enabled=true", ["Shop", "API", "Straße", "New"]),
        ("q=SHOP", ["Shop", "API"]),
        ("q=deep?x", ["API"]),
        ("q=STRASSE", ["Straße"]),
        ("q=nothing", []),
        ("q=***", []),
        ("status=UP&tag=eu", ["Shop"]),
        ("tag=prod&q=api&enabled=true&kind=http&status=UP", ["API"]),
        ("status=DOWN&tag=prod", []),
    ],
)
def test_filters_and_their_combinations(
    varied: Person, world: World, query: str, expected: list[str]
) -> None:
    encoded = quote(query, safe="=&")
    assert walk(varied, encoded) == expected
    assert walk(varied, f"{encoded}&limit=1") == expected


def test_paging_is_stable_while_targets_change(alice: Person) -> None:
    create(alice, *"abcdef")
    ids = {target["name"]: target["id"] for target in alice.get(PATH).json["items"]}
    first = alice.get(f"{PATH}?limit=2")
    assert names(first) == ["a", "b"]
    for name in ("b", "c"):
        alice.delete(f"{PATH}/{ids[name]}")
    create(alice, "g")
    next_page = following(first)
    assert next_page is not None
    second = alice.get(next_page)
    assert names(second) == ["d", "e"]
    last = following(second)
    assert last is not None
    assert names(alice.get(last)) == ["f", "g"]


def cursor_of(person: Person, query: str = "limit=1") -> str:
    cursor: str = person.get(f"{PATH}?{query}").json["next_cursor"]
    return cursor


def is_refused(reply: Reply) -> bool:
    return (reply.status, reply.fields) == (400, ["query.cursor"])


@pytest.mark.parametrize("cut", [0, 1, -1, 20])
def test_a_tampered_cursor_is_refused(alice: Person, cut: int) -> None:
    create(alice, "a", "b")
    cursor = cursor_of(alice)
    other = "A" if cursor[cut] != "A" else "B"
    tampered = cursor[:cut] + other + cursor[cut:][1:]
    assert is_refused(alice.get(f"{PATH}?cursor={tampered}"))


@pytest.mark.parametrize("cursor", ["x", "a.b.c", "%ff", "%00", "ü", ".", "IjEi"])
def test_malformed_cursor_is_refused(alice: Person, cursor: str) -> None:
    assert is_refused(alice.get(f"{PATH}?cursor={quote(cursor, safe='%')}"))


def test_the_cursor_of_another_owner_is_refused(alice: Person, mallory: Person) -> None:
    create(alice, "a", "b")
    assert is_refused(mallory.get(f"{PATH}?cursor={cursor_of(alice)}"))


@pytest.mark.parametrize("query", ["", "tag=b", "tag=a&q=x", "tag=a&enabled=true"])
def test_cursor_is_bound_to_its_filters(alice: Person, query: str) -> None:
    create(alice, "a", "b", tags=["a", "b"])
    cursor = cursor_of(alice, "limit=1&tag=a")
    assert is_refused(alice.get(f"{PATH}?{query}&cursor={cursor}"))
    assert names(alice.get(f"{PATH}?tag=a&limit=50&cursor={cursor}")) == ["b"]


def test_the_cursor_of_another_list_is_refused(alice: Person) -> None:
    create(alice, "a", "b")
    target = alice.get(PATH).json["items"][0]["id"]
    assert is_refused(alice.get(f"{PATH}/{target}/checks?cursor={cursor_of(alice)}"))
