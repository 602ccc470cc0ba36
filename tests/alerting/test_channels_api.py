"""Channels through the API."""

import base64
import json
from datetime import UTC, datetime

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from tests.support.alerts import HOOK, channel, fail, target
from tests.support.world import Person, World


def test_secret_of_a_webhook_is_shown_only_at_creation(world: World) -> None:
    alice = world.user()
    created = channel(alice)
    secret = created.pop("secret")
    assert len(base64.b64decode(secret.removeprefix("whsec_"))) == 32
    assert created == {
        "id": created["id"],
        "name": "Hook",
        "kind": "webhook",
        "url": HOOK,
        "address": None,
        "confirmed": None,
        "events": ["down", "recovered", "degraded", "tls_expiring", "up", "reminder"],
        "delay_s": 0,
        "repeat_s": None,
        "tags": [],
        "disabled": None,
        "created_at": "2026-11-18T11:06:40Z",
        "updated_at": "2026-11-18T11:06:40Z",
    }
    assert alice.get(f"/v1/channels/{created['id']}").json == created
    assert alice.get("/v1/channels").json == {"items": [created], "next_cursor": None}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"kind": "webhook"}, "body.url"),
        ({"kind": "webhook", "url": "ftp://x.example/"}, "body.url"),
        ({"kind": "webhook", "url": "http://127.0.0.1/"}, "body.url"),
        ({"kind": "webhook", "url": "http://169.254.169.254/latest"}, "body.url"),
        ({"kind": "webhook", "url": "https://me:secret@hooks.example/"}, "body.url"),
        ({"kind": "apprise", "url": "mailto://me:secret@x.example"}, "body.url"),
        ({"kind": "apprise", "url": "syslog://"}, "body.url"),
        ({"kind": "apprise", "url": "json://hooks.example/"}, "body.url"),
        ({"kind": "apprise", "url": "file:///etc/passwd"}, "body.url"),
        ({"kind": "apprise", "url": "slack://short"}, "body.url"),
        ({"kind": "apprise", "url": "gotify://127.0.0.1/abcdefghijklmno"}, "body.url"),
        ({"kind": "apprise", "url": "ntfy://localhost/x"}, "body.url"),
        ({"kind": "apprise", "url": "ntfys://169.254.169.254/x"}, "body.url"),
        ({"kind": "apprise", "url": "mmosts://10.0.0.1/abcdefghijklmnopqrstuvwx"}, "body.url"),
        ({"kind": "apprise", "url": "rockets://me:secret@10.0.0.1/#a"}, "body.url"),
        ({"kind": "apprise", "url": "matrixs://me:secret@192.168.0.1/#a"}, "body.url"),
        ({"kind": "apprise", "url": "workflows://10.0.0.1:443/abcdefg/sig"}, "body.url"),
        ({"kind": "email", "address": "nobody"}, "body.address"),
        ({"kind": "email", "address": "a@b.example\nBcc: c@d.example"}, "body.address"),
        ({"kind": "email", "address": "a@b.example, c@d.example"}, "body.address"),
        ({"kind": "pigeon"}, "body.kind"),
        ({"kind": "webhook", "url": HOOK, "events": ["rain"]}, "body.events.0"),
        ({"kind": "webhook", "url": HOOK, "events": []}, "body.events"),
        ({"kind": "webhook", "url": HOOK, "delay_s": -1}, "body.delay_s"),
        ({"kind": "webhook", "url": HOOK, "repeat_s": 1}, "body.repeat_s"),
        ({"kind": "webhook", "url": HOOK, "colour": "red"}, "body.colour"),
        ({"kind": "webhook", "url": HOOK, "name": "two\nlines"}, "body.name"),
    ],
)
def test_invalid_channel_is_rejected_with_its_field(
    world: World, body: dict[str, object], field: str
) -> None:
    reply = world.user().post("/v1/channels", {"name": "Hook", **body})
    assert reply.status == 422
    assert reply.fields == [field]


def test_message_about_an_invalid_address_shows_an_example(alice: Person) -> None:
    body = {"name": "Ops", "kind": "email", "address": "nobody"}
    (error,) = alice.post("/v1/channels", body).json["errors"]
    assert error["msg"] == "`address` must be an email address such as ops@example.com"


def test_apprise_url_is_masked_and_kept_by_a_change(world: World) -> None:
    alice = world.user()
    url = "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#alerts"
    created = channel(alice, url, kind="apprise")
    assert created["url"] == "slack://***"
    path = f"/v1/channels/{created['id']}"
    changed = alice.patch(path, {"name": "Chat", "url": "slack://***"})
    assert (changed.status, changed.json["url"]) == (200, "slack://***")
    assert "TIiajk" not in alice.get("/v1/channels").text


def test_patch_replaces_fields_and_null_resets_them(world: World) -> None:
    alice = world.user()
    path = f"/v1/channels/{channel(alice, delay_s=60, events=['down'])['id']}"
    changed = alice.patch(path, {"delay_s": 120, "events": None}).json
    assert (changed["delay_s"], len(changed["events"]), changed["url"]) == (120, 6, HOOK)
    assert alice.patch(path, {"kind": "email"}).fields == ["body.kind"]
    assert alice.patch(path, {"url": "http://10.0.0.1/"}).status == 422
    assert alice.delete(path).status == 204
    assert alice.get(path).status == 404


def test_channels_are_paginated(world: World) -> None:
    alice = world.user()
    ids = []
    for _ in range(3):
        ids.append(channel(alice)["id"])
        world.clock.time += 1
    page = alice.get("/v1/channels?limit=2").json
    rest = alice.get(f"/v1/channels?limit=2&cursor={page['next_cursor']}").json
    assert [one["id"] for one in [*page["items"], *rest["items"]]] == ids
    assert rest["next_cursor"] is None


def test_channel_of_another_owner_is_not_found(world: World) -> None:
    alice, mallory = world.user("alice"), world.user("mallory")
    path = f"/v1/channels/{channel(alice)['id']}"
    for reply in (
        mallory.get(path),
        mallory.patch(path, {"name": "x"}),
        mallory.delete(path),
        mallory.post(f"{path}/test"),
        mallory.post(f"{path}/rotate-secret"),
        mallory.get(f"{path}/deliveries"),
    ):
        assert reply.status == 404


def test_channel_ids_of_a_target_must_exist(world: World) -> None:
    alice, bob = world.user("alice"), world.user("bob")
    mine, theirs = channel(alice)["id"], channel(bob)["id"]
    body = {"name": "Shop", "kind": "http", "url": "https://shop.example/"}
    refused = alice.post("/v1/targets", {**body, "channel_ids": [mine, theirs, "nonsense"]})
    assert refused.status == 422
    assert refused.fields == ["body.channel_ids.1", "body.channel_ids.2"]
    created = alice.post("/v1/targets", {**body, "channel_ids": [mine]})
    assert created.json["channel_ids"] == [mine]
    path = f"/v1/targets/{created.json['id']}"
    assert alice.patch(path, {"channel_ids": [theirs]}).fields == ["body.channel_ids.0"]
    alice.delete(f"/v1/channels/{mine}")
    assert alice.patch(path, {"name": "Other"}).status == 200


def test_signature_of_an_alert_is_valid(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    alice = world.user()
    created = channel(alice)
    assert alice.post(f"/v1/channels/{created['id']}/test").status == 202
    world.run_alerts()
    ((_, body, headers),) = world.outbound.posted
    assert is_valid(created["secret"], body, headers, monkeypatch)
    assert json.loads(body)["type"] == "test"


def test_old_and_new_secret_both_sign_for_a_day_after_rotation(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice = world.user()
    created = channel(alice)
    path = f"/v1/channels/{created['id']}"
    new = alice.post(f"{path}/rotate-secret").json["secret"]
    assert new != created["secret"]
    assert alice.post(f"{path}/rotate-secret").status == 409
    alice.post(f"{path}/test")
    world.run_alerts()
    _, body, headers = world.outbound.posted[-1]
    assert is_valid(created["secret"], body, headers, monkeypatch)
    assert is_valid(new, body, headers, monkeypatch)
    world.clock.time += 86_400
    alice.post(f"{path}/test")
    world.run_alerts()
    _, body, headers = world.outbound.posted[-1]
    assert not is_valid(created["secret"], body, headers, monkeypatch)
    assert is_valid(new, body, headers, monkeypatch)


def is_valid(
    secret: str, body: bytes, headers: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> bool:
    """Verify with the library of the specification."""
    library = Webhook(secret)
    # The library compares the timestamp with the real time, not with the clock of the test.
    at = datetime.fromtimestamp(int(headers["webhook-timestamp"]), UTC)
    monkeypatch.setattr(library, "_Webhook__verify_timestamp", lambda _: at, raising=False)
    try:
        library.verify(body, headers)
    except WebhookVerificationError:
        return False
    return True


def test_test_alert_is_sent_once_a_minute_and_listed(world: World) -> None:
    alice = world.user()
    path = f"/v1/channels/{channel(alice)['id']}"
    first = alice.post(f"{path}/test").json
    assert (first["event"], first["status"]) == ("test", "waiting")
    assert alice.post(f"{path}/test").json["id"] == first["id"]
    world.run_alerts()
    assert len(world.outbound.posted) == 1
    (logged,) = alice.get(f"{path}/deliveries").json["items"]
    assert (logged["id"], logged["status"], logged["targets"]) == (first["id"], "sent", 0)
    assert [one["status_code"] for one in logged["attempts"]] == [204]


def test_deliveries_are_paginated_newest_first(world: World) -> None:
    alice = world.user()
    path = f"/v1/channels/{channel(alice)['id']}"
    ids = []
    for _ in range(5):
        ids.append(alice.post(f"{path}/test").json["id"])
        world.clock.time += 60
    listed, query = [], "?limit=2"
    while query:
        page = alice.get(f"{path}/deliveries{query}").json
        listed += [one["id"] for one in page["items"]]
        query = f"?limit=2&cursor={page['next_cursor']}" if page["next_cursor"] else ""
    assert listed == ids[::-1]


def test_title_of_an_alert_is_one_line(world: World) -> None:
    alice = world.user()
    channel(alice)
    shop = target(alice, name="<b>Shop</b>")
    world.run(60)
    fail(world, shop)
    world.run_alerts()
    (received,) = world.outbound.received()
    assert "\n" not in received["data"]["title"]
    assert received["data"]["targets"][0]["name"] == "<b>Shop</b>"
