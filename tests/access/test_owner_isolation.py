"""Owner isolation: calls every route with a stranger's token and without a valid token.

A new route that is not covered here fails a test.
"""

import json
import re
from dataclasses import dataclass
from typing import Any

import pytest

from chalicelib.access.authentication import Scope
from chalicelib.api.routing import Route
from chalicelib.routes import ALL
from tests.support.stages import stored
from tests.support.world import DOWN, Person, Reply, World

pytestmark = pytest.mark.shared_stage

NOBODYS = "01a1ee56-5e00-7000-8000-000000000000"
TARGET = {"name": "Mine", "kind": "http", "url": "https://mine.example/"}
CHANNEL = {"name": "Hook", "kind": "webhook", "url": "https://hooks.example/"}
WINDOW = {"name": "Nights", "tags": ["x"], "cron": "0 3 * * *", "duration_s": 3_600}
PAGE = {"name": "Mine", "slug": "mine"}
BODIES: dict[tuple[str, str], object] = {
    ("POST", "/v1/targets"): TARGET,
    ("POST", "/v1/targets/batch"): {"items": [TARGET]},
    ("PATCH", "/v1/targets/{target_id}"): {"name": "Mallory was here"},
    ("POST", "/v1/tokens"): {"name": "more"},
    ("POST", "/v1/users"): {"name": "more"},
    ("PATCH", "/v1/users/{user_id}"): {"disabled": True},
    ("POST", "/v1/channels"): CHANNEL,
    ("PATCH", "/v1/channels/{channel_id}"): {"name": "Mallory was here"},
    ("POST", "/v1/incidents/{incident_id}/acknowledge"): {"note": "Mallory was here"},
    ("POST", "/v1/maintenance"): WINDOW,
    ("PATCH", "/v1/maintenance/{window_id}"): {"name": "Mallory was here"},
    ("POST", "/v1/pages"): PAGE,
    ("PATCH", "/v1/pages/{page_id}"): {"name": "Mallory was here"},
}
"""The body for each route that accepts one."""
OWN = {
    "target_id",
    "token_id",
    "channel_id",
    "delivery_id",
    "incident_id",
    "window_id",
    "page_id",
}
"""The path parameters that identify an owner's resources."""
PUBLIC = {
    "/",
    "/badge/{badge}/{picture}",
    "/confirm/{token}",
    "/docs",
    "/healthz",
    "/status/{slug}",
    "/status/{slug}/feed",
    "/v1/openapi.json",
}

ROUTES = pytest.mark.parametrize("route", ALL, ids=lambda route: f"{route.method} {route.path}")
PROTECTED = pytest.mark.parametrize(
    "route",
    [route for route in ALL if route.path not in PUBLIC],
    ids=lambda route: f"{route.method} {route.path}",
)


@dataclass
class Scene:
    """Alice has a checked target and a second token; mallory tries to access them."""

    alice: Person
    mallory: Person
    ids: dict[str, str]
    secrets: list[str]


@pytest.fixture(scope="module")
def scene(shared_stage: World) -> Scene:
    alice, mallory = shared_stage.user("alice"), shared_stage.user("mallory", admin=True)
    target = alice.make_target(
        name="Alices", tags=["alices"], headers={"X": "planted"}, failure_threshold=1
    )
    channel = alice.post("/v1/channels", {**CHANNEL, "name": "alices hook"}).json
    window = alice.post("/v1/maintenance", {**WINDOW, "name": "alices nights"}).json
    page = alice.post("/v1/pages", {**PAGE, "name": "alices page", "slug": "alices"}).json
    shared_stage.checker.script[target["id"]] = DOWN
    shared_stage.deliver()
    shared_stage.run_alerts()
    (incident,) = alice.get("/v1/incidents").json["items"]
    (delivery,) = alice.get(f"/v1/channels/{channel['id']}/deliveries").json["items"]
    token = alice.post("/v1/tokens", {"name": "second"}).json
    mallory.make_target(name="Mallorys")
    return Scene(
        alice,
        mallory,
        {
            "target_id": target["id"],
            "token_id": token["id"],
            "user_id": alice.owner,
            "channel_id": channel["id"],
            "delivery_id": delivery["id"],
            "incident_id": incident["id"],
            "window_id": window["id"],
            "page_id": page["id"],
            "token": "nonsense",
            "slug": "nonsense",
            "badge": "nonsense",
            "picture": "status.svg",
        },
        [
            target["id"],
            token["id"],
            alice.owner,
            channel["id"],
            channel["secret"],
            incident["id"],
            window["id"],
            page["id"],
            "alices",
            "Alices",
            "planted",
        ],
    )


def parameters(route: Route) -> list[str]:
    return re.findall(r"{(\w+)}", route.path)


def call(person: Person, route: Route, ids: dict[str, str], **headers: str) -> Reply:
    path = route.path.format(**ids)
    return person.call(route.method, path, BODIES.get((route.method, route.path)), **headers)


def items_of(person: Person) -> dict[str, list[str]]:
    return {
        table: [item for item in items if person.owner in item] for table, items in stored().items()
    }


def whole(reply: Reply) -> tuple[int, dict[str, str], str]:
    """The reply without the request id and the remaining requests, which always differ."""
    text = re.sub(r'"request_id": "[^"]+"', "", reply.text)
    headers = {name: text for name, text in reply.headers.items() if name != "ratelimit"}
    return reply.status, headers, text


@ROUTES
def test_every_route_is_covered(route: Route) -> None:
    assert (route.body is None) == ((route.method, route.path) not in BODIES), (
        "give the route a body above"
    )
    assert set(parameters(route)) <= OWN | {"user_id", "token", "slug", "badge", "picture"}, (
        "give the route an id in the scene above"
    )
    assert (route.scope is None) == (route.path in PUBLIC), "is it meant to be public?"
    assert "user_id" not in parameters(route) or route.scope is Scope.ADMIN


def test_every_body_belongs_to_a_route() -> None:
    assert set(BODIES) == {(route.method, route.path) for route in ALL if route.body}


@PROTECTED
def test_a_stranger_with_the_ids_of_another_owner(route: Route, scene: Scene) -> None:
    before = items_of(scene.alice)
    found = call(scene.mallory, route, scene.ids)
    if OWN & set(parameters(route)):
        missing = call(scene.mallory, route, dict.fromkeys(scene.ids, NOBODYS))
        assert found.status == 404
        assert whole(found) == whole(missing), "it must look like a missing resource"
    if route.scope is not Scope.ADMIN:
        shown = found.text + json.dumps(found.headers)
        assert not [secret for secret in scene.secrets if secret in shown]
    if "user_id" in parameters(route):
        scene.mallory.patch(f"/v1/users/{scene.alice.owner}", {"disabled": False})
    if route.path != "/v1/users/{user_id}":
        assert items_of(scene.alice) == before


@PROTECTED
@pytest.mark.parametrize("case", ["none", "garbage", "revoked", "disabled"])
def test_without_a_valid_token(route: Route, case: str, scene: Scene) -> None:
    token = bad_token(scene.alice, case)
    before = items_of(scene.alice)
    reply = call(scene.alice, route, scene.ids, Authorization=token)
    assert reply.status == 401
    assert reply.headers["www-authenticate"] == "Token"
    assert reply.headers["content-type"] == "application/problem+json"
    assert items_of(scene.alice) == before


_BAD: dict[str, str] = {}


def bad_token(person: Person, case: str) -> str:
    """The Authorization header for a case, created once."""
    if case == "revoked" and case not in _BAD:
        created = person.post("/v1/tokens", {"name": "short"}).json
        assert person.delete(f"/v1/tokens/{created['id']}").status == 204
        _BAD[case] = f"Token {created['token']}"
    if case == "disabled" and case not in _BAD:
        admin, victim = person.world.user("root", admin=True), person.world.user("victim")
        assert admin.patch(f"/v1/users/{victim.owner}", {"disabled": True}).status == 200
        _BAD[case] = f"Token {victim.token}"
    return {"none": "", "garbage": "Token mon_garbage", **_BAD}[case]


@PROTECTED
@pytest.mark.parametrize("scope", Scope)
def test_token_of_one_scope_is_only_accepted_by_its_routes(
    route: Route, scope: Scope, scene: Scene
) -> None:
    token = scoped_token(scene.mallory, scope)
    before = stored()
    ids = dict.fromkeys(scene.ids, NOBODYS)
    reply = call(scene.mallory, route, ids, Authorization=f"Bearer {token}")
    if route.scope is scope:
        # A token cannot grant scopes that it lacks, and new tokens have more by default.
        assert reply.status != 403 or route.path == "/v1/tokens"
    else:
        assert reply.status == 403
        assert reply.json["detail"] == f"the token has no scope '{route.scope}'"
        assert stored() == before


_SCOPED: dict[Scope, str] = {}


def scoped_token(person: Person, scope: Scope) -> str:
    if scope not in _SCOPED:
        created: dict[str, Any] = person.post("/v1/tokens", {"name": "s", "scopes": [scope]}).json
        _SCOPED[scope] = created["token"]
    return _SCOPED[scope]


def test_lists_contain_only_own_resources(scene: Scene) -> None:
    names = [item["name"] for item in scene.mallory.get("/v1/targets?limit=200").json["items"]]
    assert "Mallorys" in names
    assert "Alices" not in names
    tokens = scene.mallory.get("/v1/tokens").json["items"]
    assert scene.ids["token_id"] not in [token["id"] for token in tokens]
    assert "alices" not in scene.mallory.get("/v1/summary?tag=alices").json["by_tag"]
