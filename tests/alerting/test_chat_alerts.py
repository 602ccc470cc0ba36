"""Alerts to chat services: sent by a function of its own, under that one's name and policy."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from chalicelib.alerting.alert import Alert
from chalicelib.alerting.notifiers import SendResult
from tests.maintenance.test_mute import EXPIRING
from tests.support.alerts import channel, fail, heal, target
from tests.support.windows import window
from tests.support.world import Person, World

CHAT = "ntfys://ntfy.example/ops"


@dataclass
class Chat:
    """A chat service: what it took, and how it answers."""

    told: list[str] = field(default_factory=list)
    outcome: SendResult = field(default_factory=lambda: SendResult(is_sent=True, status_code=200))

    def send(self, alert: Alert, *_: Any) -> SendResult:
        if self.outcome.is_sent:
            self.told += [f"{alert.event} {subject.name}" for subject in alert.targets]
        return self.outcome


@pytest.fixture
def chat(monkeypatch: pytest.MonkeyPatch) -> Chat:
    found = Chat()
    monkeypatch.setattr("chalicelib.alerting.notifiers.apprise.send_chat", found.send)
    return found


def deliveries(person: Person, made: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = person.get(f"/v1/channels/{made['id']}/deliveries").json["items"]
    return found


def test_an_outage_and_its_end_are_told(world: World, chat: Chat) -> None:
    alice = world.user()
    made = channel(alice, CHAT, kind="apprise")
    shop = target(alice)
    world.run(60)
    fail(world, shop)
    world.run_alerts(60)
    heal(world, shop)
    world.run_alerts(60)

    assert chat.told == ["down Shop", "recovered Shop"]
    assert {one["status"] for one in deliveries(alice, made)} == {"sent"}


def test_a_service_that_is_away_is_asked_again(world: World, chat: Chat) -> None:
    alice = world.user()
    channel(alice, CHAT, kind="apprise")
    shop = target(alice)
    chat.outcome = SendResult(is_sent=False, reason="the service could not be reached")
    world.run(60)
    fail(world, shop)
    world.run_alerts(60)
    assert chat.told == []
    chat.outcome = SendResult(is_sent=True, status_code=200)
    world.run_alerts(300)

    assert chat.told == ["down Shop"]


def test_what_a_service_refuses_for_good_is_kept_among_the_dead_letters(
    world: World, chat: Chat
) -> None:
    alice = world.user()
    made = channel(alice, CHAT, kind="apprise")
    shop = target(alice)
    chat.outcome = SendResult(
        is_sent=False, is_permanent=True, status_code=404, reason="responded with 404"
    )
    world.run(60)
    fail(world, shop)
    world.run_alerts(60)

    assert [one["status"] for one in deliveries(alice, made)] == ["failed"]
    assert len(world.dead.waiting) == 1


def test_what_a_window_held_is_told_after_it_if_it_is_still_so(world: World, chat: Chat) -> None:
    alice = world.user()
    channel(alice, CHAT, kind="apprise")
    shop = target(alice, tags=["prod"])
    world.run(60)
    window(alice, 0, 600)
    world.checker.script[shop["id"]] = EXPIRING
    world.tick()
    world.run(60)
    world.run_alerts(30)
    assert chat.told == []
    world.run_alerts(900)

    assert chat.told == ["tls_expiring Shop"]


def test_a_second_test_within_the_minute_is_the_first(world: World, chat: Chat) -> None:
    alice = world.user()
    made = channel(alice, CHAT, kind="apprise")
    first = alice.post(f"/v1/channels/{made['id']}/test")
    world.run_alerts(2)
    second = alice.post(f"/v1/channels/{made['id']}/test")
    world.run_alerts(2)

    assert (first.status, second.status) == (202, 202)
    assert [len(one["attempts"]) for one in deliveries(alice, made)] == [1]
