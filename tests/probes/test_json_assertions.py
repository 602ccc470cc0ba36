"""JSON conditions end, whatever the path and the document: by steps, and by the clock."""

import json
import math
import time

import pytest

from chalicelib.monitoring.expectations import JsonCondition, read_expectations
from chalicelib.probes.assertions.json_assertions import (
    MAX_VALUES,
    _matches,
    compile_path,
    failed_json_conditions,
)
from chalicelib.probes.assertions.safe_jsonpath import select
from chalicelib.probes.work_limiter import Budget, TooMuchWork

WIDE = json.dumps([[] for _ in range(100_000)])
DEEP = "[" * 90 + "]" * 90
PATHS = ["$[*]", "$..*", "$..[0]", "$[?@ == 1]", "$[?@.a]", "$[?@ == $[0]]", "$[::2]", "$..*..*..*"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("document", [WIDE, DEEP], ids=["wide", "deep"])
def test_work_is_bounded(path: str, document: str) -> None:
    conditions = read_expectations({"json": [{"path": path, "exists": True}] * 5}).json
    started = time.thread_time()
    failed_json_conditions(document.encode(), conditions, time.monotonic() + 60)
    assert time.thread_time() - started < 1.5


@pytest.mark.parametrize(("steps", "enough"), [(1002, True), (900, False)])
def test_steps_are_counted(steps: int, enough: bool) -> None:
    budget = Budget(steps, time.monotonic() + 60)
    if enough:
        assert len(select(compile_path("$[*]"), [0] * 1000, budget)) == 1000
    else:
        with pytest.raises(TooMuchWork):
            select(compile_path("$[*]"), [0] * 1000, budget)


@pytest.mark.parametrize(("path", "enough"), [("$[?@.a]", 300), ("$[?@.a.a.a.a.a]", 700)])
def test_each_name_in_a_filter_is_a_step(path: str, enough: int) -> None:
    inner: object = 1
    for _ in range(5):
        inner = {"a": inner}
    compiled = compile_path(path)
    assert len(select(compiled, [inner] * 100, Budget(enough + 20, time.monotonic() + 60))) == 100
    with pytest.raises(TooMuchWork):
        select(compiled, [inner] * 100, Budget(enough - 20, time.monotonic() + 60))


def test_the_clock_is_looked_at() -> None:
    with pytest.raises(TooMuchWork):
        select(compile_path("$[*]"), [0] * 1000, Budget(10_000, time.monotonic() - 1))


def test_a_pattern_is_not_begun_with_when_the_time_is_up() -> None:
    expect = {"json": [{"path": "$[*]", "matches": "^a"}] * 2}
    body = json.dumps(["a" * 500] * 1900).encode()
    conditions = read_expectations(expect).json
    assert list(failed_json_conditions(body, conditions, time.monotonic() + 60)) == []
    with pytest.raises(TooMuchWork):
        _matches("^a", "a", Budget(9, time.monotonic() - 1))


def test_five_conditions_share_one_budget() -> None:
    expect = {"json": [{"path": "$[*]", "exists": True}] * 5}
    body = json.dumps([0] * 5000).encode()
    broken = failed_json_conditions(body, read_expectations(expect).json, time.monotonic() + 60)
    assert 1 <= len(broken) < 5
    assert all("too large" in text for text in broken)


TOO_MANY = [f"the document has more than {MAX_VALUES} values"]
HOSTILE_TEXTS = ["", "[,{", '"', "\\", '\\"[', '",["', "ä😀"]


def read(body: bytes) -> list[str]:
    """Read a document of which nothing is expected but that it is one."""
    conditions = read_expectations({"json": [{"path": "$", "exists": True}]}).json
    return list(failed_json_conditions(body, conditions, time.monotonic() + 60))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32-be"])
@pytest.mark.parametrize("text", HOSTILE_TEXTS, ids=ascii)
def test_a_document_has_a_largest_number_of_values(text: str, encoding: str) -> None:
    """The values are counted, whatever stands in the texts between them."""
    texts = json.dumps(text * (MAX_VALUES // max(1, len(text))), ensure_ascii=False)
    for more, broken in ((0, []), (1, TOO_MANY)):
        document = f'{{"a":{texts},"b":[0{",0" * (MAX_VALUES - 3 + more)}]}}'
        assert read(document.encode(encoding)) == broken


@pytest.mark.parametrize("unit", ["[]", "{}", '{"":0}', "[[[[]]]]", "0", "1.5", "null", '"a"'])
def test_reading_is_bounded(unit: str) -> None:
    body = f"[{unit}{f',{unit}' * ((1 << 20) // (len(unit) + 1) - 1)}]".encode()
    started = time.thread_time()
    assert read(body) == TOO_MANY
    assert time.thread_time() - started < 0.25


def test_a_usual_document_of_the_largest_size_is_read() -> None:
    item = {"id": 4711, "name": "Köln, [Dom] {1}", "price": 17.5, "tags": ["a", "b"], "ok": True}
    body = json.dumps([item] * 11_000).encode()
    assert 900_000 < len(body) <= 1 << 20
    assert read(body) == []


@pytest.mark.parametrize(
    "body", [b'{"a": NaN}', b'{"a": [-Infinity]}', b'{"a": 1, "a": 2}', b'{"b": {"a": 1, "a": 1}}']
)
def test_extensions_of_json_are_not_valid_json(body: bytes) -> None:
    conditions = read_expectations({"json": [{"path": "$.a", "exists": True}]}).json
    failures = failed_json_conditions(body, conditions, time.monotonic() + 60)
    assert failures == ["the body is not valid JSON"]


@pytest.mark.parametrize(
    ("body", "charset", "name"),
    [
        (b'{"name": "M\xfcller"}', None, "Müller"),
        (b'{"name": "\x93x\x94"}', None, "\u201cx\u201d"),
        ('{"name": "Привет"}'.encode("cp1251"), "cp1251", "Привет"),
        ('\ufeff{"name": "Müller"}'.encode(), None, "Müller"),
        ('{"name": "Müller"}'.encode("utf-16"), None, "Müller"),
    ],
)
def test_json_in_other_charsets(body: bytes, charset: str | None, name: str) -> None:
    wanted = [JsonCondition("$.name", (("equals", name),))]
    assert failed_json_conditions(body, wanted, math.inf, charset) == []


def test_json_that_is_declared_as_utf_8_must_be_utf_8() -> None:
    wanted = [JsonCondition("$.name", (("exists", True),))]
    failures = failed_json_conditions(b'{"name": "M\xfcller"}', wanted, math.inf, "utf-8")
    assert failures == ["the body is not valid JSON"]
