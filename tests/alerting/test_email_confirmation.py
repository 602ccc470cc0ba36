"""Email addresses receive no alerts before they are confirmed."""

import re
from dataclasses import replace
from typing import Any

import pytest

from chalicelib.alerting.notifiers import SendResult
from tests.support.alerts import fail, heal, skip, target
from tests.support.world import API_URL, Person, World

ADDRESS = "ops@shop.example"


def email_channel(person: Person) -> dict[str, Any]:
    body = {"name": "Ops", "kind": "email", "address": ADDRESS}
    reply = person.post("/v1/channels", body)
    assert reply.status == 201, reply.text
    created: dict[str, Any] = reply.json
    return created


def link(world: World) -> str:
    """The path of the link in the last email."""
    found = re.search(r"(https://\S+)(/confirm/\S+)", world.mailer.sent[-1][2])
    assert found
    assert found[1] == API_URL
    assert found[0] in world.mailer.sent[-1][3]
    return found[2]


def test_link_begins_with_the_public_url(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = replace(world.runtime.settings, public_url="https://monitum.example")
    monkeypatch.setattr(world.runtime, "settings", settings)
    email_channel(world.user())
    assert "\nhttps://monitum.example/confirm/" in world.mailer.sent[-1][2]


def test_link_opens_a_page_with_a_button_that_confirms(world: World) -> None:
    alice = world.user()
    created = email_channel(alice)
    assert (created["confirmed"], created["secret"]) == (False, None)
    to, _, _, html = world.mailer.sent[0]
    assert to == ADDRESS
    assert link(world) in html
    page = alice.get(link(world))
    assert page.status == 200
    assert "form-action 'self'" in page.headers["content-security-policy"]
    assert ADDRESS in page.text
    assert alice.get(f"/v1/channels/{created['id']}").json["confirmed"] is False
    assert alice.post(link(world)).status == 200
    assert alice.get(f"/v1/channels/{created['id']}").json["confirmed"] is True


def test_alerts_are_only_sent_to_a_confirmed_address(world: World) -> None:
    alice = world.user()
    created = email_channel(alice)
    confirm = link(world)
    alice.post(f"/v1/channels/{created['id']}/test")
    world.run_alerts()
    assert len(world.mailer.sent) == 1
    (test,) = alice.get(f"/v1/channels/{created['id']}/deliveries").json["items"]
    assert test["attempts"][0]["reason"] == "the address is not confirmed yet"
    alice.post(confirm)
    shop = target(alice, name="<b>Shop</b>")
    world.run(60)
    fail(world, shop)
    world.run_alerts()
    to, subject, text, html = world.mailer.sent[-1]
    assert (to, subject) == (ADDRESS, "[Monitum] <b>Shop</b> is down")
    assert "got 503" in text
    assert "&lt;b&gt;Shop&lt;/b&gt;" in html
    assert "<b>" not in html


def test_alerts_wait_for_the_confirmation(world: World) -> None:
    alice = world.user()
    created = email_channel(alice)
    shop = target(alice)
    world.run(60)
    fail(world, shop)
    skip(world, 3_600)
    (waiting,) = alice.get(f"/v1/channels/{created['id']}/deliveries").json["items"]
    assert (waiting["status"], waiting["attempts"]) == ("waiting", [])
    alice.post(link(world))
    world.run_alerts()
    assert [subject for _, subject, _, _ in world.mailer.sent[1:]] == ["[Monitum] Shop is down"]


def test_outage_that_goes_on_is_reported_when_the_address_is_confirmed_days_later(
    world: World,
) -> None:
    alice = world.user()
    created = email_channel(alice)
    shop, over = target(alice), target(alice, name="Over")
    world.run(60)
    fail(world, shop)
    world.clock.time += 60
    fail(world, over)
    heal(world, over)
    skip(world, 3 * 86_400)
    listed = alice.get(f"/v1/channels/{created['id']}/deliveries").json["items"]
    assert {one["status"] for one in listed} == {"skipped"}
    assert listed[-1]["attempts"][-1]["reason"] == "the address is not confirmed yet"
    assert world.dead.waiting == []
    alice.post(link(world))
    world.run_alerts()
    assert [subject for _, subject, _, _ in world.mailer.sent[1:]] == ["[Monitum] Shop is down"]


def test_changed_address_must_be_confirmed_again(world: World) -> None:
    alice = world.user()
    path = f"/v1/channels/{email_channel(alice)['id']}"
    old = link(world)
    alice.post(old)
    assert alice.patch(path, {"name": "Other"}).json["confirmed"] is True
    assert alice.patch(path, {"address": "else@shop.example"}).json["confirmed"] is False
    assert alice.post(old).status == 404
    assert alice.post(f"{path}/confirmation").status == 200
    alice.post(link(world))
    assert alice.get(path).json["confirmed"] is True
    assert alice.post(f"{path}/confirmation").status == 409


@pytest.mark.parametrize("change", ["", "x", "owner"])
def test_forged_link_is_not_found(world: World, change: str) -> None:
    alice, bob = world.user("alice"), world.user("bob")
    email_channel(alice)
    path = link(world)
    if change == "owner":
        forged = f"/confirm/{bob.owner}.{path.partition('.')[2]}"
    elif change:
        forged = path[:-3] + "xxx"
    else:
        forged = "/confirm/nonsense"
    assert alice.get(forged).status == 404
    assert alice.post(forged).status == 404


def test_link_expires_after_a_week(world: World) -> None:
    alice = world.user()
    email_channel(alice)
    world.clock.time += 7 * 86_400
    assert alice.post(link(world)).status == 404


def test_ten_confirmation_emails_a_day_are_allowed(world: World) -> None:
    alice = world.user()
    path = f"/v1/channels/{email_channel(alice)['id']}/confirmation"
    assert [alice.post(path).status for _ in range(10)] == [200] * 9 + [409]
    assert len(world.mailer.sent) == 10
    world.clock.time += 86_400
    assert alice.post(path).status == 200


def test_channel_is_created_even_if_the_email_cannot_be_sent(world: World) -> None:
    alice = world.user()
    world.mailer.result = SendResult(is_sent=False, reason="this installation does not send email")
    path = f"/v1/channels/{email_channel(alice)['id']}"
    assert alice.get(path).json["confirmed"] is False
    assert alice.post(f"{path}/confirmation").status == 503
