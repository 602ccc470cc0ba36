"""Deaths at some AWS calls and disturbed messages; `python -m benchmarks.faults` tries all."""

import pytest

from benchmarks import fault_stage, faults


@pytest.fixture(scope="module")
def report() -> faults.Report:
    return faults.run(step=19)


def test_whatever_dies_or_comes_twice_the_outcome_is_the_same(report: faults.Report) -> None:
    assert report.wrong == []


def test_the_harness_has_killed_at_calls_of_every_kind(report: faults.Report) -> None:
    assert report.points >= 16
    assert {"UpdateItem", "PutItem", "SendMessageBatch", "TransactWriteItems"} <= set(report.calls)


def test_an_outcome_that_differs_is_told() -> None:
    assert fault_stage.difference({"a": 1, "b": 2}, {"a": 1, "b": 3}) == "b: 2 became 3"
