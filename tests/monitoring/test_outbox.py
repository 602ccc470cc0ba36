"""Flips leave with the write of the state that makes them, and none is lost on its way."""

from collections.abc import Iterator
from typing import Any

import pytest

from chalicelib.alerting import handler as alerting_handler
from chalicelib.aws.sqs import Message, SendError
from chalicelib.aws.tenancy import acting_for
from chalicelib.monitoring.alert_messages import FlipsJob, FlushJob, read_job
from chalicelib.monitoring.lane import Lane
from chalicelib.monitoring.storage.lane_repository import Lanes
from chalicelib.targets import lifecycle
from tests.support.world import DOWN, Person, World


class BrokenQueue:
    def send(self, messages: Iterator[Message]) -> None:
        raise SendError("refused")


def lane(person: Person) -> Lane:
    with acting_for(person.owner):
        return Lanes(person.owner).get(0)


def flips(world: World) -> list[str]:
    """The kinds of all flips that were sent, in order, the messages being taken."""
    jobs = [read_job(body) for _, body in world.alerts.waiting]
    world.alerts.waiting.clear()
    return [entry.flip.kind for job in jobs if isinstance(job, FlipsJob) for entry in job.entries]


def down(world: World, person: Person, **fields: Any) -> dict[str, Any]:
    """A target that has just gone down, its flip sent and forgotten."""
    target = person.make_target(interval_s=10, **fields)
    world.run(60)
    world.checker.script[target["id"]] = DOWN
    world.run(20)
    return target


def test_a_flip_is_sent_with_its_result_and_the_outbox_is_emptied(world: World) -> None:
    alice = world.user()
    target = down(world, alice)
    (job,) = [read_job(body) for _, body in world.alerts.waiting]
    assert isinstance(job, FlipsJob)
    (entry,) = job.entries
    assert (job.owner, job.lane, entry.target_id) == (alice.owner, 0, target["id"])
    assert (entry.flip.kind, entry.error, entry.status_code) == ("opened", "got 503", 503)
    assert lane(alice).outbox == []


def test_without_changes_nothing_is_sent(world: World) -> None:
    alice = world.user()
    down(world, alice)
    waiting = list(world.alerts.waiting)
    world.run(300)
    assert world.alerts.waiting == waiting


def test_unsent_flips_stay_in_the_outbox_and_checks_continue(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice = world.user()
    target = alice.make_target(interval_s=10)
    world.run(60)
    world.checker.script[target["id"]] = DOWN
    monkeypatch.setitem(world.runtime.__dict__, "alerts", BrokenQueue())
    world.clock.time += 10
    world.deliver()
    world.clock.time += 10
    failed = world.deliver()
    assert failed
    assert [entry.flip.kind for entry in lane(alice).outbox] == ["opened"]
    monkeypatch.setitem(world.runtime.__dict__, "alerts", world.alerts)
    assert world.deliver(failed) == []
    assert flips(world) == ["opened"]
    assert lane(alice).outbox == []


@pytest.mark.parametrize("end", ["pause", "delete", "patch"])
def test_a_pause_or_a_deletion_closes_the_incident(world: World, end: str) -> None:
    alice = world.user()
    target = down(world, alice)
    flips(world)
    if end == "delete":
        assert alice.delete(f"/v1/targets/{target['id']}").status == 204
    elif end == "pause":
        assert alice.post(f"/v1/targets/{target['id']}/pause").status == 200
    else:
        assert alice.patch(f"/v1/targets/{target['id']}", {"enabled": False}).status == 200
    assert flips(world) == ["cancelled"]
    assert lane(alice).outbox == []


def test_a_pause_without_an_incident_sends_nothing(world: World) -> None:
    alice = world.user()
    target = alice.make_target(interval_s=10)
    world.run(60)
    assert alice.post(f"/v1/targets/{target['id']}/pause").status == 200
    assert world.alerts.waiting == []


def test_a_pause_that_dies_after_its_write_is_sent_within_a_minute(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice = world.user()
    target = down(world, alice)
    flips(world)

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("chalicelib.targets.lifecycle._settle", die)
    with pytest.raises(KeyboardInterrupt):
        alice.post(f"/v1/targets/{target['id']}/pause")
    assert [entry.flip.kind for entry in lane(alice).outbox] == ["cancelled"]
    world.clock.time += 60
    (body,) = world.alerts.take()
    assert isinstance(read_job(body), FlushJob)
    assert alerting_handler.handle_alerts(world.runtime, [{"messageId": "1", "body": body}]) == {
        "batchItemFailures": []
    }
    assert flips(world) == ["cancelled"]
    assert lane(alice).outbox == []


def test_a_check_between_reading_and_pausing_is_not_lost(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice = world.user()
    target = alice.make_target(interval_s=10)
    world.run(60)
    world.checker.script[target["id"]] = DOWN
    world.run(10)
    world.clock.time += 10

    announce = lifecycle._announce

    def check_first(*arguments: Any) -> None:
        if world.queue.waiting:
            assert world.deliver() == []
        announce(*arguments)

    monkeypatch.setattr(lifecycle, "_announce", check_first)
    assert alice.post(f"/v1/targets/{target['id']}/pause").status == 200
    assert flips(world) == ["opened", "cancelled"]


def test_an_unreadable_message_fails_alone(world: World) -> None:
    records = [
        {"messageId": "bad", "body": "?"},
        {"messageId": "good", "body": FlushJob(world.user().owner, 0).to_json()},
    ]
    assert alerting_handler.handle_alerts(world.runtime, records) == {
        "batchItemFailures": [{"itemIdentifier": "bad"}]
    }
