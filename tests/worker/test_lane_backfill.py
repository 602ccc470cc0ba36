"""A lane of an earlier version has no shard: it is given its own, and what it missed is folded."""

import pytest

from chalicelib.aws.tenancy import acting_for
from chalicelib.history.dispatch import all_lanes
from chalicelib.history.rollups.repository import Period, Rollups
from chalicelib.history.rollups.requests import all_requests
from chalicelib.history.rollups.rollup import DAY_S, HOUR_S
from chalicelib.monitoring.storage.lane_repository import lane_key
from chalicelib.monitoring.storage.models import LaneItem
from chalicelib.monitoring.storage.result_repository import CheckKey, write_results
from tests.support.world import START, UP, Person, World, as_system


@pytest.fixture
def alice(world: World, lowest_place: None) -> Person:
    """Somebody whose lane is as the first version made it, with a check of two months ago."""
    alice = world.user()
    alice.make_target()
    with acting_for(alice.owner):
        LaneItem(alice.owner, lane_key(0)).update([LaneItem.shard.remove()])
        key = CheckKey(alice.owner, 0, START - 60 * DAY_S, "us-east-1")
        write_results(key, {0: UP}, retention_days=90, intervals_s={0: 60})
    return alice


def lanes() -> list[tuple[str, int]]:
    with as_system():
        return list(all_lanes())


def requests() -> list[str]:
    with as_system():
        return list(all_requests())


def test_the_first_check_indexes_the_lane_and_rolls_up_its_results(
    world: World, alice: Person
) -> None:
    assert lanes() == []
    assert world.deliver() == []
    assert lanes() == [(alice.owner, 0)]
    spans = sorted(tuple(map(int, request.split(":")[2:])) for request in requests())
    assert (spans[0][0], spans[-1][1]) == (START - 90 * DAY_S, START)
    assert not world.roll_up({"requests": requests()})
    hour = (START - 60 * DAY_S) // HOUR_S * HOUR_S
    with acting_for(alice.owner):
        found = Rollups(alice.owner).between(Period.HOUR, 0, hour, hour + 1, now=START)
        assert len(list(found)) == 1


def test_a_lane_is_backfilled_once(world: World, alice: Person) -> None:
    world.deliver()
    assert not world.roll_up({"requests": requests()})
    world.clock.time += 60
    world.tick()
    world.clock.time += 120
    assert world.deliver() == []
    assert requests() == []


def test_a_backfill_that_dies_is_repeated_by_the_next_check(
    world: World, alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: object) -> None:
        raise RuntimeError("died")

    with monkeypatch.context() as patch:
        patch.setattr("chalicelib.monitoring.storage.lane_repository.Lanes.backfill", die)
        assert world.deliver() == []
    assert lanes() == []
    world.tick()
    world.clock.time += 60
    assert world.deliver() == []
    assert lanes() == [(alice.owner, 0)]
