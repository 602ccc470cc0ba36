"""What becomes of a target's status, told as stories: one letter per check, one per minute.

Results: u UP, g DEGRADED, d DOWN, ? UNKNOWN. Statuses: P PENDING, U UP, G DEGRADED, D DOWN.
Flips are told as `kind@minute`; the first check is that of minute 1.
"""

import json

import pytest

from chalicelib.domain.results import Reason, Verdict
from chalicelib.domain.state import (
    Flip,
    FlipKind,
    Observation,
    Policy,
    State,
    Status,
    consecutive_failures,
    observe,
    pause,
    resume,
)

START = 1_795_003_200
LATER = START + 10**7
VERDICTS = {"u": Verdict.UP, "g": Verdict.DEGRADED, "d": Verdict.DOWN, "?": Verdict.UNKNOWN}
REASONS = {"g": Reason.SLOW, "d": Reason.TIMEOUT, "?": Reason.INTERNAL}
LETTERS = {Status.PENDING: "P", Status.UP: "U", Status.DEGRADED: "G", Status.DOWN: "D"}
TWICE = Policy(failure_threshold=2, recovery_threshold=1)
CAREFUL = Policy(failure_threshold=3, recovery_threshold=2)
HASTY = Policy(failure_threshold=1, recovery_threshold=1)
RESTLESS = Policy(failure_threshold=1, recovery_threshold=1, flap_changes=3, flap_window_s=600)


def result(letter: str, minute: int) -> Observation:
    return Observation(START + minute * 60, VERDICTS[letter], REASONS.get(letter))


def play(
    results: str, policy: Policy, state: State | None = None, first: int = 1
) -> tuple[list[State], list[Flip]]:
    """Observe one result per minute: the states after each, and the flips."""
    state, states, flips = state or State.pending(START), [], []
    for minute, letter in enumerate(results.split(), first):
        state, flip = observe(state, result(letter, minute), policy, LATER)
        states.append(state)
        flips += [flip] if flip else []
    return states, flips


def last(results: str, policy: Policy) -> State:
    return play(results, policy)[0][-1]


def told(flips: list[Flip]) -> str:
    return " ".join(f"{flip.kind}@{(flip.at - START) // 60}" for flip in flips)


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


def test_the_row_that_makes_down_may_begin_before_degraded() -> None:
    opened = play("u g d d", TWICE)[1][-1]
    assert opened.first_failed_at == START + 180


@pytest.mark.parametrize("letter", ["u", "g", "d", "?"])
def test_once_the_status_is_settled_the_very_same_state_is_returned(letter: str) -> None:
    states, _ = play(" ".join([letter] * 300), CAREFUL)
    steady = states[100:]
    assert all(state is steady[0] for state in steady)


def test_a_result_that_comes_twice_counts_once() -> None:
    once = last("u d", TWICE)
    assert observe(once, result("d", 2), TWICE, LATER) == (once, None)


def test_a_result_from_before_the_last_change_does_not_count() -> None:
    down = last("u u u d d", TWICE)
    assert observe(down, result("u", 3), TWICE, LATER) == (down, None)


def test_a_result_from_the_future_does_not_count() -> None:
    up = last("u", HASTY)
    assert observe(up, result("d", 60), HASTY, now=START + 60) == (up, None)


def test_a_lane_whose_worker_is_a_little_ahead_of_its_tick_is_heard() -> None:
    up = last("u", HASTY)
    assert observe(up, result("d", 2), HASTY, now=START + 119)[1] is not None


# Pause and resume


def test_pausing_closes_the_open_incident_as_such() -> None:
    down = last("u d d", TWICE)
    paused, flip = pause(down, START + 600)
    assert paused == State(Status.PAUSED, START + 600, START + 600)
    assert flip == Flip(
        FlipKind.CANCELLED, Status.DOWN, Status.PAUSED, START + 600, None, START + 120, START + 180
    )


@pytest.mark.parametrize("results", ["u", "u d", "g g", "?"])
def test_pausing_without_an_incident_is_told_to_nobody(results: str) -> None:
    assert pause(last(results, TWICE), START + 600)[1] is None


def test_pausing_and_resuming_again_changes_nothing() -> None:
    paused, _ = pause(last("u", TWICE), START + 600)
    assert pause(paused, START + 900) == (paused, None)
    resumed = resume(paused, START + 900)
    assert resume(resumed, START + 960) is resumed


@pytest.mark.parametrize("letter", ["u", "g", "d", "?"])
def test_a_paused_target_ignores_everything(letter: str) -> None:
    paused, _ = pause(State.pending(START), START)
    assert observe(paused, result(letter, 1), HASTY, LATER) == (paused, None)


def test_a_resumed_target_is_pending_and_forgets_what_it_was() -> None:
    paused, _ = pause(last("u d d", TWICE), START + 600)
    resumed = resume(paused, START + 900)
    assert (resumed.status, resumed.since) == (Status.PENDING, START + 900)
    assert told(play("d d u", TWICE, resumed, first=16)[1]) == "opened@17 closed@18"


def test_the_check_made_at_the_second_of_resuming_counts() -> None:
    resumed = resume(pause(last("u", TWICE), START + 600)[0], START + 600)
    assert observe(resumed, result("u", 10), TWICE, LATER)[0].status is Status.UP


def test_a_result_on_its_way_since_before_the_pause_does_not_count() -> None:
    resumed = resume(pause(last("u", TWICE), START + 600)[0], START + 660)
    assert observe(resumed, result("d", 9), HASTY, LATER) == (resumed, None)


def test_an_incident_never_ends_before_it_began_although_the_clock_went_back() -> None:
    down = last("u d d", TWICE)
    paused, flip = pause(down, START - 3_600)
    assert flip is not None
    assert flip.at == flip.opened_at
    assert resume(paused, START - 3_600).since == flip.at


# Flapping: RESTLESS allows three changes in ten minutes


def test_one_change_too_many_is_flapping_and_further_changes_are_not_told() -> None:
    states, flips = play("u d u d u d u d", RESTLESS)
    assert told(flips) == "opened@2 closed@3 opened@4 flapping@5"
    assert " ".join(LETTERS[state.status] for state in states) == "U D U D U D U D"


def test_flapping_takes_over_the_incident_that_is_open() -> None:
    opened, flapping = play("u d u d u d", RESTLESS)[1][-2:]
    assert flapping.opened_at == opened.at


def test_flapping_opens_an_incident_where_none_is_open() -> None:
    flapping = play("u d u g d", RESTLESS)[1][-1]
    assert flapping.kind is FlipKind.FLAPPING
    assert (flapping.to_status, flapping.opened_at) == (Status.DOWN, flapping.at)


def test_flapping_ends_after_a_quiet_window_once() -> None:
    states, flips = play("u d u d u" + " u" * 25, RESTLESS)
    closed = flips[-1]
    assert told(flips) == "opened@2 closed@3 opened@4 flapping@5 closed@15"
    assert (closed.from_status, closed.to_status) == (Status.UP, Status.UP)
    assert closed.opened_at == START + 240
    assert states[-1] == State(Status.UP, START + 300, START + 900)


def test_flapping_that_ends_in_down_is_told_and_stays_one_incident() -> None:
    _, flips = play("u d u d u d" + " d" * 12 + " u", RESTLESS)
    assert told(flips) == "opened@2 closed@3 opened@4 flapping@5 settled@16 closed@19"
    assert {flip.opened_at for flip in flips[2:]} == {START + 240}


def test_flapping_does_not_end_with_a_check_that_contradicts_the_status() -> None:
    policy = Policy(2, 1, flap_changes=1, flap_window_s=600)
    _, flips = play("u d d u u u u u u u u u u d d u" + " u" * 10, policy)
    assert told(flips) == "opened@3 flapping@4 closed@26"


def test_changes_far_apart_are_no_flapping() -> None:
    calm = " ".join(["u"] * 8)
    _, flips = play(f"u d {calm} d {calm} d {calm} d {calm}", RESTLESS)
    assert {flip.kind for flip in flips} == {FlipKind.OPENED, FlipKind.CLOSED}


def test_a_quiet_window_leaves_nothing_behind() -> None:
    states, _ = play("u d u" + " u" * 10, RESTLESS)
    assert states[2].changes == (START + 120, START + 180)
    assert states[-1].changes == ()


def test_the_first_status_of_a_new_target_is_no_change() -> None:
    assert told(play("d u d u", RESTLESS)[1]) == "opened@1 closed@2 opened@3 closed@4"


def test_flapping_can_be_switched_off() -> None:
    policy = Policy(1, 1, flap_changes=0)
    assert FlipKind.FLAPPING not in {flip.kind for flip in play("u d " * 30, policy)[1]}


def test_pausing_a_flapping_target_closes_its_incident() -> None:
    flapping = last("u d u d u", RESTLESS)
    flip = pause(flapping, START + 360)[1]
    assert flip is not None
    assert (flip.kind, flip.opened_at) == (FlipKind.CANCELLED, START + 240)


# The count of failures, and what is stored


@pytest.mark.parametrize(
    ("results", "expected"),
    [("u", 0), ("u d", 1), ("u d d", 2), ("u d d d d d", 5), ("d d d u", 0), ("d d d u d", 5)],
)
def test_failures_in_a_row_are_counted_although_nothing_is_written(
    results: str, expected: int
) -> None:
    policy = Policy(failure_threshold=2, recovery_threshold=3)
    latest = START + 60 * len(results.split())
    assert consecutive_failures(last(results, policy), 60, latest) == expected


def test_a_steady_state_is_stored_in_a_few_bytes() -> None:
    assert last("u u u", TWICE).to_list() == ["UP", START + 60, START + 60]
    assert len(json.dumps(last("u d d d", TWICE).to_list())) < 90


@pytest.mark.parametrize("results", ["?", "u", "u d", "u g g", "u d u d", "u d u d u d"])
def test_what_was_stored_is_read_back(results: str) -> None:
    state = last(results, RESTLESS)
    assert State.from_list(json.loads(json.dumps(state.to_list()))) == state


def test_fields_that_another_version_does_not_know_do_no_harm() -> None:
    up = State(Status.UP, START, START)
    assert State.from_list(["UP", START, START]) == up
    assert State.from_list([*up.to_list(), 0, 0, 0, None, None, 0, [], "new"]) == up


def test_what_is_no_state_is_refused() -> None:
    with pytest.raises(ValueError, match="ASLEEP"):
        State.from_list(["ASLEEP", START, START])
    with pytest.raises(ValueError, match="3 fields"):
        State.from_list(["UP"])
