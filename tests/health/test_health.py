"""Whether Monitum is well: asked by anybody, answered without a secret."""

import pytest

from tests.support.world import Person, World

pytestmark = pytest.mark.shared_stage


@pytest.fixture
def anybody(world: World) -> Person:
    return Person(world, "", "")


def test_before_the_first_tick_it_is_not_well(anybody: Person) -> None:
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
        },
    )


@pytest.mark.parametrize(
    ("silent_s", "status", "lateness_s"),
    [(0, 200, 0), (120, 200, 0), (121, 200, 1), (180, 200, 60), (181, 503, 61), (9999, 503, 9879)],
)
def test_it_is_well_while_ticks_come(
    world: World, anybody: Person, silent_s: int, status: int, lateness_s: int
) -> None:
    # The module's clock begins anew with each test, its schedule does not: each goes on from it.
    world.clock.time += 100_000 * (silent_s + 1)
    world.tick()
    world.clock.time += silent_s
    reply = anybody.get("/healthz")
    assert (reply.status, reply.json["lateness_s"]) == (status, lateness_s)


def test_it_takes_no_parameters(anybody: Person) -> None:
    assert anybody.get("/healthz?verbose=1").status == 400
