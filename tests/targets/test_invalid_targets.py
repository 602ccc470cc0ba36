"""Targets that cannot be: the field that is named, and that nothing is written."""

from typing import Any

import pytest

from tests.support.stages import stored
from tests.support.world import Person, World

pytestmark = pytest.mark.shared_stage

SHOP = {"name": "Shop", "kind": "http", "url": "https://shop.example/"}

FIELDS: list[tuple[dict[str, Any], str]] = [
    # names, tags
    ({"name": ""}, "body.name"),
    ({"name": " Shop"}, "body.name"),
    ({"name": "Sh\x00op"}, "body.name"),
    ({"name": "Sh\nop"}, "body.name"),
    ({"name": "Sh\x7fop"}, "body.name"),
    ({"name": "\u202egnp.exe"}, "body.name"),
    ({"name": "x" * 201}, "body.name"),
    ({"name": 5}, "body.name"),
    ({"name": ["Shop"]}, "body.name"),
    ({"tags": "prod"}, "body.tags"),
    ({"tags": ["a", "a"]}, "body.tags"),
    ({"tags": [""]}, "body.tags.0"),
    ({"tags": ["ok", "x" * 51]}, "body.tags.1"),
    ({"tags": [None]}, "body.tags.0"),
    ({"tags": [f"{number}" for number in range(21)]}, "body.tags"),
    ({"channel_ids": ["01a1ee56-5e00-7000-8000-000000000000"]}, "body.channel_ids.0"),
    # unknown fields
    ({"unknown": 1}, "body.unknown"),
    ({"Name": "x"}, "body.Name"),
    ({"id": "x"}, "body.id"),
    ({"owner": "mallory"}, "body.owner"),
    ({"state": {"status": "UP"}}, "body.state"),
    ({"expect": {"status": 200}}, "body.expect.status"),
    # kinds
    ({"kind": "smtp"}, "body.kind"),
    ({"kind": "HTTP"}, "body.kind"),
    ({"kind": None}, "body.kind"),
    # numbers are numbers
    ({"interval_s": "60"}, "body.interval_s"),
    ({"interval_s": True}, "body.interval_s"),
    ({"interval_s": 60.0}, "body.interval_s"),
    ({"interval_s": 60.5}, "body.interval_s"),
    ({"interval_s": 0}, "body.interval_s"),
    ({"interval_s": 61}, "body.interval_s"),
    ({"interval_s": -60}, "body.interval_s"),
    ({"interval_s": None}, "body.interval_s"),
    ({"timeout_s": "10"}, "body.timeout_s"),
    ({"timeout_s": True}, "body.timeout_s"),
    ({"timeout_s": 10.0}, "body.timeout_s"),
    ({"timeout_s": 0}, "body.timeout_s"),
    ({"timeout_s": 26}, "body.timeout_s"),
    ({"timeout_s": 2**70}, "body.timeout_s"),
    ({"timeout_s": 11, "interval_s": 10}, "body.timeout_s"),
    ({"failure_threshold": 0}, "body.failure_threshold"),
    ({"failure_threshold": 11}, "body.failure_threshold"),
    ({"recovery_threshold": "1"}, "body.recovery_threshold"),
    # booleans are booleans
    ({"enabled": 1}, "body.enabled"),
    ({"enabled": "true"}, "body.enabled"),
    ({"verify_tls": 0}, "body.verify_tls"),
    ({"follow_redirects": "no"}, "body.follow_redirects"),
    # requests
    ({"method": "get"}, "body.method"),
    ({"method": "CONNECT"}, "body.method"),
    ({"method": "TRACE"}, "body.method"),
    ({"method": "GET /\r\nX: y"}, "body.method"),
    ({"body": 5}, "body.body"),
    ({"body": "x" * 4097}, "body.body"),
    ({"body": "\u2603" * 4000}, "body.body"),
    ({"headers": []}, "body.headers"),
    ({"headers": {"": "x"}}, "body.headers."),
    ({"headers": {"a b": "x"}}, "body.headers.a b"),
    ({"headers": {"a:": "x"}}, "body.headers.a:"),
    ({"headers": {"a\r\nb": "x"}}, "body.headers.a\r\nb"),
    ({"headers": {"a\x00": "x"}}, "body.headers.a\x00"),
    ({"headers": {"\u00e4": "x"}}, "body.headers.\u00e4"),
    ({"headers": {"x" * 101: "x"}}, "body.headers." + "x" * 101),
    ({"headers": {"A": "x\r\nEvil: 1"}}, "body.headers.A"),
    ({"headers": {"A": "x\ny"}}, "body.headers.A"),
    ({"headers": {"A": "x\x00"}}, "body.headers.A"),
    ({"headers": {"A": "\u2603"}}, "body.headers.A"),
    ({"headers": {"A": " x"}}, "body.headers.A"),
    ({"headers": {"A": 5}}, "body.headers.A"),
    ({"headers": {"A": None}}, "body.headers.A"),
    ({"headers": {"A": "***"}}, "body.headers.A"),
    ({"headers": {"A": "x", "a": "y"}}, "body.headers"),
    ({"headers": {f"A{number}": "x" for number in range(21)}}, "body.headers"),
    ({"headers": {"A": "x" * 4096}}, "body.headers"),
    ({"headers": {"A": "\u00e4" * 1000}}, "body.headers"),
    *(
        ({"headers": {name: "x"}}, "body.headers")
        for name in ("Connection", "content-length", "Transfer-Encoding", "Upgrade", "TE", "Expect")
    ),
    # expectations
    ({"expect": []}, "body.expect"),
    ({"expect": None}, "body.expect"),
    ({"expect": {"status_codes": []}}, "body.expect.status_codes"),
    ({"expect": {"status_codes": 200}}, "body.expect.status_codes"),
    ({"expect": {"status_codes": [200, 99]}}, "body.expect.status_codes.1"),
    ({"expect": {"status_codes": [600]}}, "body.expect.status_codes.0"),
    ({"expect": {"status_codes": [True]}}, "body.expect.status_codes.0"),
    ({"expect": {"status_codes": [200.0]}}, "body.expect.status_codes.0"),
    ({"expect": {"status_codes": ["200"]}}, "body.expect.status_codes.0"),
    ({"expect": {"status_codes": ["299-200"]}}, "body.expect.status_codes.0"),
    ({"expect": {"status_codes": ["200-299\n"]}}, "body.expect.status_codes.0"),
    ({"expect": {"status_codes": ["\u0662\u0660\u0660-299"]}}, "body.expect.status_codes.0"),
    ({"expect": {"body_contains": ""}}, "body.expect.body_contains"),
    ({"expect": {"body_contains": "x" * 1001}}, "body.expect.body_contains"),
    ({"expect": {"body_matches": "("}}, "body.expect.body_matches"),
    ({"expect": {"body_matches": "(?=x)"}}, "body.expect.body_matches"),
    ({"expect": {"json": {}}}, "body.expect.json"),
    ({"expect": {"json": [{"path": "a", "equals": 1}]}}, "body.expect.json.0.path"),
    ({"expect": {"json": [{"path": "$[", "equals": 1}]}}, "body.expect.json.0.path"),
    ({"expect": {"json": [{"path": "$", "matches": "["}]}}, "body.expect.json.0.matches"),
    ({"expect": {"json": [{"path": "$"}]}}, "body.expect.json.0"),
    ({"expect": {"json": [{"path": "$", "greater": "1"}]}}, "body.expect.json.0.greater"),
    ({"expect": {"json": [{"path": "$", "exists": 1}]}}, "body.expect.json.0.exists"),
    ({"expect": {"headers": {"a b": "x"}}}, "body.expect.headers.a b"),
    ({"expect": {"headers": {"A": "x\r\ny"}}}, "body.expect.headers.A"),
    ({"expect": {"max_response_ms": 0}}, "body.expect.max_response_ms"),
    ({"expect": {"max_response_ms": "5"}}, "body.expect.max_response_ms"),
    ({"expect": {"tls_days_left": 366}}, "body.expect.tls_days_left"),
    (
        {"expect": {"json": [{"path": f"$.a{n}", "equals": "x" * 400} for n in range(13)]}},
        "body.expect",
    ),
]


@pytest.fixture(scope="module")
def alice(shared_stage: World) -> Person:
    """One owner for all: what is refused leaves nothing behind."""
    return shared_stage.user("alice")


@pytest.mark.parametrize(
    ("fields", "field"), FIELDS, ids=[str(fields)[:60] for fields, _ in FIELDS]
)
def test_the_field_is_named_and_nothing_is_written(
    alice: Person, fields: dict[str, Any], field: str
) -> None:
    before = stored()
    reply = alice.post("/v1/targets", {**SHOP, **fields})
    assert (reply.status, reply.fields) == (422, [field])
    assert stored() == before


@pytest.mark.parametrize("missing", ["name", "kind", "url"])
def test_what_is_missing_is_named(alice: Person, missing: str) -> None:
    body = {name: value for name, value in SHOP.items() if name != missing}
    reply = alice.post("/v1/targets", body)
    assert (reply.status, reply.fields) == (422, [f"body.{missing}"])


def test_all_that_is_wrong_is_named_at_once(alice: Person) -> None:
    body = {"name": "", "kind": "http", "url": "x", "timeout_s": 0, "unknown": 1}
    fields = alice.post("/v1/targets", body).fields
    assert set(fields) == {"body.name", "body.timeout_s", "body.unknown"}
