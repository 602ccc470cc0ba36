"""The schedule over a real store: what is due gets a message, once, and nothing else does."""

import json
from datetime import datetime
from typing import Any

import pytest

from chalicelib.aws.sqs import SendError
from chalicelib.aws.system_table import SystemItem
from chalicelib.aws.tenancy import acting_as_system, acting_for
from chalicelib.history.dispatch import all_lanes
from chalicelib.monitoring import schedule
from chalicelib.monitoring.check_job import CheckJob
from chalicelib.monitoring.storage.target_repository import Targets
from chalicelib.targets import service as targets_service
from chalicelib.targets.validation import Draft
from chalicelib.worker import scheduler
from tests.support.world import START, World

MINUTE = START // 60 * 60


def jobs(world: World) -> list[dict[str, Any]]:
    """What waits in the queue, without the first checks of new targets."""
    found = [json.loads(body) for _, body in world.queue.waiting]
    return [job for job in found if "place" not in job]


def ticks(world: World) -> list[int]:
    return sorted(int(str(job["tick"])) for job in jobs(world))


def test_a_run_plans_the_current_and_the_next_two_minutes(world: World) -> None:
    alice = world.user()
    alice.make_target(interval_s=10)
    world.queue.waiting.clear()
    report = world.tick()
    offset = schedule.offset(alice.owner, 0)
    assert ticks(world) == schedule.ticks_in(10, offset, MINUTE, MINUTE + 180)
    assert report.planned_until == MINUTE + 180
    assert report.messages == 18


def test_messages_are_delayed_until_their_tick(world: World) -> None:
    world.user().make_target(interval_s=60)
    world.queue.waiting.clear()
    world.tick()
    for at, body in world.queue.waiting:
        assert at == max(json.loads(body)["tick"], START)


def test_a_lane_is_sent_as_one_message(world: World) -> None:
    alice = world.user()
    made = [alice.make_target(name=f"site {n}")["id"] for n in range(3)]
    world.queue.waiting.clear()
    world.tick()
    for job in jobs(world):
        assert sorted(target_id for target_id, _ in job["specs"]) == sorted(made)


def test_a_duplicate_event_sends_nothing(world: World) -> None:
    world.user().make_target()
    world.tick()
    world.queue.waiting.clear()
    assert world.tick().messages == 0


def test_every_tick_is_sent_once_with_late_missing_and_duplicate_events(world: World) -> None:
    """Late by up to 50 s, doubled, and one missing: no tick is lost or sent twice."""
    alice = world.user()
    alice.make_target(interval_s=60)
    alice.make_target(interval_s=300)
    world.queue.waiting.clear()
    for minute in range(60):
        if minute == 30:
            continue
        world.clock.sleep_until(MINUTE + minute * 60 + (minute * 7) % 50 + 40 * (minute == 0))
        world.tick()
        if minute % 5 == 0:
            world.tick()
    offset = schedule.offset(alice.owner, 0)
    expected = schedule.ticks_in(60, offset, MINUTE, world.tick().planned_until)
    assert ticks(world) == expected


def test_after_an_outage_current_ticks_run_and_the_gap_is_recorded(world: World) -> None:
    alice = world.user()
    alice.make_target(interval_s=60)
    rare = alice.make_target(interval_s=21_600)
    world.tick()
    world.queue.waiting.clear()
    world.clock.time += 21_600
    report = world.tick()
    assert len(ticks(world)) <= 6, "no burst of old checks"
    assert report.gap_s == 21_600 - 180
    sent = [target_id for job in jobs(world) for target_id, _ in job["specs"]]
    assert rare["id"] in sent, "it is not left for another six hours"
    with acting_as_system():
        gap = SystemItem.get(f"gap:{MINUTE + 180}")
    assert int(gap.cursor) == MINUTE + 21_600


def test_a_paused_target_is_not_due(world: World) -> None:
    alice = world.user()
    target = alice.make_target()
    alice.post(f"/v1/targets/{target['id']}/pause")
    world.queue.waiting.clear()
    assert world.tick().targets == 0


def test_a_deleted_target_is_not_due(world: World) -> None:
    alice = world.user()
    target = alice.make_target()
    assert alice.delete(f"/v1/targets/{target['id']}").status == 204
    assert world.tick().targets == 0


def test_a_changed_interval_moves_the_target_to_another_slot(world: World) -> None:
    alice = world.user()
    target = alice.make_target(interval_s=60)
    assert alice.patch(f"/v1/targets/{target['id']}", {"interval_s": 30}).status == 200
    world.queue.waiting.clear()
    assert world.tick().messages == 6


def test_if_the_queue_refuses_the_next_run_sends_the_ticks(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.user().make_target(interval_s=60)
    world.queue.waiting.clear()

    def refuse(_: object) -> None:
        raise SendError("refused")

    with monkeypatch.context() as patch:
        patch.setattr(world.queue, "send", refuse)
        with pytest.raises(SendError):
            world.tick()
    assert world.tick().messages == 3


def test_a_run_reads_only_slots_of_intervals_in_use(
    world: World, dynamodb_calls: list[str]
) -> None:
    world.user().make_target(interval_s=60)
    dynamodb_calls.clear()
    world.tick()
    assert dynamodb_calls.count("Query") == 1


def test_a_new_target_is_checked_at_once_and_at_its_planned_ticks(world: World) -> None:
    """The minutes that are planned already were planned without it."""
    alice = world.user()
    world.tick()
    alice.make_target(interval_s=30)
    sent = sorted(json.loads(body)["tick"] for _, body in world.queue.waiting)
    offset = schedule.offset(alice.owner, 0)
    assert sent == [START, *schedule.ticks_in(30, offset, START + 1, MINUTE + 180)]


def test_a_planned_message_equals_the_serialized_job(world: World) -> None:
    alice = world.user()
    alice.make_target(name="a", headers={"X-Key": "secret"}, expect={"body_contains": 'ü "x"'})
    world.queue.waiting.clear()
    world.tick()
    for _, body in world.queue.waiting:
        assert json.loads(CheckJob.from_json(body).to_json()) == json.loads(body)


def shards_started(world: World) -> list[int]:
    return [event["detail"]["shard"] for event in world.functions.take("tick")]


def test_shards_are_added_with_targets_and_run_concurrently(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chalicelib.monitoring.lane.LANE_SIZE", 5)
    monkeypatch.setattr("chalicelib.worker.scheduler.SHARD_TARGETS", 5)
    alice = world.user()
    with acting_for(alice.owner):
        for number in range(6):
            targets_service.create(world.runtime, alice.owner, draft(f"target {number}"))
    world.tick()
    assert shards_started(world) == [], "two lanes in the first shard, and a new one from now on"
    ben = world.user("ben")
    made = ben.make_target(name="in the second")
    with acting_for(ben.owner):
        assert Targets(ben.owner).get(made["id"]).shard == 1
    world.queue.waiting.clear()
    world.clock.time += 120
    assert world.tick().targets == 2 * 6
    assert shards_started(world) == [1]
    report = scheduler.run_tick(world.runtime, 1)
    assert (report.shard, report.targets) == (1, 3)
    assert {job["owner"] for job in jobs(world)} == {alice.owner, ben.owner}
    assert world.tick().messages == 0
    assert scheduler.run_tick(world.runtime, 1).messages == 0
    with acting_as_system():
        assert sorted(all_lanes()) == sorted([(alice.owner, 0), (alice.owner, 1), (ben.owner, 0)])


def draft(name: str) -> Draft:
    return Draft(
        name=name,
        kind="http",
        interval_s=60,
        timeout_s=10,
        failure_threshold=2,
        recovery_threshold=1,
        config={"url": "https://shop.example/"},
        expect={},
    )


@pytest.mark.parametrize("ahead_s", [3_600, 86_405])
def test_checks_go_on_after_the_clock_was_ahead(
    world: World, ahead_s: int, caplog: pytest.LogCaptureFixture
) -> None:
    alice = world.user()
    target = alice.make_target(interval_s=60)
    world.run(180)
    world.clock.time += ahead_s
    world.tick()
    planned = [body for _, body in world.queue.waiting]
    world.queue.waiting.clear()
    world.clock.time -= ahead_s
    sent = str(world.clock.time * 1_000)
    times = {"SentTimestamp": sent, "ApproximateFirstReceiveTimestamp": sent}
    assert world.deliver(planned, times) == []
    world.run(180)
    found = alice.get(f"/v1/targets/{target['id']}/checks").json["items"]
    newest = datetime.fromisoformat(found[0]["checked_at"]).timestamp()
    assert 0 <= world.clock.time - newest <= 60, "no result of the wrong time is stored"
    assert {one.error for one in caplog.records if one.msg == "check not made"} == {  # type: ignore[attr-defined]
        f"the sender's clock was {ahead_s} s ahead"
    }
    (told,) = [one for one in caplog.records if one.msg.startswith("the cursor was ahead")]
    assert told.__dict__["ClockErrors"] == 1
    assert told.__dict__["ahead_s"] > ahead_s - 180
