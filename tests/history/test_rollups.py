"""Rollups over a real store: hours and days as the results have them, whatever goes wrong."""

import json
from dataclasses import replace
from itertools import pairwise

import pytest

from chalicelib.aws.tenancy import acting_for
from chalicelib.history.dispatch import fan_out
from chalicelib.history.rollups.job import RollupJob, periods_to_roll_up
from chalicelib.history.rollups.repository import Period, Rollup, Rollups, months_of
from chalicelib.history.rollups.requests import all_requests
from chalicelib.history.rollups.rollup import DAY_S, HOUR_S, Segment
from chalicelib.history.rollups.worker import roll_up_lane
from chalicelib.monitoring.result import CheckResult
from chalicelib.monitoring.storage.models import RollupItem
from chalicelib.monitoring.storage.result_repository import CheckKey, Results, write_results
from tests.support.world import DOWN, START, UP, Person, World, as_system

HOUR = START // HOUR_S * HOUR_S
DAY = START // DAY_S * DAY_S


def keep(
    person: Person, tick: int, result: CheckResult = UP, places: int = 1, place: int | None = None
) -> None:
    """Have results in the store as the worker would have written them."""
    key = CheckKey(person.owner, 0, tick, "us-east-1", place)
    found = dict.fromkeys(range(places), result) if place is None else {place: result}
    with acting_for(person.owner):
        written = write_results(
            key, found, retention_days=90, intervals_s=dict.fromkeys(range(50), 60)
        )
    assert written


def stored(world: World, person: Person, period: Period, start: int) -> list[Rollup]:
    with acting_for(person.owner):
        rollups = Rollups(person.owner).between(period, 0, start, start + 1, now=world.runtime.now)
        return list(rollups)


def segment(world: World, person: Person, period: Period, start: int) -> Segment:
    (rollup,) = stored(world, person, period, start)
    found = rollup.segment(0)
    assert found
    return found


def test_an_hour_is_rolled_up_when_it_is_over(world: World) -> None:
    alice = world.user()
    alice.make_target()
    for minute in range(60):
        keep(alice, HOUR - HOUR_S + 60 * minute, DOWN if minute >= 54 else UP, places=3)
    assert world.run_rollups() == 0
    found = segment(world, alice, Period.HOUR, HOUR - HOUR_S)
    assert (found.counts, found.seconds) == ((54, 6, 0, 0), (54 * 60, 5 * 60, 0, 0))
    assert (found.latency.count, found.latency.mean) == (54, 50)
    assert stored(world, alice, Period.HOUR, HOUR) == []


def test_a_day_is_rolled_up_from_its_hours_when_it_is_over(world: World) -> None:
    alice = world.user()
    alice.make_target()
    for hour in range(24):
        keep(alice, DAY - DAY_S + hour * HOUR_S + 30, DOWN if hour == 7 else UP)
    with acting_for(alice.owner):
        assert roll_up_lane(world.runtime, RollupJob(alice.owner, 0, [(DAY - DAY_S, HOUR)])) == 24
    assert segment(world, alice, Period.DAY, DAY - DAY_S).counts == (23, 1, 0, 0)
    assert stored(world, alice, Period.DAY, DAY) == []


def test_rolling_up_again_writes_nothing(world: World, dynamodb_calls: list[str]) -> None:
    alice = world.user()
    keep(alice, DAY - 100)
    wanted = RollupJob(alice.owner, 0, [(DAY - DAY_S, DAY)])
    with acting_for(alice.owner):
        roll_up_lane(world.runtime, wanted)
        assert dynamodb_calls.count("PutItem") == 3  # a result, an hour, a day
        dynamodb_calls.clear()
        roll_up_lane(world.runtime, wanted)
    assert dynamodb_calls == ["Query"] * 5  # windows, hours, results, hours, a day


def test_a_lane_without_results_gets_no_rollups(world: World) -> None:
    alice = world.user()
    alice.make_target()
    world.clock.time += DAY_S
    assert world.run_rollups() == 0
    with as_system():
        assert list(RollupItem.query(f"{alice.owner}#0#202611")) == []


def test_a_duplicate_event_starts_nothing(world: World) -> None:
    for name in ("alice", "ben"):
        world.user(name).make_target()
    world.run_rollups()
    assert rollup_jobs(world) == []
    world.clock.time += HOUR_S
    assert [len(one.spans) for one in rollup_jobs(world)] == [2, 2]
    assert rollup_jobs(world) == []


def rollup_jobs(world: World) -> list[RollupJob]:
    fan_out(world.runtime)
    events = world.functions.take("rollup")
    return [RollupJob.from_json(text) for event in events for text in event["folds"]]


@pytest.mark.parametrize(
    ("most", "lanes", "sizes"),
    [(1, 1_000, [1_000]), (5, 1_000, [200] * 5), (50, 1_000, [100] * 10), (50, 0, [])],
)
def test_many_lanes_share_few_runs(
    world: World, monkeypatch: pytest.MonkeyPatch, most: int, lanes: int, sizes: list[int]
) -> None:
    owner = "0190c1de-0000-7000-8000-000000000000"
    monkeypatch.setattr(
        "chalicelib.history.dispatch.all_lanes",
        lambda: ((owner, number) for number in range(lanes)),
    )
    world.runtime.settings = replace(world.runtime.settings, background_runs=most)
    fan_out(world.runtime)
    events = world.functions.take("rollup")
    assert [len(event["folds"]) for event in events] == sizes
    assert all(len(json.dumps(event)) < 256_000 for event in events)


def test_rollups_and_erasures_share_the_runs(world: World) -> None:
    world.runtime.settings = replace(world.runtime.settings, background_runs=2)
    owners = [world.user(name) for name in ("alice", "bob", "carol")]
    for owner in owners:
        for _ in range(60 if owner is owners[0] else 1):
            owner.delete(f"/v1/targets/{owner.make_target()['id']}")
    fan_out(world.runtime)
    first, second = world.functions.take("rollup")
    assert "folds" in first
    erased = sorted(first["erase"] + second["erase"])
    assert erased == sorted(
        [f"{owners[0].owner}#{part}/2" for part in range(2)]
        + [f"{owner.owner}#0/1" for owner in owners[1:]]
    )


def test_a_late_result_is_included(world: World, lowest_place: None) -> None:
    alice = world.user()
    target = alice.make_target(interval_s=86_400)
    hour = HOUR - 2 * HOUR_S
    keep(alice, hour + 50)
    with acting_for(alice.owner):
        roll_up_lane(world.runtime, RollupJob(alice.owner, 0, [(hour, HOUR)]))
    (late,) = [body for body in world.queue.take() if target["id"] in body]
    # The worker comes to it two hours after its tick, which its interval allows.
    world.clock.time += 2 * HOUR_S
    world.deliver([late])
    assert world.functions.take("rollup") == [], "only the hourly run starts rollups"
    fan_out(world.runtime)
    (run,) = world.functions.take("rollup")
    (request,) = run["requests"]
    assert not world.roll_up({"requests": [request]})
    assert segment(world, alice, Period.HOUR, HOUR).counts == (1, 0, 0, 0)
    with as_system():
        assert list(all_requests()) == []


def test_a_rollup_never_replaces_one_of_more_results(world: World) -> None:
    alice = world.user()
    rollups = Rollups(alice.owner)
    with acting_for(alice.owner):
        more = Rollup.of(HOUR, {0: Segment(HOUR, HOUR + 60, HOUR + 120, 0)}, 2)
        less = Rollup.of(HOUR, {0: Segment(HOUR, HOUR, HOUR + 60, 0)}, 1)
        assert rollups.write(Period.HOUR, 0, more, retention_days=400)
        assert not rollups.write(Period.HOUR, 0, less, retention_days=400)
    assert stored(world, alice, Period.HOUR, HOUR) == [more]


def test_a_rollup_stays_when_its_results_expire(world: World) -> None:
    alice = world.user()
    keep(alice, HOUR + 10)
    keep(alice, HOUR + 70)
    world.clock.time = HOUR + HOUR_S
    wanted = RollupJob(alice.owner, 0, [(HOUR, HOUR + HOUR_S)])
    with acting_for(alice.owner):
        roll_up_lane(world.runtime, wanted)
        # One of the two results has expired, and then both.
        for later in (90 * DAY_S + 30, 91 * DAY_S):
            world.clock.time = HOUR + later
            roll_up_lane(world.runtime, wanted)
    assert segment(world, alice, Period.HOUR, HOUR).counts == (2, 0, 0, 0)


def test_expired_rollups_are_not_read_before_their_deletion(world: World) -> None:
    alice = world.user()
    keep(alice, HOUR - 100)
    with acting_for(alice.owner):
        roll_up_lane(world.runtime, RollupJob(alice.owner, 0, [(HOUR - HOUR_S, HOUR)]))
    world.clock.time += 401 * DAY_S
    assert stored(world, alice, Period.HOUR, HOUR - HOUR_S) == []


def test_if_lambda_refuses_the_next_run_requests_the_hours_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice = world.user()
    alice.make_target()
    keep(alice, HOUR - 100)

    def refuse(*_: object) -> None:
        raise RuntimeError("refused")

    with monkeypatch.context() as patch:
        patch.setattr(world.functions, "start", refuse)
        with pytest.raises(RuntimeError):
            world.run_rollups()
    assert world.run_rollups() == 0
    assert segment(world, alice, Period.HOUR, HOUR - HOUR_S).counts == (1, 0, 0, 0)


def test_a_rollup_that_dies_between_hour_and_day_is_finished_by_a_retry(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice = world.user()
    keep(alice, DAY - 100)
    event = {"folds": [RollupJob(alice.owner, 0, [(DAY - HOUR_S, DAY)]).to_json()]}

    def die(*_: object) -> None:
        raise RuntimeError("died")

    with monkeypatch.context() as patch:
        patch.setattr("chalicelib.history.rollups.worker._roll_up_day", die)
        assert world.roll_up(event)
    assert stored(world, alice, Period.DAY, DAY - DAY_S) == []
    assert not world.roll_up(event)
    assert len(stored(world, alice, Period.DAY, DAY - DAY_S)) == 1


def test_a_failed_rollup_does_not_affect_the_others(world: World) -> None:
    alice = world.user()
    keep(alice, HOUR - 100)
    good = RollupJob(alice.owner, 0, [(HOUR - HOUR_S, HOUR)]).to_json()
    assert world.roll_up({"folds": ["{}", good, '{"v":9}']})
    assert len(stored(world, alice, Period.HOUR, HOUR - HOUR_S)) == 1


def test_after_an_outage_all_missed_hours_are_requested_by_day() -> None:
    end = HOUR
    (normal,) = periods_to_roll_up(end - HOUR_S, end + 120, 90 * DAY_S)
    assert normal == [(end - 26 * HOUR_S, end - DAY_S), (end - 2 * HOUR_S, end)]
    days = [span for (span,) in periods_to_roll_up(end - 3 * DAY_S, end + 120, 90 * DAY_S)]
    assert (days[0][0], days[-1][1]) == (end - 4 * DAY_S - HOUR_S, end)
    assert all(a[1] == b[0] for a, b in pairwise(days))
    assert periods_to_roll_up(end, end + 3_599, 90 * DAY_S) == []
    assert periods_to_roll_up(None, end + 5, 90 * DAY_S) == [
        [(end - 26 * HOUR_S, end - DAY_S), (end - 2 * HOUR_S, end)]
    ]


def test_every_hour_is_requested_at_once_again_and_a_day_later() -> None:
    given = [
        span
        for run in range(1, 40)
        for spans in periods_to_roll_up(
            HOUR + (run - 1) * HOUR_S, HOUR + run * HOUR_S + 9, 90 * DAY_S
        )
        for span in spans
    ]
    wanted = HOUR + 5 * HOUR_S
    assert sum(start <= wanted < end for start, end in given) == 4


def test_a_cursor_in_the_future_is_ignored() -> None:
    now = HOUR + 9
    assert periods_to_roll_up(HOUR + DAY_S, now, 90 * DAY_S) == periods_to_roll_up(
        None, now, 90 * DAY_S
    )


def test_results_of_a_lane_are_read_in_order(world: World) -> None:
    alice = world.user()
    for tick in (DAY - 50, DAY + 10, DAY - 110):
        keep(alice, tick)
    with acting_for(alice.owner):
        found = Results(alice.owner).between(0, DAY - 200, DAY + 50, now=world.runtime.now)
        assert [one.tick for one in found] == [DAY - 110, DAY - 50, DAY + 10]


def test_spans_are_split_by_month() -> None:
    leap = 1_709_164_800  # 2024-02-29
    assert list(months_of(leap, leap + 2 * DAY_S)) == [
        (leap, leap + DAY_S),
        (leap + DAY_S, leap + 2 * DAY_S),
    ]
    assert len(list(months_of(leap, leap + 366 * DAY_S))) == 13
