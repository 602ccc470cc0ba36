"""Status pages, as everybody sees them: what is published, and nothing else."""

import itertools
import json
import re
from typing import Any

import pytest

from chalicelib.domain.pages import public_id
from chalicelib.domain.results import CheckResult, Reason, Timings, Verdict
from chalicelib.domain.rollup import DAY_S, Piece
from chalicelib.store.rollups import Period, Rollup, Rollups
from chalicelib.store.targets import Targets
from chalicelib.store.tripwire import acting_for
from tests.windows import window
from tests.world import DOWN, START, Person, Reply, World

_NUMBERS = itertools.count()
TODAY = START // DAY_S * DAY_S
NASTY = "</title><script>alert(1)</script>\" onload='x' &amp; ${x} $now {0}"


@pytest.fixture
def visitor(world: World) -> Person:
    """Somebody without a token."""
    return Person(world, "", "")


def publish(person: Person, **fields: Any) -> str:
    """A published page's slug."""
    body = {"name": "Shop", "slug": f"shop-{next(_NUMBERS)}", "published": True, **fields}
    reply = person.post("/v1/pages", body)
    assert reply.status == 201, reply.text
    slug: str = reply.json["slug"]
    return slug


def shown(visitor: Person, slug: str) -> dict[str, Any]:
    visitor.world.clock.time += 20
    found: dict[str, Any] = visitor.get(f"/status/{slug}.json").json
    return found


def targets_of(page: dict[str, Any]) -> list[dict[str, Any]]:
    return [target for section in page["sections"] for target in section["targets"]]


def keep_day(person: Person, target_id: str, days_ago: int, up_s: int, down_s: int) -> None:
    """What the checks of a day came to, as it is folded: first up, then down."""
    start = TODAY - days_ago * DAY_S
    end, ends = start + up_s + down_s, int(down_s > 0)
    seconds = (up_s, down_s - 60, 0, 0) if down_s else (up_s - 60, 0, 0, 0)
    piece = Piece(start, end - 60, end, ends, seconds=seconds)
    with acting_for(person.owner):
        target = Targets(person.owner).get(target_id)
        rollup = Rollup.of(start, {target.spec.place: piece}, 1440)
        Rollups(person.owner).write(Period.DAY, target.lane, rollup, retention_days=400)


def whole(reply: Reply) -> tuple[int, dict[str, str], str]:
    return reply.status, reply.headers, re.sub(r'"request_id": "[^"]+"', "", reply.text)


def test_only_what_is_published_is_there(alice: Person, visitor: Person) -> None:
    slug = publish(alice, published=False)
    made = alice.get("/v1/pages").json["items"][0]
    paths = ["/status/{}", "/status/{}.json", "/status/{}/feed", "/badge/{}/status.svg"]
    for path in paths:
        hidden, missing = (visitor.get(path.format(one)) for one in (slug, "never-was"))
        assert hidden.status == 404
        assert whole(hidden) == whole(missing)
        assert hidden.headers["cache-control"] == "no-store"
    alice.patch(f"/v1/pages/{made['id']}", {"published": True})
    assert [visitor.get(path.format(slug)).status for path in paths] == [200] * 4
    alice.patch(f"/v1/pages/{made['id']}", {"published": False})
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
def test_what_is_no_page_is_not_found(visitor: Person, path: str) -> None:
    reply = visitor.get(path)
    assert (reply.status, reply.headers["content-type"]) == (404, "application/problem+json")
    assert "script" not in reply.text


def test_a_disabled_user_s_pages_are_not_there(
    world: World, alice: Person, visitor: Person
) -> None:
    slug, root = publish(alice), world.user("root", admin=True)
    assert visitor.get(f"/status/{slug}").status == 200
    root.patch(f"/v1/users/{alice.owner}", {"disabled": True})
    world.clock.time += 15
    assert visitor.get(f"/status/{slug}").status == 404


def test_a_deleted_page_s_slug_leads_to_its_next_owner(
    alice: Person, mallory: Person, visitor: Person
) -> None:
    slug = publish(alice, title="Alice's")
    assert "Alice" in visitor.get(f"/status/{slug}").text
    (made,) = alice.get("/v1/pages").json["items"]
    alice.delete(f"/v1/pages/{made['id']}")
    assert visitor.get(f"/status/{slug}").status == 404
    publish(mallory, slug=slug, title="Mallory's")
    assert shown(visitor, slug)["title"] == "Mallory's"


def test_targets_come_in_their_order_and_those_with_a_tag_by_name(
    alice: Person, visitor: Person
) -> None:
    made = {
        name: alice.make_target(name=name, tags=tags)
        for name, tags in {"B": ["web"], "a": ["web"], "Mail": ["mail", "web"], "Z": []}.items()
    }
    slug = publish(
        alice,
        target_ids=[made["Z"]["id"]],
        sections=[
            {"name": "Post", "target_ids": [made["Mail"]["id"]]},
            {"name": "Web", "tags": ["web"], "target_ids": [made["Z"]["id"]]},
            {"name": "Nothing", "tags": ["none"]},
        ],
    )
    page = shown(visitor, slug)
    sections = [(one["name"], [t["name"] for t in one["targets"]]) for one in page["sections"]]
    assert sections == [(None, ["Z"]), ("Post", ["Mail"]), ("Web", ["a", "B"])]
    # What is deleted, or loses the tag, goes at once; what gets it comes within five minutes.
    alice.delete(f"/v1/targets/{made['Mail']['id']}")
    alice.patch(f"/v1/targets/{made['B']['id']}", {"tags": []})
    alice.make_target(name="New", tags=["web"])
    assert [one["name"] for one in targets_of(shown(visitor, slug))] == ["Z", "a"]
    visitor.world.clock.time += 300
    assert [one["name"] for one in targets_of(shown(visitor, slug))] == ["Z", "a", "New"]


def test_a_hundred_targets_are_shown_at_most(
    alice: Person, visitor: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chalicelib.domain.pages.MOST_TARGETS", 2)
    for name in "cab":
        alice.make_target(name=name, tags=["web"])
    slug = publish(alice, tags=["web"])
    assert [one["name"] for one in targets_of(shown(visitor, slug))] == ["a", "b"]


def test_the_state_of_all_and_of_each(world: World, alice: Person, visitor: Person) -> None:
    shop, mail = (alice.make_target(name=name, failure_threshold=1) for name in ("Shop", "Mail"))
    slug = publish(alice, target_ids=[shop["id"], mail["id"]])

    def states() -> tuple[str, list[str]]:
        page = shown(visitor, slug)
        return page["status"], [one["status"] for one in targets_of(page)]

    assert states() == ("unknown", ["PENDING", "PENDING"])
    world.run(70)
    assert states() == ("operational", ["UP", "UP"])
    world.checker.script[shop["id"]] = CheckResult(Verdict.DEGRADED, Reason.SLOW, 200)
    world.run(130)
    assert states() == ("degraded", ["DEGRADED", "UP"])
    world.checker.script[shop["id"]] = DOWN
    world.run(130)
    assert states() == ("partial_outage", ["DOWN", "UP"])
    alice.post(f"/v1/targets/{mail['id']}/pause")
    assert states() == ("major_outage", ["DOWN", "PAUSED"])
    window(alice, 0, 3_600, target_ids=[shop["id"], mail["id"]], tags=[])
    assert states() == ("maintenance", ["MAINTENANCE", "PAUSED"])


def test_days_and_the_uptime_over_them(
    world: World, alice: Person, visitor: Person, lowest_place: None
) -> None:
    world.clock.time = START - 100 * DAY_S
    target = alice.make_target()
    world.clock.time = START
    for ago, up_s, down_s in [(89, 86_400, 0), (90, 0, 86_400), (40, 85_400, 1_000), (3, 600, 0)]:
        keep_day(alice, target["id"], ago, up_s, down_s)
    slug = publish(alice, target_ids=[target["id"]])
    (found,) = targets_of(shown(visitor, slug))
    days = {one["date"]: one for one in found["days"]}
    assert list(days) == sorted(days)
    assert len(days) == 90
    assert days["2026-08-21"]["uptime_ratio"] == 1.0
    assert days["2026-10-09"]["downtime_s"] == 1_000
    assert days["2026-10-09"]["uptime_ratio"] == pytest.approx(85_400 / 86_400)
    known = [date for date, one in days.items() if one["uptime_ratio"] is not None]
    assert known == ["2026-08-21", "2026-10-09", "2026-11-15"]
    assert found["uptime_ratio"] == pytest.approx(1 - 1_000 / (2 * 86_400 + 600))
    page = visitor.get(f"/status/{slug}").text
    bars = re.findall(r'<i class="([^"]+)" title="([^"]+)"></i>', page)
    kinds = [kind for kind, _ in bars]
    assert (kinds[0], kinds[49], kinds[86]) == ("u", "d", "u p")
    assert kinds.count("g") == 87
    assert bars[49][1] == "9 Oct 2026: 98.84 % up, down for 16 min"
    assert bars[1][1] == "22 Aug 2026: no data"


def test_a_shorter_history_and_no_response_times(
    world: World, alice: Person, visitor: Person
) -> None:
    target = alice.make_target()
    world.run(130)
    ids = {"target_ids": [target["id"]], "history_days": 7}
    with_times, without = (publish(alice, **ids, show_response_times=one) for one in (True, False))
    page = targets_of(shown(visitor, with_times))[0]
    assert (len(page["days"]), page["response_ms"], page["days"][-1]["response_ms"]) == (7, 50, 50)
    page = targets_of(shown(visitor, without))[0]
    assert (page["response_ms"], page["days"][-1]["response_ms"]) == (None, None)
    assert " ms" not in visitor.get(f"/status/{without}").text
    assert visitor.get(f"/badge/{without}/response.svg").status == 404


def test_incidents_of_the_page_s_targets_open_and_past(
    world: World, alice: Person, visitor: Person
) -> None:
    shop, other = (alice.make_target(name=name, failure_threshold=1) for name in ("Shop", "Other"))
    slug = publish(alice, target_ids=[shop["id"]])
    for target in (shop, other):
        world.checker.script[target["id"]] = DOWN
    world.run(130)
    world.tell_all()
    page = shown(visitor, slug)
    (incident,) = page["incidents"]
    assert (incident["target"], incident["closed_at"]) == ("Shop", None)
    assert "Shop is down" in visitor.get(f"/status/{slug}").text
    own = alice.get("/v1/incidents").json["items"]
    for one in own:
        alice.post(f"/v1/incidents/{one['id']}/acknowledge", {"note": "Bob broke the database"})
    assert shown(visitor, slug)["incidents"][0]["acknowledged_at"] is not None
    assert "It is being looked into" in visitor.get(f"/status/{slug}").text
    world.checker.script.clear()
    world.run(130)
    world.tell_all()
    (closed,) = shown(visitor, slug)["incidents"]
    assert closed["closed_at"] is not None
    assert closed["id"] == incident["id"]
    assert "Shop was down for" in visitor.get(f"/status/{slug}").text
    world.clock.time += 15 * DAY_S
    assert shown(visitor, slug)["incidents"] == []
    assert "No incidents." in visitor.get(f"/status/{slug}").text


def test_an_outage_that_was_planned_is_no_incident(
    world: World, alice: Person, visitor: Person
) -> None:
    target = alice.make_target(failure_threshold=1)
    slug = publish(alice, target_ids=[target["id"]])
    window(alice, 0, 3_600, target_ids=[target["id"]], tags=[])
    world.checker.script[target["id"]] = DOWN
    world.run(130)
    world.tell_all()
    page = shown(visitor, slug)
    assert (page["status"], page["incidents"]) == ("maintenance", [])
    assert len(alice.get("/v1/incidents").json["items"]) == 1


def test_maintenance_of_the_page_s_targets_now_and_soon(
    world: World, alice: Person, visitor: Person
) -> None:
    shop, other = alice.make_target(tags=["prod", "inner"]), alice.make_target(name="Other")
    slug = publish(alice, target_ids=[shop["id"]])
    window(alice, 0, 600, name="Now", tags=["inner"])
    window(alice, 5 * DAY_S, 5 * DAY_S + 600, name="Soon", target_ids=[shop["id"], other["id"]])
    window(alice, 20 * DAY_S, 20 * DAY_S + 600, name="Later")
    window(alice, 0, 600, name="Elsewhere", tags=["elsewhere"])
    found = shown(visitor, slug)["maintenance"]
    assert [(one["name"], one["active"], one["targets"]) for one in found] == [
        ("Now", True, ["Shop"]),
        ("Soon", False, ["Shop"]),
    ]
    text = visitor.get(f"/status/{slug}").text
    assert text.index("<h2>Now</h2>") < text.index("Planned maintenance") < text.index(">Soon<")


def test_nothing_of_the_owner_s_leaks(world: World, alice: Person, visitor: Person) -> None:
    secrets = ["hidden.example", "sw0rd", "tag-of-ours", "got 503", "alice", "unseen", "Bob did it"]
    target = alice.make_target(
        name="Shop",
        url="https://user:sw0rd@hidden.example/path",
        headers={"X-Key": "sw0rd"},
        tags=["tag-of-ours"],
        failure_threshold=1,
        expect={"body_contains": "sw0rd"},
    )
    unseen = alice.make_target(name="unseen")
    world.checker.script[target["id"]] = CheckResult(
        Verdict.DOWN, Reason.STATUS, 503, Timings(1, 2, 3, 4, 5), "got 503 from hidden.example"
    )
    slug = publish(alice, name="alice's own name", title="Status", tags=["tag-of-ours"])
    hidden = publish(alice, name="unseen", target_ids=[unseen["id"]], published=False)
    window(alice, 60, 600, name="Work", tags=["tag-of-ours"])
    world.run(130)
    world.tell_all()
    (incident,) = alice.get("/v1/incidents").json["items"]
    alice.post(f"/v1/incidents/{incident['id']}/acknowledge", {"note": "Bob did it"})
    ids = [item["id"] for noun in ("targets", "pages", "incidents", "maintenance")
           for item in alice.get(f"/v1/{noun}").json["items"]]  # fmt: skip
    page = shown(visitor, slug)
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
        told = reply.text + json.dumps(reply.headers)
        found = [one for one in [*secrets, *ids, alice.owner, hidden] if one in told]
        assert not found, path
    assert page["incidents"]
    assert page["maintenance"]


def test_the_page_is_escaped_and_runs_nothing_but_its_own(
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
    world.tell_all()
    page = shown(visitor, slug)
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


def test_ids_on_a_page_mean_nothing_elsewhere(alice: Person, visitor: Person) -> None:
    target = alice.make_target()
    pages = [publish(alice, target_ids=[target["id"]]) for _ in range(2)]
    first, second = (targets_of(shown(visitor, slug))[0]["id"] for slug in pages)
    made = alice.get("/v1/pages").json["items"][0]
    assert first == public_id(made["id"], target["id"])
    assert first != second
    assert visitor.get(f"/badge/{pages[0]}.{first}/status.svg").status == 200
    for wrong in (f"{pages[0]}.{second}", f"{pages[0]}.{target['id']}", target["id"]):
        assert visitor.get(f"/badge/{wrong}/status.svg").status == 404


def test_everybody_may_use_the_json_from_their_own_pages(alice: Person, visitor: Person) -> None:
    reply = visitor.get(f"/status/{publish(alice)}.json")
    assert reply.headers["access-control-allow-origin"] == "*"
    assert reply.headers["content-type"] == "application/json"
