"""The history of a target: its range, its pages, and what has expired."""

from collections.abc import Callable

import pytest

from chalicelib.api.schemas import render_time
from chalicelib.aws.tenancy import acting_for
from chalicelib.common.parallel import run_parallel
from chalicelib.monitoring.result import CheckResult
from chalicelib.monitoring.storage.result_repository import CheckKey, write_results
from tests.support.world import DOWN, START, UP, Person, World

DAY = 86_400


def keep(world: World, person: Person, tick: int, result: CheckResult = UP, place: int = 0) -> None:
    """Have a result in the store as the worker would have written it."""
    with acting_for(person.owner):
        key = CheckKey(person.owner, 0, tick, "us-east-1")
        assert write_results(key, {place: result}, retention_days=90)


def a_year_old_target(world: World, alice: Person) -> str:
    world.clock.time = START - 365 * DAY
    with_place_0 = alice.make_target()
    world.clock.time = START
    world.queue.waiting.clear()
    return str(with_place_0["id"])


def times(person: Person, path: str) -> list[str]:
    reply = person.get(path)
    assert reply.status == 200, reply.text
    return [check["checked_at"] for check in reply.json["items"]]


def test_newest_first_over_days(world: World, lowest_place: None) -> None:
    alice = world.user()
    target = a_year_old_target(world, alice)
    ticks = [START - ago for ago in (3 * DAY, DAY, 60, 30)]
    for tick in ticks:
        keep(world, alice, tick)
    assert times(alice, f"/v1/targets/{target}/checks") == [
        render_time(tick) for tick in sorted(ticks, reverse=True)
    ]


def test_from_is_inclusive_and_to_exclusive(world: World, lowest_place: None) -> None:
    alice = world.user()
    target = a_year_old_target(world, alice)
    for tick in range(START - 50, START, 10):
        keep(world, alice, tick)
    start, end = render_time(START - 40), render_time(START - 20)
    path = f"/v1/targets/{target}/checks?from={start}&to={end}"
    assert times(alice, path) == [render_time(START - 30), render_time(START - 40)]


def test_pages_are_contiguous_across_midnight(world: World, lowest_place: None) -> None:
    alice = world.user()
    target = a_year_old_target(world, alice)
    midnight = START // DAY * DAY
    ticks = [midnight + at for at in range(-70, 70, 10)]
    for tick in ticks:
        keep(world, alice, tick)
    seen, cursor = [], ""
    while True:
        reply = alice.get(f"/v1/targets/{target}/checks?limit=3{cursor}").json
        seen += [check["checked_at"] for check in reply["items"]]
        if reply["next_cursor"] is None:
            break
        cursor = f"&cursor={reply['next_cursor']}"
    assert seen == [render_time(tick) for tick in sorted(ticks, reverse=True)]


def test_history_filtered_by_verdict(world: World, lowest_place: None) -> None:
    alice = world.user()
    target = a_year_old_target(world, alice)
    keep(world, alice, START - 20, DOWN)
    keep(world, alice, START - 10)
    assert times(alice, f"/v1/targets/{target}/checks?verdict=DOWN") == [render_time(START - 20)]


def test_expired_results_are_not_shown_before_their_deletion(
    world: World, lowest_place: None
) -> None:
    alice = world.user()
    target = a_year_old_target(world, alice)
    keep(world, alice, START - 91 * DAY)
    keep(world, alice, START - 89 * DAY)
    assert times(alice, f"/v1/targets/{target}/checks") == [render_time(START - 89 * DAY)]


def test_a_day_reads_the_partition_of_that_day_only(
    world: World, lowest_place: None, dynamodb_calls: list[str]
) -> None:
    alice = world.user()
    target = a_year_old_target(world, alice)
    day = START // DAY * DAY - 5 * DAY
    keep(world, alice, day + 100)
    dynamodb_calls.clear()
    start, end = render_time(day), render_time(day + DAY)
    times(alice, f"/v1/targets/{target}/checks?from={start}&to={end}")
    assert dynamodb_calls.count("Query") == 1


def test_checks_days_apart_are_read_concurrently(
    world: World, lowest_place: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice = world.user()
    target = a_year_old_target(world, alice)
    ticks = [START - ago * DAY for ago in range(1, 60)]
    for tick in ticks:
        keep(world, alice, tick)
    rounds: list[int] = []

    def count(calls: list[Callable[[], object]]) -> list[object]:
        rounds.append(len(calls))
        return run_parallel(calls)

    monkeypatch.setattr("chalicelib.monitoring.storage.result_repository.run_parallel", count)
    path = f"/v1/targets/{target}/checks?limit=200"
    assert times(alice, path) == [render_time(tick) for tick in ticks]
    assert rounds == [2, 4, 8, 16, 16, 16, 16, 12]
