"""Messages go the way of every alert, and /healthz says when the last one came."""

import pytest

from chalicelib.services.scheduling import run_tick
from chalicelib.services.watchdog import WATCHDOG_S
from chalicelib.store.queues import SendError
from tests.world import Person, World


@pytest.fixture
def anybody(world: World) -> Person:
    return Person(world, "", "")


def test_one_goes_through_each_queue_once_in_a_quarter_of_an_hour(world: World) -> None:
    for _ in range(30):
        run_tick(world.runtime)
        world.clock.time += 60
    assert len(world.alerts.take()) in (2, 3)
    assert len(world.notices.take()) in (2, 3)


def test_health_shows_the_last_round_trip(world: World, anybody: Person) -> None:
    run_tick(world.runtime)
    assert anybody.get("/healthz").json["queues"]["alerts"]["round_trip_s"] is None
    world.clock.time += 4
    world.tell_all()
    reply = anybody.get("/healthz")
    assert reply.status == 200
    assert reply.json["tick_age_s"] == 4
    for name in ("alerts", "notices"):
        assert reply.json["queues"][name] == {"oldest_message_s": 0, "round_trip_s": 4}


@pytest.mark.parametrize("stuck", ["alerts", "notices"])
def test_a_queue_that_lets_nothing_through_is_not_well(
    world: World, anybody: Person, stuck: str
) -> None:
    run_tick(world.runtime)
    world.tell_all()
    for _ in range(31):
        world.clock.time += 60
        run_tick(world.runtime)
        kept = getattr(world, stuck).waiting
        getattr(world, stuck).waiting = []
        world.tell_all()
        getattr(world, stuck).waiting = kept
    reply = anybody.get("/healthz")
    assert (reply.status, reply.json["status"], reply.json["silent"]) == (503, "late", [stuck])
    assert reply.json["queues"][stuck]["oldest_message_s"] == 31 * 60 - WATCHDOG_S
    world.tell_all()
    assert anybody.get("/healthz").status == 200


def test_an_older_watchdog_after_a_newer_changes_nothing(world: World, anybody: Person) -> None:
    run_tick(world.runtime)
    (old,) = world.alerts.take()
    world.clock.time += WATCHDOG_S
    run_tick(world.runtime)
    world.tell_all()
    assert world.tell([old]) == []
    assert anybody.get("/healthz").json["queues"]["alerts"]["round_trip_s"] == 0


def test_a_queue_that_cannot_be_sent_to_does_not_hold_the_schedule_up(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: object) -> None:
        raise SendError("refused")

    monkeypatch.setattr(world.alerts, "send", refuse)
    assert run_tick(world.runtime).gap_s == 0
    assert len(world.notices.take()) == 1
