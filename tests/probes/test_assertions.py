"""Expectations: what holds, what is broken, in which order and in which words."""

import json
from decimal import Decimal
from typing import Any

import pytest

from chalicelib.monitoring.expectations import read_expectations
from chalicelib.probes.assertions.evaluate import evaluate
from chalicelib.probes.assertions.response import Observation
from tests.probes.conftest import Watch
from tests.probes.hostile import answers, response, serving

PAGE = response(
    "Content-Type: text/html; charset=utf-8",
    "X-Cache: HIT from edge",
    body="<h1>Köln is OK</h1>".encode(),
)
DOCUMENT = {
    "status": "ok",
    "load": 0.5,
    "count": 3,
    "on": True,
    "none": None,
    "services": [{"name": "db", "up": True}, {"name": "web", "up": True}],
    "deep": {"er": {"est": "x"}},
}
JSON = response("Content-Type: application/json", body=json.dumps(DOCUMENT).encode())

# An expectation of the page above; None where it holds, or else the error.
OF_THE_PAGE: list[tuple[dict[str, Any], str | None]] = [
    ({}, None),
    ({"status_codes": [200]}, None),
    ({"status_codes": ["200"]}, None),
    ({"status_codes": ["200-299", 301]}, None),
    ({"status_codes": [301, "400-499"]}, "expected status 301, 400-499, got 200"),
    ({"body_contains": "OK"}, None),
    ({"body_contains": "Köln"}, None),
    ({"body_contains": "ok"}, 'the body does not contain "ok"'),
    ({"body_not_contains": "error"}, None),
    ({"body_not_contains": "OK"}, 'the body contains "OK"'),
    ({"body_matches": "K.ln"}, None),
    ({"body_matches": "(?i)<H1>"}, None),
    ({"body_matches": "^OK"}, 'the body does not match "^OK"'),
    ({"headers": {"content-type": "text/html"}}, None),
    ({"headers": {"Content-Type": "TEXT/html"}}, None),
    ({"headers": {"x-cache": ""}}, None),
    (
        {"headers": {"x-cache": "MISS"}},
        'expected "MISS" in the header "x-cache", got "HIT from edge"',
    ),
    ({"headers": {"x-none": ""}}, 'the header "x-none" is missing'),
    ({"json": [{"path": "$.a", "equals": 1}]}, "the body is not valid JSON"),
    ({"max_response_ms": 4000}, None),
    ({"tls_days_left": 14}, None),
    ({"body_contains": None, "body_matches": None, "json": None, "headers": None}, None),
]


@pytest.mark.parametrize(("expect", "error"), OF_THE_PAGE, ids=[str(x) for x, _ in OF_THE_PAGE])
def test_expectations_of_a_page(watch: Watch, expect: dict[str, Any], error: str | None) -> None:
    with serving(answers(PAGE)) as server:
        result = watch("http", url=f"http://127.0.0.1:{server.port}/", expect=expect)
    assert (result.verdict, result.error) == ("DOWN" if error else "UP", error)
    assert result.status_code == 200


# A condition on the document above; None where it holds, or else the error.
OF_JSON: list[tuple[dict[str, Any], str | None]] = [
    ({"path": "$.status", "equals": "ok"}, None),
    ({"path": "$.status", "equals": "bad"}, '$.status: expected "bad", got "ok"'),
    ({"path": "$.status", "not": "bad"}, None),
    ({"path": "$.status", "not": "ok"}, '$.status: expected not "ok", got "ok"'),
    ({"path": "$.load", "less": 1}, None),
    ({"path": "$.load", "greater": 1}, "$.load: expected more than 1, got 0.5"),
    ({"path": "$.load", "greater": 0.1, "less": 0.9}, None),
    ({"path": "$.count", "equals": 3.0}, None),
    ({"path": "$.count", "equals": "3"}, '$.count: expected "3", got 3'),
    ({"path": "$.status", "less": 1}, '$.status: expected less than 1, got "ok"'),
    ({"path": "$.on", "equals": True}, None),
    ({"path": "$.on", "equals": 1}, "$.on: expected 1, got true"),
    ({"path": "$.on", "greater": 0}, "$.on: expected more than 0, got true"),
    ({"path": "$.none", "equals": None}, None),
    ({"path": "$.none", "exists": True}, None),
    ({"path": "$.gone", "exists": False}, None),
    ({"path": "$.gone", "exists": True}, "$.gone: expected to exist"),
    ({"path": "$.status", "exists": False}, "$.status: expected not to exist"),
    ({"path": "$.gone", "equals": 1}, "$.gone: expected 1, there is nothing"),
    ({"path": "$.gone", "not": 1}, "$.gone: expected not 1, there is nothing"),
    ({"path": "$.services[*].up", "equals": True}, None),
    ({"path": "$.services[*].name", "equals": "db"},
     '$.services[*].name: expected "db", got "web"'),
    ({"path": "$.services[?@.name == 'db'].up", "equals": True}, None),
    ({"path": "$.services", "equals": DOCUMENT["services"]}, None),
    ({"path": "$.services", "equals": []}, "$.services: expected a list of 0, got a list of 2"),
    ({"path": "$..est", "equals": "x"}, None),
    ({"path": "$.services[0].name", "matches": "^d"}, None),
    ({"path": "$.count", "matches": "^[0-9]+$"}, None),
    ({"path": "$.status", "matches": "^x"}, '$.status: expected a match of "^x", got "ok"'),
    ({"path": "$", "exists": True}, None),
    ({"path": "$.deep", "equals": {"er": {"est": "x"}}}, None),
]  # fmt: skip


@pytest.mark.parametrize(("condition", "error"), OF_JSON, ids=[str(x) for x, _ in OF_JSON])
def test_conditions_on_json(watch: Watch, condition: dict[str, Any], error: str | None) -> None:
    with serving(answers(JSON)) as server:
        result = watch("http", url=f"http://127.0.0.1:{server.port}/", expect={"json": [condition]})
    assert (result.verdict, result.error) == ("DOWN" if error else "UP", error)
    assert result.reason == ("json" if error else None)


@pytest.mark.parametrize("body", ['"text"', "7", "null", "true"])
def test_a_document_may_be_a_single_value(watch: Watch, body: str) -> None:
    whole = {"json": [{"path": "$", "equals": json.loads(body)}]}
    with serving(answers(response(body=body.encode()))) as server:
        url = f"http://127.0.0.1:{server.port}/"
        assert watch("http", url=url, expect=whole).verdict == "UP"
        part = {"json": [{"path": "$.a", "exists": False}]}
        assert watch("http", url=url, expect=part).verdict == "UP"


def test_numbers_may_come_from_dynamodb(watch: Watch) -> None:
    conditions = [
        {"path": "$.load", "equals": Decimal("0.5"), "less": Decimal("0.6")},
        {"path": "$.count", "equals": Decimal(3), "greater": Decimal(2)},
    ]
    expect = {"json": conditions, "status_codes": [Decimal(200)], "max_response_ms": Decimal(4000)}
    with serving(answers(JSON)) as server:
        assert watch("http", url=f"http://127.0.0.1:{server.port}/", expect=expect).verdict == "UP"


def test_every_broken_expectation_is_told_and_the_first_is_the_reason(watch: Watch) -> None:
    expect = {
        "max_response_ms": 0,
        "headers": {"x-cache": "MISS"},
        "body_contains": "fine",
        "body_not_contains": "OK",
        "status_codes": [204],
    }
    with serving(answers(PAGE)) as server:
        result = watch("http", url=f"http://127.0.0.1:{server.port}/", expect=expect)
    assert (result.verdict, result.reason) == ("DOWN", "status")
    assert (result.error or "").startswith(
        'expected status 204, got 200; the body does not contain "fine"; the body contains "OK"; '
    )
    assert len(result.error or "") <= 200


def test_slow_is_degraded(watch: Watch) -> None:
    with serving(lambda peer: (peer.closing.wait(0.06), answers(PAGE)(peer))[1]) as server:
        url = f"http://127.0.0.1:{server.port}/"
        result = watch("http", url=url, expect={"max_response_ms": 50})
        broken = watch("http", url=url, expect={"max_response_ms": 50, "body_contains": "x"})
    assert (result.verdict, result.reason, result.status_code) == ("DEGRADED", "slow", 200)
    assert result.error == f"expected at most 50 ms, took {result.response_ms} ms"
    assert (broken.verdict, broken.reason) == ("DOWN", "body")


@pytest.mark.parametrize(
    ("took", "days", "verdict"),
    [
        (50, 14, "UP"),
        (51, 14, "DEGRADED"),
        (50, 13, "DEGRADED"),
    ],
)
def test_limits_belong_to_what_is_well(took: int, days: int, verdict: str) -> None:
    expected = read_expectations({"max_response_ms": 50, "tls_days_left": 14})
    seen = Observation(status_code=200)
    found = evaluate(
        expected, seen, follows=True, response_ms=took, tls_days_left=days, deadline=1e18
    )
    assert found.verdict == verdict


INVALID: list[dict[str, Any]] = [
    {"nonsense": 1},
    {"status_codes": []},
    {"status_codes": ["20"]},
    {"status_codes": ["299-200"]},
    {"status_codes": [True]},
    {"status_codes": [600]},
    {"status_codes": "200"},
    {"body_contains": 7},
    {"body_contains": ""},
    {"body_matches": "("},
    {"body_matches": r"(a)\1"},
    {"body_matches": "x" * 501},
    {"body_matches": "((a{1,100}){1,100}){1,100}"},
    {"headers": ["a"]},
    {"headers": {"a": 1}},
    {"json": {"path": "$", "exists": True}},
    {"json": [{"path": "$.a"}]},
    {"json": [{"equals": 1}]},
    {"json": [{"path": "$.a", "like": 1}]},
    {"json": [{"path": "a", "equals": 1}]},
    {"json": [{"path": "$.a[", "equals": 1}]},
    {"json": [{"path": "$[?match(@.a, 'x')]", "exists": True}]},
    {"json": [{"path": "$[?search(@.a, 'x')]", "exists": True}]},
    {"json": [{"path": "$[?@.a =~ /x/]", "exists": True}]},
    {"json": [{"path": "$." + "a" * 200, "exists": True}]},
    {"json": [{"path": "$[?@..a]", "exists": True}]},
    {"json": [{"path": "$[?@.a[*]]", "exists": True}]},
    {"json": [{"path": "$[?count(@.*) > 1]", "exists": True}]},
    {"json": [{"path": "$.a | $.b", "exists": True}]},
    {"json": [{"path": "$" + "[?" * 99, "exists": True}]},
    {"json": [{"path": "$.a", "greater": "1"}]},
    {"json": [{"path": "$.a", "exists": 1}]},
    {"json": [{"path": "$.status", "matches": "("}]},
    {"max_response_ms": "1"},
    {"max_response_ms": 1.5},
    {"tls_days_left": True},
]


@pytest.mark.parametrize("expect", INVALID, ids=str)
def test_an_expectation_that_is_not_valid_makes_nothing_down(
    watch: Watch, expect: dict[str, Any]
) -> None:
    with serving(answers(JSON)) as server:
        result = watch("http", url=f"http://127.0.0.1:{server.port}/", expect=expect)
    assert (result.verdict, result.reason) == ("UNKNOWN", "internal")
    assert (result.error or "").startswith("an expectation is not valid: ")
