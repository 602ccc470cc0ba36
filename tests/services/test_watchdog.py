"""A message goes the way of every alert, and /healthz says when the last one came."""

from chalicelib.services.scheduling import run_tick
from chalicelib.services.watchdog import WATCHDOG_S
from tests.world import Person, World


def test_it_is_sent_once_in_ten_minutes(world: World) -> None:
    for _ in range(20):
        run_tick(world.runtime)
        world.clock.time += 60
    assert len(world.alerts.take()) in (2, 3)


def test_health_shows_the_last_round_trip(world: World) -> None:
    anybody = Person(world, "", "")
    run_tick(world.runtime)
    assert anybody.get("/healthz").json["round_trip_s"] is None
    world.clock.time += 4
    world.tell_all()
    reply = anybody.get("/healthz")
    assert (reply.status, reply.json["round_trip_s"], reply.json["alerts_lateness_s"]) == (
        200,
        4,
        0,
    )


def test_alerts_that_do_not_get_through_are_not_well(world: World) -> None:
    anybody = Person(world, "", "")
    run_tick(world.runtime)
    world.tell_all()
    for _ in range(31):
        world.clock.time += 60
        run_tick(world.runtime)
    reply = anybody.get("/healthz")
    assert (reply.status, reply.json["status"]) == (503, "late")
    assert reply.json["alerts_lateness_s"] == 21 * 60
    world.tell_all()
    assert anybody.get("/healthz").status == 200


def test_an_older_watchdog_after_a_newer_changes_nothing(world: World) -> None:
    anybody = Person(world, "", "")
    run_tick(world.runtime)
    (old,) = world.alerts.take()
    world.clock.time += WATCHDOG_S
    run_tick(world.runtime)
    world.tell_all()
    assert world.tell([old]) == []
    assert anybody.get("/healthz").json["round_trip_s"] == 0
