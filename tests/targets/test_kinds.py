"""Every kind of target: its fields, its defaults, and what the worker gets."""

from typing import Any

import pytest

from tests.support.world import Person, World

pytestmark = pytest.mark.shared_stage

KINDS: dict[str, dict[str, Any]] = {
    "tcp": {"host": "db.example", "port": 8443},
    "tls": {"host": "shop.example"},
    "dns": {"host": "shop.example"},
}


def body(kind: str, **fields: Any) -> dict[str, Any]:
    return {"name": "n", "kind": kind, **KINDS[kind], **fields}


def create(person: Person, kind: str, **fields: Any) -> dict[str, Any]:
    reply = person.post("/v1/targets", body(kind, **fields))
    assert reply.status == 201, reply.text
    return dict(reply.json)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("tcp", {"host": "db.example", "port": 8443, "send": None}),
        ("tls", {"host": "shop.example", "port": 443, "verify_tls": True}),
        (
            "dns",
            {
                "host": "shop.example",
                "record_type": "A",
                "expected": [],
                "exact": False,
                "resolver": None,
            },
        ),
    ],
)
def test_kind_has_its_fields_with_defaults(
    world: World, kind: str, expected: dict[str, Any]
) -> None:
    alice = world.user()
    created = create(alice, kind)
    assert created.items() >= expected.items()
    assert created["kind"] == kind
    assert "url" not in created
    assert alice.get(f"/v1/targets?kind={kind}").json["items"] == [created]


def test_certificate_warning_is_two_weeks_by_default(
    world: World,
) -> None:
    alice = world.user()
    assert create(alice, "tls")["expect"]["tls_days_left"] == 14
    assert create(alice, "tls", expect={"tls_days_left": 0})["expect"]["tls_days_left"] == 0
    world.deliver()
    assert sorted(spec.expect["tls_days_left"] for spec in world.checker.seen) == [0, 14]


def test_worker_gets_the_configuration(world: World) -> None:
    alice = world.user()
    create(alice, "tcp", send="PING\r\n", expect={"body_contains": "PONG"})
    create(alice, "dns", record_type="MX", expected=["10 mx.example"], resolver="9.9.9.9:53")
    world.deliver()
    tcp, dns = sorted(world.checker.seen, key=lambda spec: spec.kind, reverse=True)
    assert tcp.config == {"host": "db.example", "port": 8443}
    assert tcp.secrets == {"send": "PING\r\n"}
    assert tcp.expect == {"body_contains": "PONG"}
    assert dns.config == {
        "host": "shop.example",
        "record_type": "MX",
        "expected": ["10 mx.example"],
        "resolver": "9.9.9.9:53",
    }


def test_unfollowed_redirects_are_accepted_by_default(world: World) -> None:
    alice = world.user()
    followed = alice.make_target()
    unfollowed = alice.make_target(follow_redirects=False)
    explicit = alice.make_target(follow_redirects=False, expect={"status_codes": [301]})
    codes = [created["expect"]["status_codes"] for created in (followed, unfollowed, explicit)]
    assert codes == [["200-299"], ["200-399"], [301]]
    changed = alice.patch(f"/v1/targets/{unfollowed['id']}", {"follow_redirects": True}).json
    assert changed["expect"]["status_codes"] == ["200-299"], "the default is not stored"


@pytest.mark.parametrize(
    ("given", "field"),
    [
        (body("tcp", port=0), "body.port"),
        (body("tcp", port="8443"), "body.port"),
        (body("tcp", port=25), "body.host"),
        (body("tcp", host=""), "body.host"),
        (body("tcp", host="127.0.0.1"), "body.host"),
        (body("tls", host="[::ffff:10.0.0.1]"), "body.host"),
        (body("tls", host="a b"), "body.host"),
        (body("tls", host="shop.example/path"), "body.host"),
        (body("tls", expect={"tls_days_left": -1}), "body.expect.tls_days_left"),
        (body("tls", expect={"status_codes": [200]}), "body.expect.status_codes"),
        (body("tls", url="https://shop.example"), "body.url"),
        (body("dns", record_type="PTR"), "body.record_type"),
        (body("dns", resolver="10.0.0.1"), "body.resolver"),
        (body("dns", resolver="9.9.9.9:99999"), "body.resolver"),
        (body("dns", expected="1.2.3.4"), "body.expected"),
        (body("dns", host="-"), "body.host"),
        ({"name": "n", "kind": "tcp", "host": "db.example"}, "body.port"),
        ({"name": "n", "kind": "gopher", "host": "db.example"}, "body.kind"),
        ({"name": "n", "host": "db.example"}, "body.kind"),
    ],
)
def test_invalid_field_of_a_kind_is_named(world: World, given: dict[str, Any], field: str) -> None:
    alice = world.user()
    reply = alice.post("/v1/targets", given)
    assert reply.status == 422, reply.text
    assert reply.fields == [field]
    assert alice.get("/v1/targets").json["items"] == []
