"""Alerts are sent once for a failing target, and incidents are recorded."""

from dataclasses import replace

import pytest

from tests.maintenance.test_mute import EXPIRING
from tests.support.alerts import channel, fail, heal, incidents, target, types
from tests.support.world import World


def test_outage_and_recovery_are_each_alerted_once(world: World) -> None:
    alice = world.user()
    channel(alice)
    shop = target(alice)
    world.run(60)
    fail(world, shop)
    world.run_alerts()
    heal(world, shop)
    world.run_alerts()
    down, recovered = world.outbound.received()
    assert (down["type"], recovered["type"]) == ("down", "recovered")
    alerted = down["data"]["targets"][0]
    assert (alerted["name"], alerted["status"], alerted["reason"]) == ("Shop", "DOWN", "status")
    assert (alerted["error"], alerted["status_code"]) == ("got 503", 503)
    assert down["data"]["title"] == "Shop is down"
    assert recovered["data"]["title"] == "Shop has recovered after 10 s"
    assert recovered["data"]["targets"][0]["incident_id"] == alerted["incident_id"]
    (incident,) = incidents(alice)
    assert incident["id"] == alerted["incident_id"]
    assert (incident["status"], incident["ended_as"]) == ("closed", "recovered")
    assert (incident["duration_s"], incident["reason"]) == (10, "status")


def test_alerts_link_to_the_incident(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = replace(world.runtime.settings, public_url="https://monitum.example")
    monkeypatch.setattr(world.runtime, "settings", settings)
    alice = world.user()
    channel(alice)
    body = {"name": "Ops", "kind": "email", "address": "ops@shop.example"}
    alice.post("/v1/channels", body)
    confirmation = world.mailer.sent.pop()[2]
    path = confirmation.partition("https://monitum.example")[2].split()[0]
    assert alice.post(path).status == 200
    shop = target(alice)
    world.run(60)
    fail(world, shop)
    world.run_alerts()
    heal(world, shop)
    world.run_alerts()
    (incident,) = incidents(alice)
    link = f"https://monitum.example/#/incidents/{incident['id']}"
    payloads = world.outbound.received()
    assert [one["data"]["targets"][0]["link"] for one in payloads] == [link, link]
    assert len(world.mailer.sent) == 2
    for _, _, text, html in world.mailer.sent:
        assert f"\n{link}\n" in text
        assert f'<a href="{link}">' in html


def test_notice_links_to_the_target(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = replace(world.runtime.settings, public_url="https://monitum.example")
    monkeypatch.setattr(world.runtime, "settings", settings)
    alice = world.user()
    channel(alice)
    shop = target(alice)
    world.checker.script[shop["id"]] = EXPIRING
    world.run(60)
    world.run_alerts(10)
    (notice,) = world.outbound.received()
    link = f"https://monitum.example/#/targets/{shop['id']}"
    assert notice["data"]["targets"][0]["link"] == link


def test_state_of_target_names_its_open_incident(world: World) -> None:
    alice = world.user()
    shop = target(alice)
    world.run(60)
    fail(world, shop)
    world.run_alerts()
    state = alice.get(f"/v1/targets/{shop['id']}").json["state"]
    (incident,) = incidents(alice, "?open=true")
    assert state["open_incident_id"] == incident["id"]
    assert incidents(alice) == [incident]
    heal(world, shop)
    world.run_alerts()
    assert incidents(alice, "?open=true") == []
    assert alice.get(f"/v1/targets/{shop['id']}").json["state"]["open_incident_id"] is None


def test_incidents_are_recorded_without_channels(world: World) -> None:
    alice = world.user()
    shop = target(alice)
    world.run(60)
    fail(world, shop)
    heal(world, shop)
    world.run_alerts()
    assert [one["status"] for one in incidents(alice)] == ["closed"]
    assert world.outbound.posted == []


def test_duplicate_and_reordered_messages_change_nothing(world: World) -> None:
    alice = world.user()
    channel(alice)
    shop = target(alice)
    world.run(60)
    fail(world, shop)
    heal(world, shop)
    bodies = world.alerts.take()
    assert world.process_alerts(list(reversed(bodies)) * 2) == []
    world.run_alerts(120)
    assert types(world) == ["down", "recovered"]
    assert len(incidents(alice)) == 1


def test_recovery_waits_for_an_outage_that_is_hours_late(world: World) -> None:
    alice = world.user()
    channel(alice)
    shop = target(alice)
    world.run(60)
    fail(world, shop)
    (outage,) = world.alerts.take()
    heal(world, shop)
    world.run_alerts(4 * 3600)
    assert types(world) == []
    assert len(world.alerts.waiting) == 1
    world.process_alerts([outage])
    world.run_alerts(1000)
    assert types(world) == ["down", "recovered"]
    assert world.dead.waiting == []


def test_recovery_without_its_outage_fails_after_a_day(world: World) -> None:
    alice = world.user()
    channel(alice)
    shop = target(alice)
    world.run(60)
    fail(world, shop)
    world.alerts.take()
    heal(world, shop)
    (recovery,) = world.alerts.take()
    world.clock.time += 86_400
    assert world.process_alerts([recovery]) == [recovery]
    assert world.alerts.waiting == []


def test_alerts_name_a_target_deleted_before_its_outage_is_sent(world: World) -> None:
    alice = world.user()
    channel(alice)
    shop = target(alice)
    world.run(60)
    fail(world, shop)
    alice.delete(f"/v1/targets/{shop['id']}")
    outage, *rest = world.alerts.take()
    world.process_alerts([outage, *rest])
    world.run_alerts(60)
    assert [one["data"]["targets"][0]["name"] for one in world.outbound.received()] == [
        "Shop",
        "Shop",
    ]


@pytest.mark.parametrize(("end", "status"), [("pause", "PAUSED"), ("delete", "DELETED")])
def test_channel_of_the_outage_is_notified_of_pause_and_deletion(
    world: World, end: str, status: str
) -> None:
    alice = world.user()
    channel(alice)
    shop = target(alice)
    world.run(60)
    fail(world, shop)
    world.run_alerts()
    if end == "pause":
        alice.post(f"/v1/targets/{shop['id']}/pause")
    else:
        alice.delete(f"/v1/targets/{shop['id']}")
    world.run_alerts()
    _, ended = world.outbound.received()
    assert ended["type"] == "recovered"
    assert (ended["data"]["targets"][0]["name"], ended["data"]["targets"][0]["status"]) == (
        "Shop",
        status,
    )
    assert incidents(alice)[0]["ended_as"] == status.lower()
