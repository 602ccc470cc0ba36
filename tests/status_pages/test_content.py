"""The content of status pages: targets, states, days, incidents and maintenance."""

import re

import pytest

from chalicelib.history.rollups.rollup import DAY_S
from chalicelib.monitoring.result import CheckResult, Reason, Verdict
from tests.support.visitors import publish, store_day, targets_of, view_page
from tests.support.windows import window
from tests.support.world import DOWN, START, Person, World

pytestmark = pytest.mark.shared_stage


def test_targets_are_ordered_as_given_and_then_by_name(alice: Person, visitor: Person) -> None:
    created = {
        name: alice.make_target(name=name, tags=tags)
        for name, tags in {"B": ["web"], "a": ["web"], "Mail": ["mail", "web"], "Z": []}.items()
    }
    slug = publish(
        alice,
        target_ids=[created["Z"]["id"]],
        sections=[
            {"name": "Post", "target_ids": [created["Mail"]["id"]]},
            {"name": "Web", "tags": ["web"], "target_ids": [created["Z"]["id"]]},
            {"name": "Nothing", "tags": ["none"]},
        ],
    )
    page = view_page(visitor, slug)
    sections = [(one["name"], [t["name"] for t in one["targets"]]) for one in page["sections"]]
    assert sections == [(None, ["Z"]), ("Post", ["Mail"]), ("Web", ["a", "B"])]
    # Deleted and untagged targets disappear at once; tagged ones appear within five minutes.
    alice.delete(f"/v1/targets/{created['Mail']['id']}")
    alice.patch(f"/v1/targets/{created['B']['id']}", {"tags": []})
    alice.make_target(name="New", tags=["web"])
    assert [one["name"] for one in targets_of(view_page(visitor, slug))] == ["Z", "a"]
    visitor.world.clock.time += 300
    assert [one["name"] for one in targets_of(view_page(visitor, slug))] == ["Z", "a", "New"]


def test_tags_select_only_the_owners_targets(
    alice: Person, mallory: Person, visitor: Person
) -> None:
    alice.make_target(name="Alices", tags=["shared"])
    mallory.make_target(name="Mallorys", tags=["shared"])
    for person, name in ((alice, "Alices"), (mallory, "Mallorys")):
        page = view_page(visitor, publish(person, tags=["shared"]))
        assert [one["name"] for one in targets_of(page)] == [name]


def test_page_shows_at_most_a_hundred_targets(
    alice: Person, visitor: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chalicelib.status_pages.page.MAX_TARGETS", 2)
    for name in "cab":
        alice.make_target(name=name, tags=["web"])
    slug = publish(alice, tags=["web"])
    assert [one["name"] for one in targets_of(view_page(visitor, slug))] == ["a", "b"]


def test_states_of_page_and_targets(world: World, alice: Person, visitor: Person) -> None:
    shop, mail = (alice.make_target(name=name, failure_threshold=1) for name in ("Shop", "Mail"))
    slug = publish(alice, target_ids=[shop["id"], mail["id"]])

    def states() -> tuple[str, list[str]]:
        page = view_page(visitor, slug)
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


def test_days_and_uptime(world: World, alice: Person, visitor: Person, lowest_place: None) -> None:
    world.clock.time = START - 100 * DAY_S
    target = alice.make_target()
    world.clock.time = START
    for ago, up_s, down_s in [(89, 86_400, 0), (90, 0, 86_400), (40, 85_400, 1_000), (3, 600, 0)]:
        store_day(alice, target["id"], ago, up_s, down_s)
    slug = publish(alice, target_ids=[target["id"]])
    (found,) = targets_of(view_page(visitor, slug))
    days = {one["date"]: one for one in found["days"]}
    assert list(days) == sorted(days)
    assert len(days) == 90
    assert days["2026-08-21"]["uptime_ratio"] == 1.0
    assert days["2026-10-09"]["downtime_s"] == 1_000
    assert days["2026-10-09"]["uptime_ratio"] == pytest.approx(85_400 / 86_400)
    known = [date for date, one in days.items() if one["uptime_ratio"] is not None]
    assert known == ["2026-08-21", "2026-10-09", "2026-11-15"]
    assert found["uptime_ratio"] == pytest.approx(1 - 1_000 / (2 * 86_400 + 600))
    assert (found["uptime_ratio_7d"], found["uptime_ratio_30d"]) == (1.0, 1.0)
    page = visitor.get(f"/status/{slug}").text
    assert "7 days 100 % · 30 days 100 % · 90 days </span>99.42 %<" in page
    bars = re.findall(r'<i class="([^"]+)" title="([^"]+)"></i>', page)
    kinds = [kind for kind, _ in bars]
    assert (kinds[0], kinds[49], kinds[86]) == ("u", "d", "u p")
    assert kinds.count("g") == 87
    assert bars[49][1] == "9 Oct 2026: 98.84 % up, down for 16 min"
    assert bars[1][1] == "22 Aug 2026: no data"


def test_shorter_history_without_response_times(
    world: World, alice: Person, visitor: Person
) -> None:
    target = alice.make_target()
    world.run(130)
    ids = {"target_ids": [target["id"]], "history_days": 7}
    with_times, without = (publish(alice, **ids, show_response_times=one) for one in (True, False))
    page = targets_of(view_page(visitor, with_times))[0]
    assert (len(page["days"]), page["response_ms"], page["days"][-1]["response_ms"]) == (7, 50, 50)
    page = targets_of(view_page(visitor, without))[0]
    assert (page["response_ms"], page["days"][-1]["response_ms"]) == (None, None)
    assert " ms" not in visitor.get(f"/status/{without}").text
    assert visitor.get(f"/badge/{without}/response.svg").status == 404


def test_open_and_past_incidents(world: World, alice: Person, visitor: Person) -> None:
    shop, other = (alice.make_target(name=name, failure_threshold=1) for name in ("Shop", "Other"))
    slug = publish(alice, target_ids=[shop["id"]])
    for target in (shop, other):
        world.checker.script[target["id"]] = DOWN
    world.run(130)
    world.run_alerts()
    page = view_page(visitor, slug)
    (incident,) = page["incidents"]
    assert (incident["target"], incident["closed_at"]) == ("Shop", None)
    assert "Shop is down" in visitor.get(f"/status/{slug}").text
    own = alice.get("/v1/incidents").json["items"]
    for one in own:
        alice.post(f"/v1/incidents/{one['id']}/acknowledge", {"note": "Bob broke the database"})
    assert view_page(visitor, slug)["incidents"][0]["acknowledged_at"] is not None
    assert "Being looked into since" in visitor.get(f"/status/{slug}").text
    world.checker.script.clear()
    world.run(130)
    world.run_alerts()
    (closed,) = view_page(visitor, slug)["incidents"]
    assert closed["closed_at"] is not None
    assert closed["id"] == incident["id"]
    assert "Shop was down for" in visitor.get(f"/status/{slug}").text
    world.clock.time += 15 * DAY_S
    assert view_page(visitor, slug)["incidents"] == []
    assert "None in the last 14 days." in visitor.get(f"/status/{slug}").text


def test_outage_within_maintenance_is_not_an_incident(
    world: World, alice: Person, visitor: Person
) -> None:
    target = alice.make_target(failure_threshold=1)
    slug = publish(alice, target_ids=[target["id"]])
    window(alice, 0, 3_600, target_ids=[target["id"]], tags=[])
    world.checker.script[target["id"]] = DOWN
    world.run(130)
    world.run_alerts()
    page = view_page(visitor, slug)
    assert (page["status"], page["incidents"]) == ("maintenance", [])
    assert len(alice.get("/v1/incidents").json["items"]) == 1


def test_active_and_upcoming_maintenance(world: World, alice: Person, visitor: Person) -> None:
    shop, other = alice.make_target(tags=["prod", "inner"]), alice.make_target(name="Other")
    slug = publish(alice, target_ids=[shop["id"]])
    window(alice, 0, 600, name="Now", tags=["inner"])
    window(alice, 5 * DAY_S, 5 * DAY_S + 600, name="Soon", target_ids=[shop["id"], other["id"]])
    window(alice, 20 * DAY_S, 20 * DAY_S + 600, name="Later")
    window(alice, 0, 600, name="Elsewhere", tags=["elsewhere"])
    found = view_page(visitor, slug)["maintenance"]
    assert [(one["name"], one["active"], one["targets"]) for one in found] == [
        ("Now", True, ["Shop"]),
        ("Soon", False, ["Shop"]),
    ]
    text = visitor.get(f"/status/{slug}").text
    assert text.index("<h2>Now</h2>") < text.index("Planned maintenance") < text.index(">Soon<")
