"""What becomes of a target's status, told as stories, and what is stored of it."""

import json

import pytest

from chalicelib.monitoring.result import Reason
from chalicelib.monitoring.state_machine import (
    Flip,
    FlipKind,
    Policy,
    State,
    Status,
    consecutive_failures,
    observe,
)
from tests.monitoring.stories import (
    CAREFUL,
    HASTY,
    LATER,
    LETTERS,
    RESTLESS,
    START,
    TWICE,
    last,
    play,
    result,
    told,
)

STORIES = [
    ("a first good result makes UP and is told to nobody", TWICE, "u u", "U U", ""),
    ("one failure is no news", TWICE, "u d u u", "U U U U", ""),
    ("two in a row make DOWN", TWICE, "u d d", "U U D", "opened@3"),
    ("one good result ends it", TWICE, "u d d u", "U U D U", "opened@3 closed@4"),
    ("an outage is told once", TWICE, "u d d d d d d", "U U D D D D D", "opened@3"),
    ("failures that are not in a row never add up", TWICE, "u d u d u d", "U U U U U U", ""),
    ("without patience every result counts", HASTY, "u d u", "U D U", "opened@2 closed@3"),
    ("a careful recovery waits", CAREFUL, "d d d u u", "P P D D U", "opened@3 closed@5"),
    ("and begins again", CAREFUL, "d d d u d u u", "P P D D D D U", "opened@3 closed@7"),
    ("a new target that fails is PENDING first", TWICE, "d d", "P D", "opened@2"),
    ("a new target that recovers in time was never DOWN", TWICE, "d u d", "P U U", ""),
    ("UNKNOWN never makes a target UP", TWICE, "? ? ?", "P P P", ""),
    ("UNKNOWN never makes a target DOWN", HASTY, "u ? ? ?", "U U U U", ""),
    ("UNKNOWN does not interrupt a row", TWICE, "u d ? d", "U U U D", "opened@4"),
    ("UNKNOWN ends no outage", TWICE, "u d d ? ?", "U U D D D", "opened@3"),
    ("UNKNOWN does not interrupt a recovery", CAREFUL, "d d d u ? u", "P P D D D U",
     "opened@3 closed@6"),
    ("one slow answer is no news", TWICE, "u g u", "U U U", ""),
    ("slow answers in a row make DEGRADED", TWICE, "u g g g", "U U G G", "degraded@3"),
    ("DEGRADED is over with a good result", TWICE, "u g g u", "U U G U",
     "degraded@3 recovered@4"),
    ("a new target that is slow is PENDING first", TWICE, "g g", "P G", "degraded@2"),
    ("slow and failing in turn is not well", TWICE, "u g d g", "U U G G", "degraded@3"),
    ("but failing to the end is DOWN", TWICE, "u g d d", "U U G D", "degraded@3 opened@4"),
    ("a slow answer is an answer: it ends an outage", TWICE, "d d g u", "P D G U",
     "opened@2 closed@3 recovered@4"),
    ("slow answers count as recovery", CAREFUL, "d d d g u", "P P D D U", "opened@3 closed@5"),
    ("a failure interrupts a recovery from DEGRADED", CAREFUL, "g g g u d u u", "P P G G G G U",
     "degraded@3 recovered@7"),
    ("re-opened at once it is another incident", HASTY, "u d u d u", "U D U D U",
     "opened@2 closed@3 opened@4 closed@5"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("policy", "results", "statuses", "flips"),
    [story[1:] for story in STORIES],
    ids=[story[0] for story in STORIES],
)
def test_stories(policy: Policy, results: str, statuses: str, flips: str) -> None:
    states, happened = play(results, policy)
    assert " ".join(LETTERS[state.status] for state in states) == statuses
    assert told(happened) == flips


def test_a_flip_says_when_the_outage_began_and_why_and_names_its_incident() -> None:
    opened, closed = play("u d ? d d u", TWICE)[1]
    began, detected, over = START + 120, START + 240, START + 360
    assert opened == Flip(
        FlipKind.OPENED, Status.UP, Status.DOWN, detected, Reason.TIMEOUT, began, detected
    )
    assert closed == Flip(FlipKind.CLOSED, Status.DOWN, Status.UP, over, None, began, detected)


def test_degraded_names_no_incident() -> None:
    degraded, recovered = play("u g d u", TWICE)[1]
    assert (degraded.first_failed_at, degraded.opened_at) == (None, None)
    assert (recovered.first_failed_at, recovered.opened_at) == (None, None)


def test_consecutive_failures_may_begin_before_degraded() -> None:
    opened = play("u g d d", TWICE)[1][-1]
    assert opened.first_failed_at == START + 180


@pytest.mark.parametrize("letter", ["u", "g", "d", "?"])
def test_a_settled_status_returns_the_identical_state(letter: str) -> None:
    states, _ = play(" ".join([letter] * 300), CAREFUL)
    steady = states[100:]
    assert all(state is steady[0] for state in steady)


def test_a_duplicate_result_counts_once() -> None:
    once = last("u d", TWICE)
    assert observe(once, result("d", 2), TWICE, LATER) == (once, None)


def test_a_result_older_than_the_last_change_is_ignored() -> None:
    down = last("u u u d d", TWICE)
    assert observe(down, result("u", 3), TWICE, LATER) == (down, None)


def test_a_result_from_the_future_is_ignored() -> None:
    up = last("u", HASTY)
    assert observe(up, result("d", 60), HASTY, now=START + 60) == (up, None)


def test_a_result_slightly_ahead_of_the_clock_counts() -> None:
    up = last("u", HASTY)
    assert observe(up, result("d", 2), HASTY, now=START + 119)[1] is not None


# The count of failures, and what is stored


@pytest.mark.parametrize(
    ("results", "expected"),
    [("u", 0), ("u d", 1), ("u d d", 2), ("u d d d d d", 5), ("d d d u", 0), ("d d d u d", 5)],
)
def test_consecutive_failures_are_counted_without_writes(results: str, expected: int) -> None:
    policy = Policy(failure_threshold=2, recovery_threshold=3)
    latest = START + 60 * len(results.split())
    assert consecutive_failures(last(results, policy), 60, latest) == expected


def test_a_steady_state_is_stored_in_a_few_bytes() -> None:
    assert last("u u u", TWICE).to_list() == ["UP", START + 60, START + 60]
    assert len(json.dumps(last("u d d d", TWICE).to_list())) < 90


@pytest.mark.parametrize("results", ["?", "u", "u d", "u g g", "u d u d", "u d u d u d"])
def test_a_state_round_trips(results: str) -> None:
    state = last(results, RESTLESS)
    assert State.from_list(json.loads(json.dumps(state.to_list()))) == state


def test_unknown_fields_are_ignored() -> None:
    up = State(Status.UP, START, START)
    assert State.from_list(["UP", START, START]) == up
    assert State.from_list([*up.to_list(), 0, 0, 0, None, None, 0, [], 0, "new"]) == up


def test_an_invalid_state_is_rejected() -> None:
    with pytest.raises(ValueError, match="ASLEEP"):
        State.from_list(["ASLEEP", START, START])
    with pytest.raises(ValueError, match="3 fields"):
        State.from_list(["UP"])
