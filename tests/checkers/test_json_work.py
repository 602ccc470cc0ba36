"""JSON conditions end, whatever the path and the document: by steps, and by the clock."""

import json
import time

import pytest

from chalicelib.checkers.json_environment import select
from chalicelib.checkers.json_values import Budget, TooMuchWork, broken_json, compile_path
from chalicelib.domain.expectations import read_expectations

WIDE = json.dumps([[] for _ in range(100_000)])
DEEP = "[" * 90 + "]" * 90
PATHS = ["$[*]", "$..*", "$..[0]", "$[?@ == 1]", "$[?@.a]", "$[?@ == $[0]]", "$[::2]", "$..*..*..*"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("document", [WIDE, DEEP], ids=["wide", "deep"])
def test_work_is_bounded(path: str, document: str) -> None:
    conditions = read_expectations({"json": [{"path": path, "exists": True}] * 5}).json
    started = time.thread_time()
    broken_json(document.encode(), conditions, time.monotonic() + 60)
    assert time.thread_time() - started < 1.5


@pytest.mark.parametrize(("steps", "enough"), [(1002, True), (900, False)])
def test_steps_are_counted(steps: int, enough: bool) -> None:
    budget = Budget(steps, time.monotonic() + 60)
    if enough:
        assert len(select(compile_path("$[*]"), [0] * 1000, budget)) == 1000
    else:
        with pytest.raises(TooMuchWork):
            select(compile_path("$[*]"), [0] * 1000, budget)


def test_the_clock_is_looked_at() -> None:
    with pytest.raises(TooMuchWork):
        select(compile_path("$[*]"), [0] * 1000, Budget(10_000, time.monotonic() - 1))


def test_five_conditions_share_one_budget() -> None:
    expect = {"json": [{"path": "$[*]", "exists": True}] * 5}
    body = json.dumps([0] * 5000).encode()
    broken = broken_json(body, read_expectations(expect).json, time.monotonic() + 60)
    assert 1 <= len(broken) < 5
    assert all("too large" in text for text in broken)
