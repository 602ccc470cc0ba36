"""A target of the stage's own: /healthz says whether checks are made, kept and folded."""

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


def live(world: World, minutes: int, *, checks: bool = True, folds: bool = True) -> None:
    """A stage that runs: a tick every other minute, checks and alerts then, folds by the hour."""
    for _ in range(0, minutes, 2):
        world.clock.time += 120
        run_tick(world.runtime)
        if checks:
            assert world.deliver() == []
        if folds and world.clock.time // 60 % 60 == 0:
            world.run_rollups()
            world.clock.time -= 900
        world.run_alerts()


def test_whoever_asks_first_has_it_made_and_then_it_is_checked(
    world: World, anybody: Person
) -> None:
    run_tick(world.runtime)
    first = anybody.get("/healthz")
    assert (first.status, first.json["check_age_s"]) == (200, None)
    live(world, 20)
    health = anybody.get("/healthz").json
    assert health["check_verdict"] == "UP"
    assert health["check_age_s"] <= self_monitor.INTERVAL_S
    assert health["queues"]["checks"]["oldest_message_s"] == 0
    assert {spec.config["host"] for spec in world.checker.seen} == {"one.example"}


def test_a_stage_that_checks_nothing_any_more_is_not_well(world: World, anybody: Person) -> None:
    run_tick(world.runtime)
    anybody.get("/healthz")
    live(world, 20)
    live(world, 4, checks=False)
    assert anybody.get("/healthz").status == 200
    live(world, 20, checks=False)
    reply = anybody.get("/healthz")
    assert (reply.status, reply.json["silent"]) == (503, ["checks"])
    world.queue.waiting.clear()
    live(world, 20)
    assert anybody.get("/healthz").status == 200


def test_a_stage_that_never_checked_anything_is_not_well_either(
    world: World, anybody: Person
) -> None:
    run_tick(world.runtime)
    anybody.get("/healthz")
    live(world, 21, checks=False)
    assert anybody.get("/healthz").json["silent"] == ["checks"]


def test_a_stage_that_folds_no_hours_is_not_well(world: World, anybody: Person) -> None:
    run_tick(world.runtime)
    anybody.get("/healthz")
    live(world, 190)
    assert anybody.get("/healthz").json["queues"]["rollups"]["oldest_message_s"] == 0
    live(world, 300, folds=False)
    assert anybody.get("/healthz").json["silent"] == ["rollups"]


def test_a_stage_that_reaches_nothing_outside_is_not_well(world: World, anybody: Person) -> None:
    run_tick(world.runtime)
    anybody.get("/healthz")
    world.checker.script[self_monitor._TARGET] = UNKNOWN
    live(world, 16)
    reply = anybody.get("/healthz")
    assert (reply.status, reply.json["silent"]) == (503, ["network"])


def test_another_canary_is_watched_instead(world: World, anybody: Person) -> None:
    run_tick(world.runtime)
    anybody.get("/healthz")
    world.runtime.settings = replace(world.runtime.settings, canaries=(("two.example", 80),))
    anybody.get("/healthz")
    with acting_for(self_monitor.OWNER):
        target = Targets(self_monitor.OWNER).get(self_monitor._TARGET)
    assert target.spec.config == {"host": "two.example", "port": 80}


def test_nobody_sees_it(world: World, anybody: Person) -> None:
    admin = world.user("admin", admin=True)
    run_tick(world.runtime)
    anybody.get("/healthz")
    assert admin.get("/v1/targets").json["items"] == []
    assert len(admin.get("/v1/users").json["items"]) == 1
    assert admin.get(f"/v1/targets/{self_monitor._TARGET}").status == 404
    assert admin.get(f"/v1/users/{self_monitor.OWNER}").status == 404


def test_health_is_told_though_the_sentinel_cannot_be_made(
    world: World, anybody: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise RuntimeError("no")

    run_tick(world.runtime)
    monkeypatch.setattr(Lanes, "open", refuse)
    assert anybody.get("/healthz").status == 200
