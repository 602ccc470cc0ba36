"""A target that cannot make up its mind: its changes are muted, what lasts is told."""

from chalicelib.monitoring.result import Reason
from chalicelib.monitoring.state_machine import FlipKind, Policy, State, Status, pause
from tests.monitoring.stories import LETTERS, RESTLESS, START, last, play, told


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


def test_flapping_ends_once_the_target_has_been_up_for_five_minutes() -> None:
    states, flips = play("u d u d u" + " u" * 25, RESTLESS)
    closed = flips[-1]
    assert told(flips) == "opened@2 closed@3 opened@4 flapping@5 closed@10"
    assert (closed.from_status, closed.to_status) == (Status.UP, Status.UP)
    assert closed.opened_at == START + 240
    assert states[-1] == State(Status.UP, START + 300, START + 600)


def test_down_for_five_minutes_is_told_once_while_flapping() -> None:
    states, flips = play("u d u d u d" + " d" * 8 + " u d" + " d" * 8 + " u u u u u u", RESTLESS)
    assert told(flips) == "opened@2 closed@3 opened@4 flapping@5 settled@11 closed@30"
    assert {flip.opened_at for flip in flips[2:]} == {START + 240}
    settled = flips[-2]
    assert (settled.from_status, settled.to_status) == (Status.DOWN, Status.DOWN)
    assert (settled.reason, settled.first_failed_at) == (Reason.TIMEOUT, START + 360)
    assert [state.flapping for state in states[9:]] == [True] * 20 + [False]


def test_after_a_whole_window_of_down_its_end_is_told_at_once() -> None:
    states, flips = play("u d u d u d" + " d" * 12 + " u", RESTLESS)
    assert told(flips) == "opened@2 closed@3 opened@4 flapping@5 settled@11 closed@19"
    assert [state.flapping for state in states[14:16]] == [True, False]


def test_nothing_is_written_while_a_flapping_target_stays_down() -> None:
    states, _ = play("u d u d u d" + " d" * 9, RESTLESS)
    assert all(state is states[10] for state in states[10:])


def test_five_minutes_grow_with_the_interval_up_to_the_window() -> None:
    assert [Policy(interval_s=each).standing_s for each in (10, 60, 100, 120, 300)] == [
        300,
        300,
        300,
        360,
        900,
    ]
    assert Policy(interval_s=86_400, flap_window_s=3_600).standing_s == 3_600


def test_down_is_told_although_earlier_code_stored_the_state() -> None:
    stored = State.from_list(["DOWN", START, START, 1, 0, 0, START, START, 1])
    (flip,) = play("d d d", RESTLESS, stored, first=90)[1]
    assert (flip.kind, flip.at) == (FlipKind.SETTLED, START + 90 * 60)


def test_flapping_does_not_end_with_a_check_that_contradicts_the_status() -> None:
    policy = Policy(2, 1, flap_changes=1, flap_window_s=600)
    _, flips = play("u d d u u u u u d d u" + " u" * 10, policy)
    assert told(flips) == "opened@3 flapping@4 closed@16"


def test_flapping_ends_in_degraded_though_every_other_check_contradicts_it() -> None:
    policy = Policy(2, 2, flap_changes=1, flap_window_s=600)
    _, flips = play("u g g u u" + " d g" + " u d" * 10, policy)
    assert told(flips) == "degraded@3 flapping@5 closed@12"


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
