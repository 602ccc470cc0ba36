"""Targets that cannot be: the field that is named, and that nothing is written."""

from typing import Any

import pytest

from tests.stages import stored
from tests.world import Person, World

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

URLS = [
    "",
    "shop.example",
    "//shop.example/",
    "http:",
    "http:/",
    "http://",
    "http:///path",
    "http://?q",
    "http://#f",
    "http://:80/",
    "http:shop.example",
    "http:/shop.example",
    "http:\\\\shop.example",
    "http ://shop.example",
    " http://shop.example",
    "http://shop.example ",
    "http://shop .example",
    "ftp://shop.example/",
    "file:///etc/passwd",
    "javascript:alert(1)",
    "gopher://shop.example:70/_x",
    "data:text/plain,x",
    "ws://shop.example/",
    "unix:///var/run/docker.sock",
    "jar:http://shop.example!/",
    # userinfo
    "http://@/",
    "http://@shop.example/",
    "http://user@",
    "http://user:pass@/",
    "http://a@b@shop.example/",
    "http://shop.example@127.0.0.1/",
    "http://shop.example\\@127.0.0.1/",
    "http://127.0.0.1\\@shop.example/",
    "http://user:pa ss@shop.example/",
    "http://user:pa\r\nX: y@shop.example/",
    "http://user:pa\x00@shop.example/",
    "http://us\u00e9r:pass@shop.example/",
    "http://" + "u" * 513 + "@shop.example/",
    "http://***@shop.example/",
    "http://user:pass@127.0.0.1/",
    # control characters
    "http://shop.example/\r\nHost: evil",
    "http://shop.example/\n",
    "http://shop.example/\x00",
    "http://shop.example/\t",
    "http://shop\r.example/",
    # hosts
    "http://shop..example/",
    "http://-shop.example/",
    "http://shop%2eexample/",
    "http://shop<>.example/",
    "http://[shop.example]/",
    "http://[::1/",
    "http://[fe80::1%25eth0]/",
    "http://" + "a" * 64 + ".example/",
    # ports
    "http://shop.example:0/",
    "http://shop.example:65536/",
    "http://shop.example:-1/",
    "http://shop.example:80a/",
    "http://shop.example:\u0668\u0660/",
    "http://shop.example:80:80/",
    "http://shop.example:25/",
    "http://shop.example:6379/",
    # what is not public
    "http://localhost/",
    "http://LOCALHOST./",
    "http://a.localhost/",
    "http://metadata.google.internal/",
    "http://127.0.0.1/",
    "http://127.0.0.1./",
    "http://127.1/",
    "http://0x7f.1/",
    "http://0x7f000001/",
    "http://0177.0.0.1/",
    "http://2130706433/",
    "http://017700000001/",
    "http://\uff11\uff12\uff17.0.0.1/",
    "http://127\u30020\u30020\u30021/",
    "http://\u2460\u2461\u2466.0.0.1/",
    "http://0.0.0.0/",
    "http://0/",
    "http://10.0.0.1/",
    "http://172.16.0.1/",
    "http://192.168.1.1/",
    "http://100.64.0.1/",
    "http://169.254.169.254/latest/meta-data/",
    "http://224.0.0.1/",
    "http://255.255.255.255/",
    "http://[::]/",
    "http://[::1]/",
    "http://[0:0:0:0:0:0:0:1]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:7f00:1]/",
    "http://[::127.0.0.1]/",
    "http://[64:ff9b::7f00:1]/",
    "http://[2002:7f00:1::]/",
    "http://[fc00::1]/",
    "http://[fe80::1]/",
    "http://[fec0::1]/",
    "http://[fd00:ec2::254]/",
    "http://256.1.1.1/",
    "http://1.2.3.4.5/",
    "http://0x/",
    # lengths
    "https://shop.example/" + "x" * 2048,
]


@pytest.fixture(scope="module")
def alice(standing_world: World) -> Person:
    """One owner for all: what is refused leaves nothing behind."""
    return standing_world.user("alice")


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


@pytest.mark.parametrize("url", URLS, ids=[ascii(url)[:60] for url in URLS])
def test_a_url_that_is_not_watched_is_named(alice: Person, url: str) -> None:
    before = stored()
    reply = alice.post("/v1/targets", {**SHOP, "url": url})
    assert (reply.status, reply.fields) == (422, ["body.url"])
    assert stored() == before


@pytest.mark.parametrize("url", ["http://127.0.0.1/", "ftp://shop.example/", "http://a@b@c/"])
def test_a_change_and_a_batch_take_no_more_than_a_creation(alice: Person, url: str) -> None:
    target = alice.make_target()
    before = stored()
    reply = alice.patch(f"/v1/targets/{target['id']}", {"url": url})
    assert (reply.status, reply.fields) == (422, ["body.url"])
    batch = alice.post("/v1/targets/batch", {"items": [{**SHOP, "url": url}]}).json
    assert batch["items"][0]["status"] == 422
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


@pytest.mark.parametrize(
    "url",
    [
        "https://shop.example",
        "HTTPS://Shop.Example:8443/a/../b?x=@&y=//z#f",
        "http://münchen.example/",
        "http://1.1.1.1/",
        "http://[2606:4700:4700::1111]:8080/",
        "http://shop.example/path@with/at:signs",
        "http://shop.example/?next=http://a@b/",
        "https://u@shop.example/" + "x" * (2048 - len("https://shop.example/")),
    ],
)
def test_a_url_that_can_be_watched_is_shown_as_it_was_given(alice: Person, url: str) -> None:
    target = alice.make_target(url=url)
    assert target["url"] == url.replace("//u@", "//***@")
    assert alice.get(f"/v1/targets/{target['id']}").json == target
