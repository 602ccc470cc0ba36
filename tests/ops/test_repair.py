"""The schedule is rebuilt from the targets."""

import pytest

from chalicelib.alerting.overdue import send_all_waiting
from chalicelib.alerting.storage.models import DeliveryItem
from chalicelib.aws.system_table import SystemItem
from chalicelib.aws.tenancy import acting_for
from chalicelib.monitoring.storage.lane_repository import Lanes, lane_key, place_path
from chalicelib.monitoring.storage.models import LaneItem, TargetItem
from chalicelib.monitoring.storage.schedule_repository import read_cursor
from ops.data.repair import repair
from tests.ops.test_backup import STAGE
from tests.support import alerts
from tests.support.stages import stored
from tests.support.world import Person, World, as_system

pytestmark = pytest.mark.moto


@pytest.fixture
def alice(world: World, lowest_place: None) -> Person:
    alice = world.user()
    alice.make_target(interval_s=30)
    alice.make_target(interval_s=60, enabled=False)
    world.queue.take()
    return alice


def ids(alice: Person) -> list[str]:
    return [item["id"] for item in alice.get("/v1/targets").json["items"]]


def is_checked(world: World, target_id: str) -> bool:
    world.checker.seen.clear()
    world.clock.time += -world.clock.time % 60
    world.run(120)
    return target_id in {spec.target_id for spec in world.checker.seen}


def test_a_sound_stage_is_not_changed(world: World, alice: Person) -> None:
    world.tick()
    world.run(60)
    before = stored()

    assert repair(STAGE, world.runtime) == []

    assert stored() == before


def test_intervals_in_use_are_added_and_planned_at_once(world: World, alice: Person) -> None:
    with as_system():
        SystemItem("schedule").delete()
    world.tick()
    assert world.queue.waiting == []

    assert repair(STAGE, world.runtime) == ["1 intervals added to the schedule"]

    with as_system():
        assert read_cursor().intervals == {30}
    assert is_checked(world, ids(alice)[0])


def test_shards_in_use_are_opened(world: World, alice: Person) -> None:
    with acting_for(alice.owner):
        item = TargetItem(alice.owner, ids(alice)[0])
        item.update([TargetItem.shard.set(2)])

    lines = repair(STAGE, world.runtime)

    assert "1 shards opened" in lines
    with as_system():
        assert read_cursor().shards == 3
        assert read_cursor(2).intervals == {30}


def test_slots_are_corrected(world: World, alice: Person) -> None:
    running, paused = ids(alice)
    with acting_for(alice.owner):
        slots = [TargetItem.get(alice.owner, one).slot for one in (running, paused)]
        TargetItem(alice.owner, running).update([TargetItem.slot.remove()])
        TargetItem(alice.owner, paused).update([TargetItem.slot.set("60:0:0")])

    assert repair(STAGE, world.runtime) == ["2 targets given their slot in the schedule"]

    with acting_for(alice.owner):
        assert [TargetItem.get(alice.owner, one).slot for one in (running, paused)] == slots
    assert is_checked(world, running)


def test_a_target_that_its_lane_has_lost_gets_its_place(world: World, alice: Person) -> None:
    lost = ids(alice)[0]
    with acting_for(alice.owner):
        LaneItem(alice.owner, lane_key(0)).update([place_path(0).remove()])
    assert alice.delete(f"/v1/targets/{lost}").status == 409

    assert repair(STAGE, world.runtime) == ["1 targets given their place in their lane"]

    assert is_checked(world, lost)
    assert alice.delete(f"/v1/targets/{lost}").status == 204


def test_a_place_that_was_taken_is_reported(world: World, alice: Person) -> None:
    with acting_for(alice.owner):
        place = Lanes(alice.owner).get(0).places[0]
        taken = place_path(0).set(["another", *place.state.to_list()])
        LaneItem(alice.owner, lane_key(0)).update([taken])
    before = stored("lanes")

    (line,) = repair(STAGE, world.runtime)

    assert line.startswith("1 targets whose place is lost")
    assert stored("lanes") == before


def test_waiting_deliveries_of_earlier_versions_are_indexed(world: World, alice: Person) -> None:
    alerts.channel(alice)
    world.outbound.script[alerts.HOOK] = 500
    alerts.fail(world, {"id": ids(alice)[0]}, seconds=150)
    world.run_alerts(10)
    with acting_for(alice.owner):
        for item in DeliveryItem.query(alice.owner):
            item.update([DeliveryItem.waiting.remove()])

    assert repair(STAGE, world.runtime) == ["1 waiting deliveries indexed"]

    world.alerts.waiting.clear()
    assert send_all_waiting(world.runtime) == 1
