"""Windows with mode `mute`: alerts are held until the end, and dropped if the outage ended."""

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


def run(world: World, seconds: int) -> None:
    """Run checks and alerts, second by second."""
    end = world.clock.time + seconds
    while world.clock.time < end:
        if world.clock.time % 60 == 0:
            world.tick()
        if world.queue.is_due:
            world.deliver()
        world.run_alerts()
        world.clock.time += 1


def test_an_outage_that_outlasts_the_window_is_notified_after_it(
    world: World, alice: Person
) -> None:
    shop = target(alice, tags=["prod"])
    window(alice, 0, 600)
    fail(world, shop)
    run(world, 560)
    assert types(world) == []
    assert len(incidents(alice, "?open=true")) == 1
    run(world, 60)
    assert types(world) == ["down"]
    heal(world, shop)
    run(world, 10)
    assert types(world) == ["down", "recovered"]


def test_an_outage_that_ends_during_the_window_is_not_notified(world: World, alice: Person) -> None:
    shop = target(alice, tags=["prod"])
    window(alice, 0, 600)
    fail(world, shop)
    run(world, 300)
    heal(world, shop)
    run(world, 1_200)
    assert types(world) == []
    (incident,) = incidents(alice)
    assert incident["closed_at"] is not None
    assert world.alerts.waiting == []


def test_an_outage_that_ends_at_the_first_check_after_the_window_is_not_notified(
    world: World, alice: Person
) -> None:
    shop = target(alice, tags=["prod"])
    window(alice, 0, 600)
    fail(world, shop)
    run(world, 569)
    world.checker.script.clear()
    # The target recovers at the end of the window, which only the next check shows.
    run(world, 600)
    assert types(world) == []


def test_other_targets_of_the_same_alert_are_not_muted(world: World, alice: Person) -> None:
    """Without the window, one alert would report both targets."""
    shop, blog = target(alice, tags=["prod"]), target(alice, tags=["blog"], name="Blog")
    window(alice, 0, 600)
    fail(world, shop, blog)
    run(world, 100)
    (first,) = world.outbound.received(HOOK)
    assert [one["name"] for one in first["data"]["targets"]] == ["Blog"]
    run(world, 600)
    _, second = world.outbound.received(HOOK)
    assert [one["name"] for one in second["data"]["targets"]] == ["Shop"]
    heal(world, shop, blog)
    run(world, 70)
    recovered = world.outbound.received(HOOK)[2:]
    names = sorted(one["name"] for alert in recovered for one in alert["data"]["targets"])
    assert names == ["Blog", "Shop"]


def test_a_crash_between_holding_and_sending_notifies_nothing_twice(
    world: World, alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop, blog = target(alice, tags=["prod"]), target(alice, tags=["blog"], name="Blog")
    created = window(alice, 0, 600)
    fail(world, shop, blog)

    def die(*_: object, **__: object) -> None:
        raise RuntimeError("died")

    with monkeypatch.context() as patch:
        patch.setattr("chalicelib.alerting.notifiers.Notifiers.send", die)
        again = world.process_alerts() + world.process_alerts()
    # The window is deleted before the message is retried, so nothing is held.
    alice.delete(f"/v1/maintenance/{created['id']}")
    world.clock.time += 90
    assert again
    world.process_alerts(again)
    run(world, 900)
    names = sorted(
        one["name"] for alert in world.outbound.received(HOOK) for one in alert["data"]["targets"]
    )
    assert names == ["Blog", "Shop"]


def test_the_recovery_of_an_earlier_outage_is_notified_after_the_window(
    world: World, alice: Person
) -> None:
    shop = target(alice, tags=["prod"])
    fail(world, shop)
    run(world, 30)
    assert types(world) == ["down"]
    window(alice, 0, 600)
    heal(world, shop)
    run(world, 300)
    assert types(world) == ["down"]
    run(world, 400)
    assert types(world) == ["down", "recovered"]


def test_reminders_are_held(world: World) -> None:
    alice = world.user()
    channel(alice, repeat_s=120)
    shop = target(alice, tags=["prod"])
    fail(world, shop)
    run(world, 60)
    window(alice, 0, 900)
    run(world, 880)
    assert types(world) == ["down"]
    run(world, 90)
    assert types(world) == ["down", "reminder"]


def test_alerts_are_released_within_minutes_of_deleting_the_window(
    world: World, alice: Person
) -> None:
    shop = target(alice, tags=["prod"])
    created = window(alice, 0, 6 * 3_600)
    fail(world, shop)
    run(world, 60)
    alice.delete(f"/v1/maintenance/{created['id']}")
    run(world, 310)
    assert types(world) == ["down"]


def test_extending_the_window_extends_the_hold(world: World, alice: Person) -> None:
    shop = target(alice, tags=["prod"])
    created = window(alice, 0, 300)
    fail(world, shop)
    run(world, 60)
    later = render_time(world.runtime.now + 600)
    alice.patch(f"/v1/maintenance/{created['id']}", {"ends_at": later})
    run(world, 590)
    assert types(world) == []
    run(world, 60)
    assert types(world) == ["down"]


def test_only_targets_that_are_still_degraded_are_notified_after_the_window(
    world: World, alice: Person
) -> None:
    shop, blog = target(alice, tags=["prod"]), target(alice, tags=["prod"], name="Blog")
    world.tick()
    world.run(40)
    window(alice, 0, 600)
    world.checker.script |= {shop["id"]: EXPIRING, blog["id"]: SLOW}
    run(world, 100)
    del world.checker.script[blog["id"]]
    run(world, 700)
    sent = [(one["type"], one["data"]["title"]) for one in world.outbound.received(HOOK)]
    assert sent == [("tls_expiring", "Shop has a certificate that expires soon")]


def test_a_recurring_window(world: World, alice: Person) -> None:
    """It is 11:06:40 UTC on a Wednesday, so eight minutes are left."""
    shop = target(alice, tags=["prod"])
    rule = {"starts_at": None, "ends_at": None, "cron": "0 11 * * WED", "duration_s": 900}
    reply = alice.post("/v1/maintenance", {"name": "n", "tags": ["prod"], **rule})
    assert (reply.status, reply.json["active"]) == (201, True)
    fail(world, shop)
    run(world, 400)
    assert types(world) == []
    run(world, 200)
    assert types(world) == ["down"]
