"""Watchdog messages take the path of alerts, and /healthz shows the last arrival."""

from collections import Counter
from typing import TypeGuard

import pytest

from chalicelib.alerting.watchdog import WATCHDOG_S
from chalicelib.aws.lambda_client import FunctionError
from chalicelib.aws.sqs import SendError
from chalicelib.monitoring.alert_messages import WatchdogJob, read_job
from chalicelib.worker.scheduler import run_tick
from tests.support.world import Person, World


@pytest.fixture
def visitor(world: World) -> Person:
    return Person(world, "", "")


def test_each_path_gets_a_message_every_quarter_of_an_hour(world: World) -> None:
    for _ in range(30):
        run_tick(world.runtime)
        world.clock.time += 60
    paths = Counter(job.way for job in map(read_job, world.alerts.take()) if is_watchdog(job))
    assert set(paths) == {"alerts", "chat"}
    assert set(paths.values()) <= {2, 3}


def is_watchdog(job: object) -> TypeGuard[WatchdogJob]:
    return isinstance(job, WatchdogJob)


def test_health_shows_the_last_round_trip(world: World, visitor: Person) -> None:
    run_tick(world.runtime)
    assert visitor.get("/healthz").json["queues"]["alerts"]["round_trip_s"] is None
    world.clock.time += 4
    world.run_alerts()
    reply = visitor.get("/healthz")
    assert reply.status == 200
    assert reply.json["tick_age_s"] == 4
    for name in ("alerts", "chat"):
        assert reply.json["queues"][name] == {"oldest_message_s": 0, "round_trip_s": 4}


def test_health_reports_stuck_alerts(world: World, visitor: Person) -> None:
    run_tick(world.runtime)
    world.run_alerts()
    for _ in range(31):
        world.clock.time += 60
        run_tick(world.runtime)
    reply = visitor.get("/healthz")
    assert (reply.status, reply.json["silent"]) == (503, ["alerts", "chat"])
    assert reply.json["queues"]["alerts"]["oldest_message_s"] == 31 * 60 - WATCHDOG_S
    world.run_alerts()
    assert visitor.get("/healthz").status == 200


def test_health_reports_stuck_chat_alerts(world: World, visitor: Person) -> None:
    def fail(_: object) -> object:
        raise FunctionError("notify")

    run_tick(world.runtime)
    world.run_alerts()
    world.functions.answers["notify"] = fail
    for _ in range(31):
        world.clock.time += 60
        run_tick(world.runtime)
        world.process_alerts()
    assert visitor.get("/healthz").json["silent"] == ["chat"]


def test_older_message_after_a_newer_one_changes_nothing(world: World, visitor: Person) -> None:
    run_tick(world.runtime)
    old = world.alerts.take()
    world.clock.time += WATCHDOG_S
    run_tick(world.runtime)
    world.run_alerts()
    assert world.process_alerts(old) == []
    assert visitor.get("/healthz").json["queues"]["alerts"]["round_trip_s"] == 0


def test_failing_queue_does_not_stop_the_scheduler(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: object) -> None:
        raise SendError("refused")

    monkeypatch.setattr(world.alerts, "send", refuse)
    assert run_tick(world.runtime).planned_until > world.clock.time
