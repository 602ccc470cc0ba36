"""GET /healthz: public, without secrets."""

import pytest

from tests.support.world import Person, World


@pytest.fixture
def anybody(world: World) -> Person:
    return Person(world, "", "")


def test_unhealthy_before_the_first_tick(anybody: Person) -> None:
    reply = anybody.get("/healthz")
    assert (reply.status, reply.json) == (
        503,
        {
            "status": "late",
            "silent": ["schedule"],
            "tick_age_s": None,
            "lateness_s": None,
            "check_age_s": None,
            "check_verdict": None,
            "queues": {},
            "dead_letters": None,
        },
    )


@pytest.mark.parametrize(
    ("silent_s", "status", "lateness_s"),
    [(0, 200, 0), (120, 200, 0), (121, 200, 1), (165, 200, 45), (166, 503, 46), (9999, 503, 9879)],
)
def test_healthy_while_ticks_are_recent(
    world: World, anybody: Person, silent_s: int, status: int, lateness_s: int
) -> None:
    world.tick()
    world.clock.time += silent_s
    reply = anybody.get("/healthz")
    assert (reply.status, reply.json["lateness_s"]) == (status, lateness_s)


def test_query_parameters_are_refused(anybody: Person) -> None:
    assert anybody.get("/healthz?verbose=1").status == 400
