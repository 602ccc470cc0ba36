"""Alerts to chat services, which a separate function sends."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from chalicelib.alerting.alert import Alert
from chalicelib.alerting.notifiers import SendResult
from tests.maintenance.test_mute import EXPIRING
from tests.support.alerts import channel, fail, heal, skip, target
from tests.support.windows import window
from tests.support.world import Person, World

CHAT = "ntfys://ntfy.example/ops"


@dataclass
class Chat:
    """A chat service that records alerts and responds with `result`."""

    sent: list[str] = field(default_factory=list)
    result: SendResult = field(default_factory=lambda: SendResult(is_sent=True, status_code=200))

    def send(self, alert: Alert, *_: Any) -> SendResult:
        if self.result.is_sent:
            self.sent += [f"{alert.event} {target.name}" for target in alert.targets]
        return self.result


@pytest.fixture
def chat(monkeypatch: pytest.MonkeyPatch) -> Chat:
    found = Chat()
    monkeypatch.setattr("chalicelib.alerting.notifiers.apprise.send_chat", found.send)
    return found


def deliveries(person: Person, created: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = person.get(f"/v1/channels/{created['id']}/deliveries").json[
        "items"
    ]
    return found


def test_outage_and_recovery_are_sent(world: World, chat: Chat) -> None:
    alice = world.user()
    created = channel(alice, CHAT, kind="apprise")
    shop = target(alice)
    world.run(60)
    fail(world, shop)
    world.run_alerts(60)
    heal(world, shop)
    world.run_alerts(60)

    assert chat.sent == ["down Shop", "recovered Shop"]
    assert {one["status"] for one in deliveries(alice, created)} == {"sent"}


def test_unreachable_service_is_retried(world: World, chat: Chat) -> None:
    alice = world.user()
    channel(alice, CHAT, kind="apprise")
    shop = target(alice)
    chat.result = SendResult(is_sent=False, reason="the service could not be reached")
    world.run(60)
    fail(world, shop)
    world.run_alerts(60)
    assert chat.sent == []
    chat.result = SendResult(is_sent=True, status_code=200)
    world.run_alerts(300)

    assert chat.sent == ["down Shop"]


def test_alert_that_is_refused_for_a_day_becomes_a_dead_letter(world: World, chat: Chat) -> None:
    alice = world.user()
    created = channel(alice, CHAT, kind="apprise")
    shop = target(alice)
    chat.result = SendResult(is_sent=False, status_code=404, reason="responded with 404")
    world.run(60)
    fail(world, shop)
    skip(world, 86_400)

    assert [one["status"] for one in deliveries(alice, created)] == ["failed"]
    assert len(world.dead.waiting) == 1


def test_alert_held_by_a_window_is_sent_afterwards_if_still_true(world: World, chat: Chat) -> None:
    alice = world.user()
    channel(alice, CHAT, kind="apprise")
    shop = target(alice, tags=["prod"])
    world.run(60)
    window(alice, 0, 600)
    world.checker.script[shop["id"]] = EXPIRING
    world.tick()
    world.run(60)
    world.run_alerts(30)
    assert chat.sent == []
    world.run_alerts(900)

    assert chat.sent == ["tls_expiring Shop"]


def test_second_test_alert_within_a_minute_is_not_sent(world: World, chat: Chat) -> None:
    alice = world.user()
    created = channel(alice, CHAT, kind="apprise")
    first = alice.post(f"/v1/channels/{created['id']}/test")
    world.run_alerts(2)
    second = alice.post(f"/v1/channels/{created['id']}/test")
    world.run_alerts(2)

    assert (first.status, second.status) == (202, 202)
    assert [len(one["attempts"]) for one in deliveries(alice, created)] == [1]
