"""Windows that mute: alerts wait for the end, and what ended within is not told."""

from typing import Any

import pytest

from chalicelib.api.schemas import render_time
from chalicelib.monitoring.result import CheckResult, Reason, Timings, Verdict
from tests.support import alerts
from tests.support.alerts import HOOK, channel, incidents, types
from tests.support.windows import window
from tests.support.world import Person, World

SLOW = CheckResult(Verdict.DEGRADED, Reason.SLOW, 200, Timings(1, 2, 3, 4_000, 5))
EXPIRING = CheckResult(Verdict.DEGRADED, Reason.TLS_EXPIRING, 200, Timings(1, 2, 3, 4, 5))


@pytest.fixture
def alice(world: World) -> Person:
    alice = world.user()
    channel(alice)
    return alice


def target(person: Person, **fields: Any) -> dict[str, Any]:
    return person.make_target(interval_s=30, failure_threshold=1, **fields)


def fail(world: World, *targets: dict[str, Any]) -> None:
    alerts.fail(world, *targets, seconds=30)


def heal(world: World, *targets: dict[str, Any]) -> None:
    alerts.heal(world, *targets, seconds=30)


def live(world: World, seconds: int) -> None:
    """Checks and alerts, second by second."""
    end = world.clock.time + seconds
    while world.clock.time < end:
        if world.clock.time % 60 == 0:
            world.tick()
        if world.queue.is_due:
            world.deliver()
        world.run_alerts()
        world.clock.time += 1


def test_an_outage_that_outlasts_its_window_is_told_after_it(world: World, alice: Person) -> None:
    shop = target(alice, tags=["prod"])
    window(alice, 0, 600)
    fail(world, shop)
    live(world, 560)
    assert types(world) == []
    assert len(incidents(alice, "?open=true")) == 1
    live(world, 60)
    assert types(world) == ["down"]
    heal(world, shop)
    live(world, 10)
    assert types(world) == ["down", "recovered"]


def test_an_outage_that_ends_within_its_window_is_never_told(world: World, alice: Person) -> None:
    shop = target(alice, tags=["prod"])
    window(alice, 0, 600)
    fail(world, shop)
    live(world, 300)
    heal(world, shop)
    live(world, 1_200)
    assert types(world) == []
    (incident,) = incidents(alice)
    assert incident["closed_at"] is not None
    assert world.alerts.waiting == []


def test_what_is_well_at_the_first_check_after_the_window_was_not_longer_down(
    world: World, alice: Person
) -> None:
    shop = target(alice, tags=["prod"])
    window(alice, 0, 600)
    fail(world, shop)
    live(world, 569)
    world.checker.script.clear()
    # It is well from the end on, but only a check tells.
    live(world, 600)
    assert types(world) == []


def test_a_window_says_nothing_of_other_targets(world: World, alice: Person) -> None:
    """One alert for both would have come; half of it waits."""
    shop, blog = target(alice, tags=["prod"]), target(alice, tags=["blog"], name="Blog")
    window(alice, 0, 600)
    fail(world, shop, blog)
    live(world, 100)
    (told,) = world.outbound.received(HOOK)
    assert [one["name"] for one in told["data"]["targets"]] == ["Blog"]
    live(world, 600)
    _, second = world.outbound.received(HOOK)
    assert [one["name"] for one in second["data"]["targets"]] == ["Shop"]
    heal(world, shop, blog)
    live(world, 70)
    recovered = world.outbound.received(HOOK)[2:]
    names = sorted(one["name"] for told in recovered for one in told["data"]["targets"])
    assert names == ["Blog", "Shop"]


def test_a_death_between_moving_and_sending_tells_nothing_twice(
    world: World, alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop, blog = target(alice, tags=["prod"]), target(alice, tags=["blog"], name="Blog")
    made = window(alice, 0, 600)
    fail(world, shop, blog)

    def die(*_: object, **__: object) -> None:
        raise RuntimeError("died")

    with monkeypatch.context() as patch:
        patch.setattr("chalicelib.alerting.notifiers.Notifiers.send", die)
        again = world.process_alerts() + world.process_alerts()
    # The window is gone when the message comes again: nothing is held any more.
    alice.delete(f"/v1/maintenance/{made['id']}")
    world.clock.time += 90
    assert again
    world.process_alerts(again)
    live(world, 900)
    names = sorted(
        one["name"] for told in world.outbound.received(HOOK) for one in told["data"]["targets"]
    )
    assert names == ["Blog", "Shop"]


def test_an_outage_from_before_that_ends_within_is_told_to_have_ended_afterwards(
    world: World, alice: Person
) -> None:
    shop = target(alice, tags=["prod"])
    fail(world, shop)
    live(world, 30)
    assert types(world) == ["down"]
    window(alice, 0, 600)
    heal(world, shop)
    live(world, 300)
    assert types(world) == ["down"]
    live(world, 400)
    assert types(world) == ["down", "recovered"]


def test_reminders_wait_too(world: World) -> None:
    alice = world.user()
    channel(alice, repeat_s=120)
    shop = target(alice, tags=["prod"])
    fail(world, shop)
    live(world, 60)
    window(alice, 0, 900)
    live(world, 880)
    assert types(world) == ["down"]
    live(world, 90)
    assert types(world) == ["down", "reminder"]


def test_a_window_that_is_deleted_lets_go_within_minutes(world: World, alice: Person) -> None:
    shop = target(alice, tags=["prod"])
    made = window(alice, 0, 6 * 3_600)
    fail(world, shop)
    live(world, 60)
    alice.delete(f"/v1/maintenance/{made['id']}")
    live(world, 310)
    assert types(world) == ["down"]


def test_a_window_that_is_made_longer_holds_on(world: World, alice: Person) -> None:
    shop = target(alice, tags=["prod"])
    made = window(alice, 0, 300)
    fail(world, shop)
    live(world, 60)
    later = render_time(world.runtime.now + 600)
    alice.patch(f"/v1/maintenance/{made['id']}", {"ends_at": later})
    live(world, 590)
    assert types(world) == []
    live(world, 60)
    assert types(world) == ["down"]


def test_what_is_still_degraded_is_told_and_what_is_not_is_not(world: World, alice: Person) -> None:
    shop, blog = target(alice, tags=["prod"]), target(alice, tags=["prod"], name="Blog")
    world.tick()
    world.run(40)
    window(alice, 0, 600)
    world.checker.script |= {shop["id"]: EXPIRING, blog["id"]: SLOW}
    live(world, 100)
    del world.checker.script[blog["id"]]
    live(world, 700)
    told = [(one["type"], one["data"]["title"]) for one in world.outbound.received(HOOK)]
    assert told == [("tls_expiring", "Shop has a certificate that expires soon")]


def test_a_window_that_recurs(world: World, alice: Person) -> None:
    """It is 11:06:40 UTC on a Wednesday: eight minutes are left."""
    shop = target(alice, tags=["prod"])
    rule = {"starts_at": None, "ends_at": None, "cron": "0 11 * * WED", "duration_s": 900}
    reply = alice.post("/v1/maintenance", {"name": "n", "tags": ["prod"], **rule})
    assert (reply.status, reply.json["active"]) == (201, True)
    fail(world, shop)
    live(world, 400)
    assert types(world) == []
    live(world, 200)
    assert types(world) == ["down"]
