"""Published status pages: what visitors see, and what stays private."""

import json
import re

import pytest

from chalicelib.monitoring.result import CheckResult, Reason, Timings, Verdict
from chalicelib.status_pages.page import public_id
from tests.support.visitors import publish, targets_of, view_page
from tests.support.windows import window
from tests.support.world import DOWN, Person, Reply, World

pytestmark = pytest.mark.shared_stage

NASTY = "</title><script>alert(1)</script>\" onload='x' &amp; ${x} $now {0}"


def whole(reply: Reply) -> tuple[int, dict[str, str], str]:
    return reply.status, reply.headers, re.sub(r'"request_id": "[^"]+"', "", reply.text)


def test_unpublished_page_looks_like_a_missing_one(alice: Person, visitor: Person) -> None:
    slug = publish(alice, published=False)
    created = alice.get("/v1/pages").json["items"][0]
    paths = ["/status/{}", "/status/{}.json", "/status/{}/feed", "/badge/{}/status.svg"]
    for path in paths:
        hidden, missing = (visitor.get(path.format(one)) for one in (slug, "never-was"))
        assert hidden.status == 404
        assert whole(hidden) == whole(missing)
        assert hidden.headers["cache-control"] == "no-store"
    alice.patch(f"/v1/pages/{created['id']}", {"published": True})
    assert [visitor.get(path.format(slug)).status for path in paths] == [200] * 4
    alice.patch(f"/v1/pages/{created['id']}", {"published": False})
    assert [visitor.get(path.format(slug)).status for path in paths] == [404] * 4


@pytest.mark.parametrize(
    "path",
    [
        "/status/.json",
        "/status/x.xml",
        "/status/X",
        "/status/a%2Fb",
        "/status/..%2f/feed",
        "/status/x.json/feed",
        "/badge/x/nothing.svg",
        "/badge/x.y/status.svg",
        "/badge/./uptime.svg",
        f"/status/{'x' * 5_000}",
        "/status/%00",
        "/status/<script>",
    ],
)
def test_unknown_path_is_not_found(visitor: Person, path: str) -> None:
    reply = visitor.get(path)
    assert (reply.status, reply.headers["content-type"]) == (404, "application/problem+json")
    assert "script" not in reply.text


def test_pages_of_disabled_users_are_not_found(
    world: World, alice: Person, visitor: Person
) -> None:
    slug, root = publish(alice), world.user("root", admin=True)
    assert visitor.get(f"/status/{slug}").status == 200
    root.patch(f"/v1/users/{alice.owner}", {"disabled": True})
    world.clock.time += 15
    assert visitor.get(f"/status/{slug}").status == 404


def test_slug_of_a_deleted_page_can_be_used_again(
    alice: Person, mallory: Person, visitor: Person
) -> None:
    slug = publish(alice, title="Alice's")
    assert "Alice" in visitor.get(f"/status/{slug}").text
    (created,) = alice.get("/v1/pages").json["items"]
    alice.delete(f"/v1/pages/{created['id']}")
    assert visitor.get(f"/status/{slug}").status == 404
    publish(mallory, slug=slug, title="Mallory's")
    assert view_page(visitor, slug)["title"] == "Mallory's"


def test_private_data_is_not_published(world: World, alice: Person, visitor: Person) -> None:
    secrets = [
        "hidden.example",
        "sw0rd",
        "tag-of-ours",
        "got 503",
        "alice",
        "Not for visitors",
        "Bob did it",
    ]
    target = alice.make_target(
        name="Shop",
        url="https://user:sw0rd@hidden.example/path",
        headers={"X-Key": "sw0rd"},
        tags=["tag-of-ours"],
        failure_threshold=1,
        expect={"body_contains": "sw0rd"},
    )
    unseen = alice.make_target(name="Not for visitors")
    world.checker.script[target["id"]] = CheckResult(
        Verdict.DOWN, Reason.STATUS, 503, Timings(1, 2, 3, 4, 5), "got 503 from hidden.example"
    )
    slug = publish(alice, name="alice's own name", title="Status", tags=["tag-of-ours"])
    hidden = publish(alice, name="Not for visitors", target_ids=[unseen["id"]], published=False)
    window(alice, 60, 600, name="Work", tags=["tag-of-ours"])
    world.run(130)
    world.run_alerts()
    (incident,) = alice.get("/v1/incidents").json["items"]
    alice.post(f"/v1/incidents/{incident['id']}/acknowledge", {"note": "Bob did it"})
    ids = [item["id"] for noun in ("targets", "pages", "incidents", "maintenance")
           for item in alice.get(f"/v1/{noun}").json["items"]]  # fmt: skip
    page = view_page(visitor, slug)
    public = targets_of(page)[0]["id"]
    paths = [f"/status/{slug}", f"/status/{slug}.json", f"/status/{slug}/feed"]
    paths += [
        f"/badge/{name}/{picture}.svg"
        for name in (slug, f"{slug}.{public}")
        for picture in ("uptime", "status", "response")
    ]
    for path in paths:
        reply = visitor.get(path)
        assert reply.status == 200, path
        content = reply.text + json.dumps(reply.headers)
        found = [one for one in [*secrets, *ids, alice.owner, hidden] if one in content]
        assert not found, path
    assert page["incidents"]
    assert page["maintenance"]


def test_page_is_escaped_and_runs_only_its_own_script(
    world: World, alice: Person, visitor: Person
) -> None:
    target = alice.make_target(name=NASTY, failure_threshold=1)
    slug = publish(
        alice,
        title=NASTY,
        description=NASTY,
        sections=[{"name": NASTY, "target_ids": [target["id"]]}],
    )
    window(alice, 0, 600, name=NASTY, target_ids=[target["id"]], counts_in_uptime=True)
    world.checker.script[target["id"]] = DOWN
    world.run(130)
    world.run_alerts()
    page = view_page(visitor, slug)
    assert page["title"] == page["incidents"][0]["target"] == NASTY
    reply = visitor.get(f"/status/{slug}")
    assert "<script>alert" not in reply.text
    assert reply.text.count("<script>") == 1
    assert "&lt;script&gt;alert(1)" in reply.text
    assert "${x} $now {0}" in reply.text
    assert not re.search(r"<[^>]*\s(on\w+|style|src)=", reply.text)
    policy = reply.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; connect-src 'self'; script-src 'sha256-")
    assert "unsafe" not in policy
    assert reply.headers["cache-control"] == "public, max-age=30"
    public = targets_of(page)[0]["id"]
    for path in (f"/status/{slug}/feed", f"/badge/{slug}.{public}/status.svg"):
        assert "<script" not in visitor.get(path).text


def test_ids_are_valid_for_one_page_only(alice: Person, visitor: Person) -> None:
    target = alice.make_target()
    pages = [publish(alice, target_ids=[target["id"]]) for _ in range(2)]
    first, second = (targets_of(view_page(visitor, slug))[0]["id"] for slug in pages)
    created = alice.get("/v1/pages").json["items"][0]
    assert first == public_id(created["id"], target["id"])
    assert first != second
    assert visitor.get(f"/badge/{pages[0]}.{first}/status.svg").status == 200
    for wrong in (f"{pages[0]}.{second}", f"{pages[0]}.{target['id']}", target["id"]):
        assert visitor.get(f"/badge/{wrong}/status.svg").status == 404


def test_unknown_parameters_are_ignored(alice: Person, visitor: Person) -> None:
    slug = publish(alice)
    for path in (f"/status/{slug}", f"/status/{slug}/feed", f"/badge/{slug}/status.svg"):
        assert visitor.get(f"{path}?utm_source=mail&v=2").status == 200


def test_json_is_available_to_other_origins(alice: Person, visitor: Person) -> None:
    reply = visitor.get(f"/status/{publish(alice)}.json")
    assert reply.headers["access-control-allow-origin"] == "*"
    assert reply.headers["content-type"] == "application/json"


def test_page_that_takes_too_long_is_unavailable(
    world: World, alice: Person, visitor: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    slug = publish(alice, target_ids=[alice.make_target()["id"]])
    monkeypatch.setattr("chalicelib.history.service.PATIENCE_S", -1)
    reply = visitor.get(f"/status/{slug}")
    assert reply.status == 503
    assert reply.json["type"].endswith("unavailable")
