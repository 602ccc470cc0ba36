"""Statistics through the API: windows, ranges, tags, and what is refused."""

import pytest

from chalicelib.api.schemas import render_time
from chalicelib.aws.tenancy import acting_for
from chalicelib.history.rollups.job import RollupJob
from chalicelib.history.rollups.worker import roll_up_lane
from chalicelib.monitoring.result import CheckResult, Timings, Verdict
from chalicelib.monitoring.storage.result_repository import CheckKey, write_results
from tests.support.world import DOWN, START, UNKNOWN, UP, Person, World

pytestmark = pytest.mark.shared_stage

DAY_S = 86_400


def keep(person: Person, tick: int, result: CheckResult = UP, places: int = 1) -> None:
    key = CheckKey(person.owner, 0, tick, "us-east-1")
    found = dict.fromkeys(range(places), result)
    intervals_s = dict.fromkeys(range(places), 60)
    with acting_for(person.owner):
        assert write_results(key, found, retention_days=90, intervals_s=intervals_s)


def an_old_target(world: World, alice: Person, days: int = 3, **fields: object) -> str:
    world.clock.time = START - days * DAY_S
    made = alice.make_target(**fields)
    world.queue.waiting.clear()
    world.clock.time = START
    return str(made["id"])


def roll_up_all(world: World, person: Person, start: int) -> None:
    with acting_for(person.owner):
        roll_up_lane(world.runtime, RollupJob(person.owner, 0, [(start, START)]))


def test_without_history_the_response_has_zeros_and_nulls(world: World) -> None:
    alice = world.user()
    target = alice.make_target()
    found = alice.get(f"/v1/targets/{target['id']}/stats").json
    assert (found["uptime_ratio"], found["checks"], found["downtime_s"]) == (None, 0, 0)
    assert found["response_ms"] == dict.fromkeys(("avg", "min", "max", "p50", "p95", "p99"))
    assert {point["uptime_ratio"] for point in found["series"]} == {None}
    assert alice.get("/v1/stats").json["targets"] == 1
    assert world.user("ben").get("/v1/stats").json["uptime_ratio"] is None


def test_statistics_of_the_last_hour(world: World, lowest_place: None) -> None:
    alice = world.user()
    target = an_old_target(world, alice)
    for minute in range(60):
        keep(alice, START - 3600 + 60 * minute, DOWN if minute < 15 else UP)
    found = alice.get(f"/v1/targets/{target}/stats?window=1h").json
    assert (found["from"], found["to"]) == (render_time(START - 3600), render_time(START))
    assert (found["uptime_ratio"], found["downtime_s"], found["known_s"]) == (0.75, 900, 3600)
    assert (found["checks"], found["up"], found["down"]) == (60, 45, 15)
    assert found["response_ms"] == {
        "avg": 50,
        "min": 50,
        "max": 50,
        "p50": 50,
        "p95": 50,
        "p99": 50,
    }
    assert found["bucket_s"] == 60
    assert sum(point["checks"] for point in found["series"]) == 60


@pytest.mark.parametrize("window", ["24h", "7d", "30d", "90d", "365d"])
@pytest.mark.parametrize("folded", [True, False])
def test_a_window_is_the_same_from_rollups_and_results(
    world: World, lowest_place: None, window: str, *, folded: bool
) -> None:
    alice = world.user()
    target = an_old_target(world, alice, days=1)
    verdicts = [UP, UP, DOWN, UNKNOWN, CheckResult(Verdict.DEGRADED, timings=Timings(body=900))]
    for number in range(200):
        if number % 7:
            keep(alice, START - DAY_S + 200 + 429 * number, verdicts[number // 7 % 5])
    if folded:
        roll_up_all(world, alice, START - 2 * DAY_S)
    found = alice.get(f"/v1/targets/{target}/stats?window={window}").json
    counts = [found[name] for name in ("up", "down", "degraded", "unknown")]
    assert (sum(counts), found["checks"]) == (171, 171)
    assert found["known_s"] == 60 * (171 - found["unknown"])
    assert found["downtime_s"] == 60 * found["down"] > 0
    assert sum(point["downtime_s"] for point in found["series"]) == found["downtime_s"]
    gaps = [point for point in found["series"] if not point["known_s"]]
    assert all(point["uptime_ratio"] is None for point in gaps)


def test_history_of_the_previous_target_in_a_place_is_ignored(
    world: World, lowest_place: None
) -> None:
    alice = world.user()
    first = an_old_target(world, alice)
    keep(alice, START - 90, DOWN)
    keep(alice, START - DAY_S, DOWN)
    assert alice.delete(f"/v1/targets/{first}").status == 204
    second = alice.make_target()["id"]
    keep(alice, START + 5)
    world.clock.time = START + 60
    for window in ("1h", "24h", "30d"):
        found = alice.get(f"/v1/targets/{second}/stats?window={window}").json
        assert (found["checks"], found["down"], found["uptime_ratio"]) == (1, 0, 1.0)
    world.clock.time = START + 2 * DAY_S
    with acting_for(alice.owner):
        roll_up_lane(
            world.runtime, RollupJob(alice.owner, 0, [(START - 3 * DAY_S, START + 2 * DAY_S)])
        )
    found = alice.get(f"/v1/targets/{second}/stats?window=30d").json
    assert (found["checks"], found["down"]) == (1, 0)
    assert alice.get(f"/v1/targets/{first}/stats").status == 404


def test_statistics_of_all_targets_and_of_a_tag(world: World, lowest_place: None) -> None:
    alice = world.user()
    an_old_target(world, alice, tags=["prod"])
    an_old_target(world, alice, tags=["test"])
    keep(alice, START - 90, UP, places=2)
    keep(alice, START - 30, DOWN, places=1)
    found = alice.get("/v1/stats?window=1h").json
    assert (found["targets"], found["checks"], found["uptime_ratio"]) == (2, 3, 0.8)
    tagged = alice.get("/v1/stats?window=1h&tag=test").json
    assert (tagged["targets"], tagged["checks"], tagged["uptime_ratio"]) == (1, 1, 1.0)


def test_other_owners_get_404(world: World) -> None:
    target = world.user().make_target()["id"]
    assert world.user("ben").get(f"/v1/targets/{target}/stats").status == 404


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("window=2h", "query.window"),
        ("window=1h&from=2026-11-18T00:00:00Z", "query.from"),
        ("window=1h&to=2026-11-18T00:00:00Z", "query.to"),
        ("to=2026-11-18T00:00:00Z", "query.to"),
        ("from=2026-11-18T00:00:00Z&to=2026-11-17T00:00:00Z", "query.from"),
        ("from=2026-11-17T00:00:00Z&to=2026-11-17T00:00:00Z", "query.from"),
        ("from=2026-11-17T00:00:00", "query.from"),
        ("from=2015-11-17T00:00:00Z", "query.from"),
        ("from=2027-11-17T00:00:00Z", "query.from"),
        ("from=yesterday", "query.from"),
        ("colour=red", "query.colour"),
    ],
)
def test_invalid_ranges_are_rejected(world: World, query: str, field: str) -> None:
    alice = world.user()
    target = alice.make_target()["id"]
    for path in (f"/v1/targets/{target}/stats", "/v1/stats"):
        reply = alice.get(f"{path}?{query}")
        assert reply.status == 400
        assert field in reply.fields


def test_the_report_has_a_line_per_target(world: World, lowest_place: None) -> None:
    alice = world.user()
    an_old_target(world, alice, name="Shop")
    an_old_target(world, alice, days=2, name="=cmd()")
    keep(alice, START - 90, UP, places=2)
    keep(alice, START - 30, DOWN, places=1)
    found = alice.get("/v1/reports/uptime?month=2026-11").json
    assert [(line["name"], line["checks"]) for line in found["items"]] == [
        ("Shop", 2),
        ("=cmd()", 1),
    ]
    assert found["items"][0]["uptime_ratio"] == 60 / 90
    assert (found["from"], found["to"]) == ("2026-11-01T00:00:00Z", render_time(START))
    assert found["next_cursor"] is None


def test_the_report_is_paginated_as_csv(world: World, lowest_place: None) -> None:
    alice = world.user()
    an_old_target(world, alice, name="=cmd()")
    an_old_target(world, alice, days=2, name='The "shop", really')
    keep(alice, START - 90, UP, places=2)
    reply = alice.get("/v1/reports/uptime?month=2026-11&format=csv&limit=1")
    assert reply.headers["content-type"].startswith("text/csv")
    head, line = reply.text.strip().split("\r\n")
    assert head.startswith("target_id,name,uptime_ratio,downtime_s")
    assert line.split(",")[1:6] == ["'=cmd()", "1.0", "0", "60", "1"]
    cursor = reply.headers["link"].partition("cursor=")[2].partition(">")[0]
    reply = alice.get(f"/v1/reports/uptime?month=2026-11&format=csv&limit=1&cursor={cursor}")
    assert '"The ""shop"", really"' in reply.text
    assert "link" not in reply.headers


@pytest.mark.parametrize(
    "month", ["2026-13", "2026-1", "november", "2027-01", "2019-01", "0000-01", "9999-12", ""]
)
def test_invalid_months_are_rejected(world: World, month: str) -> None:
    reply = world.user().get(f"/v1/reports/uptime?month={month}")
    assert (reply.status, reply.fields) == (400, ["query.month"])


def test_incidents_mttr_and_mtbf(world: World, lowest_place: None) -> None:
    alice = world.user()
    target = alice.make_target()["id"]
    other = alice.make_target()["id"]
    for result, seconds in ((UP, 120), (DOWN, 300), (UP, 240)):
        world.checker.script[target] = result
        world.run(seconds)
        world.run_alerts()
    found = alice.get(f"/v1/targets/{target}/stats?window=1h").json
    assert found["incidents"] == 1
    assert found["mttr_s"] == found["downtime_s"] == 300
    assert 180 <= found["mtbf_s"] <= 480
    calm = alice.get(f"/v1/targets/{other}/stats?window=1h").json
    assert (calm["incidents"], calm["mttr_s"], calm["mtbf_s"]) == (0, None, None)
    assert alice.get("/v1/stats?window=1h").json["incidents"] == 1
