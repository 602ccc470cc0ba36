"""Invalid targets: the response names the field, and nothing is written."""

from typing import Any

import pytest

from tests.support.stages import stored
from tests.support.world import Person, World

pytestmark = pytest.mark.shared_stage

SHOP = {"name": "Shop", "kind": "http", "url": "https://shop.example/"}

INVALID: dict[str, list[Any]] = {
    "name": [
        "",
        " Shop",
        "Sh\x00op",
        "Sh\nop",
        "Sh\x7fop",
        "\u202egnp.exe",
        "x" * 201,
        5,
        ["Shop"],
    ],
    "tags": ["prod", ["a", "a"], [f"{number}" for number in range(21)]],
    "tags.0": [[""], [None]],
    "tags.1": [["ok", "x" * 51]],
    "channel_ids.0": [["01a1ee56-5e00-7000-8000-000000000000"]],
    "unknown": [1],
    "Name": ["x"],
    "id": ["x"],
    "owner": ["mallory"],
    "state": [{"status": "UP"}],
    "kind": ["smtp", "HTTP", None],
    "interval_s": ["60", True, 60.0, 60.5, 0, 61, -60, None],
    "timeout_s": ["10", True, 10.0, 0, 26, 2**70],
    "failure_threshold": [0, 11],
    "recovery_threshold": ["1"],
    "enabled": [1, "true"],
    "verify_tls": [0],
    "follow_redirects": ["no"],
    "method": ["get", "CONNECT", "TRACE", "GET /\r\nX: y"],
    "body": [5, "x" * 4097, "\u2603" * 4000],
    "headers": [
        [],
        {"A": "x", "a": "y"},
        {f"A{number}": "x" for number in range(21)},
        {"A": "x" * 4096},
        {"A": "\u00e4" * 1000},
        *({name: "x"} for name in ("Connection", "content-length", "Transfer-Encoding")),
        *({name: "x"} for name in ("Upgrade", "TE", "Expect")),
    ],
    **{
        f"headers.{name}": [{name: "x"}]
        for name in ("", "a b", "a:", "a\r\nb", "a\x00", "\u00e4", "x" * 101)
    },
    "headers.A": [
        {"A": value} for value in ("x\r\nEvil: 1", "x\ny", "x\x00", "\u2603", " x", 5, None, "***")
    ],
    "expect": [
        [],
        None,
        {"json": [{"path": f"$.a{n}", "equals": "x" * 400} for n in range(13)]},
    ],
    "expect.status": [{"status": 200}],
    "expect.status_codes": [{"status_codes": []}, {"status_codes": 200}],
    "expect.status_codes.0": [
        {"status_codes": [code]}
        for code in (600, True, 200.0, "200", "299-200", "200-299\n", "\u0662\u0660\u0660-299")
    ],
    "expect.status_codes.1": [{"status_codes": [200, 99]}],
    "expect.body_contains": [{"body_contains": ""}, {"body_contains": "x" * 1001}],
    "expect.body_matches": [{"body_matches": "("}, {"body_matches": "(?=x)"}],
    "expect.json": [{"json": {}}],
    "expect.json.0": [{"json": [{"path": "$"}]}],
    "expect.json.0.path": [{"json": [{"path": path, "equals": 1}]} for path in ("a", "$[")],
    "expect.json.0.matches": [{"json": [{"path": "$", "matches": "["}]}],
    "expect.json.0.greater": [{"json": [{"path": "$", "greater": "1"}]}],
    "expect.json.0.exists": [{"json": [{"path": "$", "exists": 1}]}],
    "expect.headers.a b": [{"headers": {"a b": "x"}}],
    "expect.headers.A": [{"headers": {"A": "x\r\ny"}}],
    "expect.max_response_ms": [{"max_response_ms": 0}, {"max_response_ms": "5"}],
    "expect.tls_days_left": [{"tls_days_left": 366}],
}
"""Invalid values of a field, by the place of the error."""
CASES: list[tuple[dict[str, Any], str]] = [
    ({path.partition(".")[0]: value}, f"body.{path}")
    for path, values in INVALID.items()
    for value in values
]
CASES.append(({"timeout_s": 11, "interval_s": 10}, "body.timeout_s"))


@pytest.fixture(scope="module")
def alice(shared_stage: World) -> Person:
    """One owner for all cases, as refused requests store nothing."""
    return shared_stage.user("alice")


@pytest.mark.parametrize(("fields", "field"), CASES, ids=[str(fields)[:60] for fields, _ in CASES])
def test_field_is_named_and_nothing_is_written(
    alice: Person, fields: dict[str, Any], field: str
) -> None:
    before = stored()
    reply = alice.post("/v1/targets", {**SHOP, **fields})
    assert (reply.status, reply.fields) == (422, [field])
    assert stored() == before


@pytest.mark.parametrize("missing", ["name", "kind", "url"])
def test_missing_field_is_named(alice: Person, missing: str) -> None:
    body = {name: value for name, value in SHOP.items() if name != missing}
    reply = alice.post("/v1/targets", body)
    assert (reply.status, reply.fields) == (422, [f"body.{missing}"])


def test_all_invalid_fields_are_named(alice: Person) -> None:
    body = {"name": "", "kind": "http", "url": "x", "timeout_s": 0, "unknown": 1}
    fields = alice.post("/v1/targets", body).fields
    assert set(fields) == {"body.name", "body.timeout_s", "body.unknown"}
