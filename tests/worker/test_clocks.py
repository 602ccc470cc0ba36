"""Checks are made and judged correctly although a clock is wrong."""

import json
from typing import Any

import pytest

from chalicelib.monitoring.check_job import CheckJob, MistimedJobError
from tests.support.alerts import incidents
from tests.support.world import DOWN, World


def deliver_with_wrong_clock(world: World, error_s: float) -> None:
    """Deliver what is due to a worker whose clock is wrong; SQS and the scheduler are right."""
    right = world.clock.time
    bodies = world.queue.take()
    times = {
        body: {
            "SentTimestamp": str(int(json.loads(body)["sent_at"] * 1_000)),
            "ApproximateFirstReceiveTimestamp": str(int(right * 1_000)),
        }
        for body in bodies
    }
    world.clock.time = right + error_s
    for body in bodies:
        assert world.deliver([body], times[body]) == []
    world.clock.time = right


@pytest.mark.parametrize("error_s", [-300, -200, -121, -100, 100, 300, 3_600])
def test_a_worker_with_a_wrong_clock_sees_an_outage(world: World, error_s: int) -> None:
    alice = world.user()
    shop = alice.make_target(interval_s=10, failure_threshold=2)
    world.run(60)
    world.checker.script[shop["id"]] = DOWN
    for _ in range(60):
        if world.clock.time % 60 == 0:
            world.tick()
        deliver_with_wrong_clock(world, error_s)
        world.clock.time += 1
    # The worker's messages are visible by the queue's clock, which is right.
    world.alerts.waiting = [(world.clock.time, body) for _, body in world.alerts.waiting]
    world.run_alerts()
    assert [one["target_id"] for one in incidents(alice)] == [shop["id"]]


def test_a_slow_clock_is_reported_and_corrected_while_it_is_slow(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    right = world.clock.time
    world.clock.time = right - 200
    world.runtime.correct_clock(right)
    assert world.runtime.now == right
    assert caplog.records[-1].__dict__["behind_s"] == 200
    world.clock.time = right + 5
    world.runtime.correct_clock(right)
    assert world.runtime.now == right + 5


def job(**fields: Any) -> CheckJob:
    return CheckJob("alice", 0, specs=[], **fields)


def test_lateness_is_the_time_in_the_queue_beyond_the_delay() -> None:
    assert job(tick=1_060, sent_at=1_000).received(1_000.5, 1_060.75).late_s == 0.25
    assert job(tick=990, sent_at=1_000).received(1_000.5, 1_003).late_s == 2.5


def test_lateness_does_not_depend_on_small_errors_of_the_senders_clock() -> None:
    assert job(tick=1_060, sent_at=1_000).received(950, 1_012).late_s == 2


def test_a_resent_job_is_as_late_as_its_tick_is_old() -> None:
    assert job(tick=1_060, sent_at=1_000).received(9_000, 9_001).late_s == 7_941


def test_a_job_from_a_clock_that_was_ahead_is_rejected() -> None:
    with pytest.raises(MistimedJobError, match="3600 s ahead"):
        job(tick=4_660, sent_at=4_600).received(1_000, 1_001)


def test_a_job_of_an_earlier_version_has_no_lateness() -> None:
    assert job(tick=1_060).received(1_000, 1_060).late_s is None
