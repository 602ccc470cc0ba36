"""Deaths at some AWS calls and disturbed messages; `python -m benchmarks.faults` tries all."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import fault_story

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def told() -> tuple[int, str]:
    """How the harness ends and what it prints; it forks, so it has a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.faults", "--step", "29", "--processes", "2"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    return done.returncode, done.stdout + done.stderr[-2000:]


def test_crashes_and_duplicates_do_not_change_the_outcome(told: tuple[int, str]) -> None:
    code, text = told
    assert "0 ended differently" in text, text
    assert code == 0


def test_the_harness_crashed_at_calls_of_every_kind(told: tuple[int, str]) -> None:
    _, text = told
    (points,) = re.findall(r"(\d+) deaths injected", text)
    assert int(points) >= 20
    kinds = (
        "UpdateItem",
        "PutItem",
        "SendMessageBatch",
        "TransactWriteItems",
        "SendEmail",
        "Invoke",
    )
    assert all(kind in text for kind in kinds), text


def test_a_different_outcome_is_reported() -> None:
    assert fault_story.difference({"a": 1, "b": 2}, {"a": 1, "b": 3}) == "b: 2 became 3"


def test_deliveries_with_the_same_id_are_duplicates() -> None:
    got = [("x", "down Shop", "1"), ("x", "down Shop", "2"), ("y", "down Shop", "1")]
    assert fault_story.doubles([*got, *got]) == [("x", "down Shop")]
