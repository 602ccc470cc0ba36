"""Statistics of many targets: summed up lane by lane, to the same as one by one, or refused."""

from collections.abc import Sequence
from typing import Any

import pytest

from chalicelib.aws.tenancy import acting_for
from chalicelib.common.intervals import NOTHING
from chalicelib.history import aggregation
from chalicelib.history import service as history_service
from chalicelib.history.read_plan import Retention
from chalicelib.history.rollups.statistics import bucket_edges
from chalicelib.monitoring.check_spec import CheckSpec
from chalicelib.monitoring.result import CheckResult, Timings
from chalicelib.monitoring.storage.models import RollupItem
from chalicelib.monitoring.storage.result_repository import CheckKey, write_results
from chalicelib.monitoring.target import Target
from chalicelib.runtime import Runtime
from tests.history.test_stats_api import an_old_target, keep, roll_up_all
from tests.support.world import DOWN, START, UNKNOWN, UP, Person, World

pytestmark = pytest.mark.shared_stage

DAY_S = 86_400
WINDOWS = ("1h", "24h", "30d")


@pytest.fixture
def singly(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The lanes that were summed up target by target; clear it before."""
    lanes: list[int] = []

    def each(question: aggregation.HistoryQuery, wanted: aggregation.Lanes) -> Any:
        lanes.extend(wanted)
        return aggregation.tally_targets(question, wanted)

    monkeypatch.setattr(history_service, "tally_targets", each)
    return lanes


def keep_some(person: Person, places: Sequence[int], since: int = START - 3 * DAY_S) -> None:
    """Results every two hours, and every minute of the last; each place with other ones."""
    ticks = [*range(since + 100, START - 3600, 7_200), *range(START - 3580, START, 60)]
    with acting_for(person.owner):
        for number, tick in enumerate(ticks):
            results = {
                place: (UP, UP, DOWN, UNKNOWN, CheckResult(UP.verdict, timings=Timings(body=9)))[
                    (number + place) // 3 % 5
                ]
                for place in places
            }
            key = CheckKey(person.owner, 0, tick, "us-east-1")
            write_results(key, results, retention_days=90, intervals_s=dict.fromkeys(places, 300))


def check_sums(person: Person, targets: Sequence[str], window: str, tag: str = "") -> None:
    """That all together come to what each comes to by itself."""
    whole = person.get(f"/v1/stats?window={window}{tag and f'&tag={tag}'}").json
    single = [person.get(f"/v1/targets/{one}/stats?window={window}").json for one in targets]
    assert whole["targets"] == len(targets)
    for name in ("checks", "up", "down", "degraded", "unknown", "downtime_s", "known_s"):
        assert whole[name] == sum(one[name] for one in single), name
        for at, point in enumerate(whole["series"]):
            assert point[name] == sum(one["series"][at][name] for one in single), name
    times = [one["response_ms"] for one in single]
    assert whole["response_ms"]["min"] == min(one["min"] for one in times)
    assert whole["response_ms"]["max"] == max(one["max"] for one in times)
    assert whole["checks"] > 0


@pytest.mark.parametrize("window", WINDOWS)
def test_a_whole_lane_is_read_by_its_summaries(
    world: World, lowest_place: None, singly: list[int], window: str
) -> None:
    alice = world.user()
    made = [an_old_target(world, alice), an_old_target(world, alice), an_old_target(world, alice)]
    keep_some(alice, range(3))
    roll_up_all(world, alice, START - 3 * DAY_S)
    check_sums(alice, made, window)
    # Only what was asked for by itself.
    assert len(singly) == len(made)


def test_targets_with_a_tag_in_a_mixed_lane_are_read_one_by_one(
    world: World, lowest_place: None, singly: list[int]
) -> None:
    alice = world.user()
    made = [an_old_target(world, alice, tags=["prod"]) for _ in range(2)]
    an_old_target(world, alice)
    keep_some(alice, range(3))
    roll_up_all(world, alice, START - 3 * DAY_S)
    check_sums(alice, made, "30d", tag="prod")
    assert len(singly) == len(made) + 1


def test_a_summary_with_history_of_a_deleted_target_is_not_used(
    world: World, lowest_place: None, singly: list[int]
) -> None:
    alice = world.user()
    first, second = an_old_target(world, alice), an_old_target(world, alice)
    keep_some(alice, range(2))
    roll_up_all(world, alice, START - 3 * DAY_S)
    assert alice.delete(f"/v1/targets/{first}").status == 204
    third = str(alice.make_target()["id"])
    keep(alice, START + 30, places=2)
    world.clock.time += 60
    check_sums(alice, [second, third], "30d")
    assert len(singly) == 3


def test_rollups_without_a_summary_are_read_by_segment(
    world: World, lowest_place: None, singly: list[int]
) -> None:
    alice = world.user()
    made = [an_old_target(world, alice), an_old_target(world, alice)]
    keep_some(alice, range(2))
    roll_up_all(world, alice, START - 3 * DAY_S)
    with acting_for(alice.owner):
        for item in RollupItem.query(f"{alice.owner}#0#202611"):
            item.update([RollupItem.together.remove()])
    check_sums(alice, made, "30d")
    assert len(singly) == 3


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("window=365d", "query.window"),
        ("", "query.window"),
        ("from=2026-11-01T00:00Z", "query.from"),
    ],
)
def test_queries_estimated_too_large_are_refused(
    world: World, monkeypatch: pytest.MonkeyPatch, query: str, field: str
) -> None:
    alice = world.user()
    an_old_target(world, alice)
    monkeypatch.setattr(history_service, "MAX_CPU_S", 0)
    reply = alice.get(f"/v1/stats?{query}")
    assert (reply.status, reply.fields) == (400, [field])
    assert "1 targets" in reply.text


def test_queries_with_too_many_incidents_are_refused(
    world: World, lowest_place: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice = world.user()
    target = alice.make_target(failure_threshold=1)["id"]
    world.checker.script[target] = DOWN
    world.run(60)
    world.run_alerts()
    path = f"/v1/targets/{target}/stats?window=1h"
    assert alice.get(path).json["incidents"] == 1
    monkeypatch.setattr("chalicelib.history.outages.MAX_INCIDENTS", 0)
    assert alice.get(path).status == 400
    assert alice.get("/v1/stats").status == 400


def test_a_query_that_exceeds_its_deadline_is_stopped(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice = world.user()
    target = an_old_target(world, alice)
    monkeypatch.setattr(history_service, "PATIENCE_S", -1)
    for path, field in (
        ("/v1/stats?window=7d", "query.window"),
        (f"/v1/targets/{target}/stats?from=2026-11-17T00:00:00Z", "query.from"),
        ("/v1/reports/uptime?month=2026-11", "query.limit"),
    ):
        reply = alice.get(path)
        assert (reply.status, reply.fields) == (400, [field])


def many(count: int, every: int = 1) -> list[Target]:
    """Targets that fill lanes, or every so many places of them, for more than a year."""
    return [
        Target(
            owner="o",
            spec=CheckSpec(
                target_id=str(number),
                place=number * every % 50,
                kind="tcp",
                interval_s=60,
                timeout_s=10,
                failure_threshold=1,
                recovery_threshold=1,
                config={},
            ),
            lane=number * every // 50,
            name="",
            created_at=START - 400 * DAY_S,
            updated_at=START - 400 * DAY_S,
        )
        for number in range(count)
    ]


def estimate(runtime: Runtime, targets: list[Target], days: int, *, whole: bool) -> float:
    keep = Retention.at(START, results_days=90, hourly_days=400, daily_days=1_827)
    span = keep.fit(START - days * DAY_S, START)
    bucket = keep.bucket_s(*span)
    excluded = {target.id: NOTHING for target in targets}
    question = aggregation.HistoryQuery(
        runtime.settings, "o", keep, bucket_edges(*span, bucket), bucket, excluded, 0
    )
    lanes = aggregation.by_lane(targets)
    return aggregation.estimated_cpu_s(question, lanes if whole else {}, {} if whole else lanes)


def test_the_largest_queries_that_are_answered(world: World) -> None:
    everything = many(10_000)
    for days in (1, 7, 30, 90):
        assert estimate(world.runtime, everything, days, whole=True) < history_service.MAX_CPU_S
    assert estimate(world.runtime, everything, 365, whole=True) > history_service.MAX_CPU_S
    assert estimate(world.runtime, many(7_000), 365, whole=True) < history_service.MAX_CPU_S
    assert estimate(world.runtime, many(500, 2), 365, whole=False) < history_service.MAX_CPU_S
    assert estimate(world.runtime, many(1_500, 2), 30, whole=False) < history_service.MAX_CPU_S
    assert estimate(world.runtime, many(1_500, 2), 365, whole=False) > history_service.MAX_CPU_S
