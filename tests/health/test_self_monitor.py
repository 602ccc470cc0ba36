"""The synthetic target: /healthz reports whether checks are made, stored and rolled up."""

from dataclasses import replace

import pytest

from chalicelib.aws.tenancy import acting_for
from chalicelib.common.settings import Settings
from chalicelib.health import self_monitor
from chalicelib.monitoring.storage.lane_repository import Lanes
from chalicelib.monitoring.storage.target_repository import Targets
from chalicelib.worker.scheduler import run_tick
from tests.support.world import UNKNOWN, Person, World


@pytest.fixture
def world(aws: dict[str, str]) -> World:
    return World(replace(Settings.from_env(aws), canaries=(("one.example", 443),)))


@pytest.fixture
def anybody(world: World) -> Person:
    return Person(world, "", "")


def run_stage(world: World, minutes: int, *, checks: bool = True, rollups: bool = True) -> None:
    """Run a stage: ticks, checks and alerts every two minutes, rollups every hour."""
    for _ in range(0, minutes, 2):
        world.clock.time += 120
        run_tick(world.runtime)
        if checks:
            assert world.deliver() == []
        if rollups and world.clock.time // 60 % 60 == 0:
            world.run_rollups()
            world.clock.time -= 900
        world.run_alerts()


def test_first_health_request_creates_the_target(world: World, anybody: Person) -> None:
    run_tick(world.runtime)
    first = anybody.get("/healthz")
    assert (first.status, first.json["check_age_s"]) == (200, None)
    run_stage(world, 20)
    health = anybody.get("/healthz").json
    assert health["check_verdict"] == "UP"
    assert health["check_age_s"] <= self_monitor.INTERVAL_S
    assert health["queues"]["checks"]["oldest_message_s"] == 0
    assert {spec.config["host"] for spec in world.checker.seen} == {"one.example"}


def test_unhealthy_when_checks_stop(world: World, anybody: Person) -> None:
    run_tick(world.runtime)
    anybody.get("/healthz")
    run_stage(world, 20)
    run_stage(world, 4, checks=False)
    assert anybody.get("/healthz").status == 200
    run_stage(world, 20, checks=False)
    reply = anybody.get("/healthz")
    assert (reply.status, reply.json["silent"]) == (503, ["checks"])
    world.queue.waiting.clear()
    run_stage(world, 20)
    assert anybody.get("/healthz").status == 200


def test_unhealthy_when_checks_never_started(world: World, anybody: Person) -> None:
    run_tick(world.runtime)
    anybody.get("/healthz")
    run_stage(world, 21, checks=False)
    assert anybody.get("/healthz").json["silent"] == ["checks"]


def test_unhealthy_without_rollups(world: World, anybody: Person) -> None:
    run_tick(world.runtime)
    anybody.get("/healthz")
    run_stage(world, 190)
    assert anybody.get("/healthz").json["queues"]["rollups"]["oldest_message_s"] == 0
    run_stage(world, 300, rollups=False)
    assert anybody.get("/healthz").json["silent"] == ["rollups"]


def test_unhealthy_when_nothing_outside_is_reached(world: World, anybody: Person) -> None:
    run_tick(world.runtime)
    anybody.get("/healthz")
    world.checker.script[self_monitor._TARGET] = UNKNOWN
    run_stage(world, 16)
    reply = anybody.get("/healthz")
    assert (reply.status, reply.json["silent"]) == (503, ["network"])


def test_target_follows_a_change_of_the_canary(world: World, anybody: Person) -> None:
    run_tick(world.runtime)
    anybody.get("/healthz")
    world.runtime.settings = replace(world.runtime.settings, canaries=(("two.example", 80),))
    anybody.get("/healthz")
    with acting_for(self_monitor.OWNER):
        target = Targets(self_monitor.OWNER).get(self_monitor._TARGET)
    assert target.spec.config == {"host": "two.example", "port": 80}


def test_target_and_owner_are_hidden_from_users(world: World, anybody: Person) -> None:
    admin = world.user("admin", admin=True)
    run_tick(world.runtime)
    anybody.get("/healthz")
    assert admin.get("/v1/targets").json["items"] == []
    assert len(admin.get("/v1/users").json["items"]) == 1
    assert admin.get(f"/v1/targets/{self_monitor._TARGET}").status == 404
    assert admin.get(f"/v1/users/{self_monitor.OWNER}").status == 404


def test_healthy_even_if_the_target_cannot_be_created(
    world: World, anybody: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise RuntimeError("no")

    run_tick(world.runtime)
    monkeypatch.setattr(Lanes, "open", refuse)
    assert anybody.get("/healthz").status == 200
