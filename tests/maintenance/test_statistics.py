"""Statistics exclude windows that do not count, to the second and as they were at the time."""

from typing import Any

import pytest

from chalicelib.aws.tenancy import acting_for
from chalicelib.history.rollups.job import RollupJob
from chalicelib.history.rollups.rollup import DAY_S, HOUR_S
from chalicelib.history.service import each_over, statistics
from chalicelib.monitoring.result import CheckResult
from chalicelib.monitoring.storage.result_repository import CheckKey, write_results
from chalicelib.monitoring.storage.target_repository import Targets
from tests.support import alerts
from tests.support.windows import window
from tests.support.world import DOWN, START, UNKNOWN, UP, Person, World

DAY = START // DAY_S * DAY_S
NOW = DAY + DAY_S
TICKS = range(DAY, NOW, 300)


@pytest.fixture
def alice(world: World) -> Person:
    """An owner, an hour before DAY begins."""
    world.clock.time = DAY - HOUR_S
    return world.user()


def verdict(tick: int) -> CheckResult:
    return (UP, UP, DOWN, UP, UNKNOWN)[tick // 300 % 5]


def store_a_day(person: Person, interval_s: int = 300) -> None:
    with acting_for(person.owner):
        for tick in TICKS:
            key = CheckKey(person.owner, 0, tick, "us-east-1")
            found = {place: verdict(tick) for place in range(3)}
            intervals_s = dict.fromkeys(range(3), interval_s)
            write_results(key, found, retention_days=90, intervals_s=intervals_s)


def expected(*excluded: tuple[int, int]) -> list[int]:
    """The seconds of the day that are up, down and excluded, counted second by second."""
    found = [0, 0, 0]
    for second in range(DAY, NOW):
        result = verdict(second // 300 * 300)
        if any(start <= second < end for start, end in excluded):
            found[2] += 1
        elif result is not UNKNOWN:
            found[1 if result is DOWN else 0] += 1
    return found


def measured(world: World, person: Person, target_id: str) -> list[int]:
    """The same from results, from rollups, and from the report."""
    found = []
    with acting_for(person.owner):
        target = Targets(person.owner).get(target_id)
        for is_rolled_up in (False, True):
            if is_rolled_up:
                assert not world.roll_up(
                    {"folds": [RollupJob(person.owner, 0, [(DAY, NOW)]).to_json()]}
                )
                world.clock.time = NOW + 2 * DAY_S
            found.append(statistics(world.runtime, person.owner, [target], (DAY, NOW)).whole)
        found.append(each_over(world.runtime, person.owner, [target], (DAY, NOW))[target_id])
    sums = {(one.up_s, one.downtime_s, one.maintenance_s) for one in found}
    assert len(sums) == 1
    assert {one.checks for one in found} == {len(TICKS)}
    return list(sums.pop())


def test_only_active_windows_that_do_not_count_are_excluded(
    world: World, alice: Person, lowest_place: None
) -> None:
    """Windows that start and end between checks, overlap, count, or cover other targets."""
    shop = alice.make_target(tags=["prod"], interval_s=300)["id"]
    window(alice, 2 * HOUR_S + 17, 3 * HOUR_S + 31)
    window(alice, 2 * HOUR_S + 100, 2 * HOUR_S + 5_000, target_ids=[shop], tags=[])
    window(alice, 10 * HOUR_S, 12 * HOUR_S, counts_in_uptime=True)
    window(alice, 14 * HOUR_S, 16 * HOUR_S, tags=["other"])
    store_a_day(alice)
    world.clock.time = NOW
    assert measured(world, alice, shop) == expected((DAY + HOUR_S + 17, DAY + HOUR_S + 5_000))


def test_changed_and_deleted_windows_are_excluded_as_they_were(
    world: World, alice: Person, lowest_place: None
) -> None:
    shop = alice.make_target(tags=["prod"], interval_s=300)["id"]
    path = f"/v1/maintenance/{window(alice, 2 * HOUR_S, 9 * HOUR_S)['id']}"
    store_a_day(alice)
    # It covers other targets for an hour, later it counts for an hour, then it is deleted.
    for hour, fields in (
        (3, {"tags": ["other"]}),
        (4, {"tags": ["prod"], "name": "Again"}),
        (5, {"name": "Only a name"}),
        (6, {"counts_in_uptime": True}),
        (7, {"counts_in_uptime": False}),
    ):
        world.clock.time = DAY + hour * HOUR_S + 7
        assert alice.patch(path, fields).status == 200
    world.clock.time = DAY + 8 * HOUR_S - 11
    # The window would have ended at 8; it ends 11 seconds earlier.
    assert alice.delete(path).status == 204
    # A window created after its start applies from its creation.
    world.clock.time = DAY + 20 * HOUR_S
    window(alice, -5 * HOUR_S, 600)
    world.clock.time = NOW
    assert measured(world, alice, shop) == expected(
        (DAY + HOUR_S, DAY + 3 * HOUR_S + 7),
        (DAY + 4 * HOUR_S + 7, DAY + 6 * HOUR_S + 7),
        (DAY + 7 * HOUR_S + 7, DAY + 8 * HOUR_S - 11),
        (DAY + 20 * HOUR_S, DAY + 20 * HOUR_S + 600),
    )


def test_a_window_covers_a_target_while_it_has_the_tag(
    world: World, alice: Person, lowest_place: None
) -> None:
    shop = alice.make_target(interval_s=300)["id"]
    body = {"name": "n", "tags": ["prod"], "cron": "0 */2 * * *", "duration_s": HOUR_S}
    assert alice.post("/v1/maintenance", body).status == 201
    store_a_day(alice)
    for hour, tags in ((3, ["prod"]), (7, ["prod", "x"]), (9, ["x"])):
        world.clock.time = DAY + hour * HOUR_S - 1_800
        assert alice.patch(f"/v1/targets/{shop}", {"tags": tags}).status == 200
    world.clock.time = NOW
    assert measured(world, alice, shop) == expected(
        (DAY + 9_000, DAY + 10_800),
        (DAY + 4 * HOUR_S, DAY + 5 * HOUR_S),
        (DAY + 6 * HOUR_S, DAY + 7 * HOUR_S),
        (DAY + 8 * HOUR_S, DAY + 8 * HOUR_S + 1_800),
    )


def test_maintenance_is_excluded_from_the_time_of_a_daily_check(
    world: World, alice: Person, lowest_place: None
) -> None:
    """The check represents a day, with a window hours after the check."""
    shop = alice.make_target(tags=["prod"], interval_s=86_400)["id"]
    window(alice, 6 * HOUR_S, 7 * HOUR_S)
    with acting_for(alice.owner):
        key = CheckKey(alice.owner, 0, DAY + 60, "us-east-1")
        write_results(key, {0: DOWN}, retention_days=90, intervals_s={0: DAY_S})
        world.clock.time = DAY + DAY_S
        target = Targets(alice.owner).get(shop)
        span = (DAY, DAY + DAY_S)
        before = statistics(world.runtime, alice.owner, [target], span).whole
        world.clock.time += 3 * DAY_S
        assert not world.roll_up({"folds": [RollupJob(alice.owner, 0, [(DAY, NOW)]).to_json()]})
        after = statistics(world.runtime, alice.owner, [target], span)
    assert before == after.whole
    assert (before.downtime_s, before.maintenance_s) == (DAY_S - 60 - HOUR_S, HOUR_S)
    assert [part.maintenance_s for part in after.series] == [
        HOUR_S if n == 5 else 0 for n in range(24)
    ]


def test_incidents_within_windows_are_not_counted_and_others_are_shortened(world: World) -> None:
    alice = world.user()
    shop = alerts.target(alice, tags=["prod"])
    window(alice, 0, 30)
    window(alice, 100, 130)
    alerts.fail(world, shop, seconds=10)
    alerts.heal(world, shop, seconds=10)
    world.run(70)
    alerts.fail(world, shop, seconds=40)
    alerts.heal(world, shop, seconds=10)
    world.run_alerts()
    found: dict[str, Any] = alice.get(f"/v1/targets/{shop['id']}/stats?window=1h").json
    items = alerts.incidents(alice)
    assert len(items) == 2
    assert found["incidents"] == 1
    assert found["mttr_s"] == found["downtime_s"] < 40
    assert found["maintenance_s"] > 0
