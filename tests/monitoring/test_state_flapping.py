"""A target that cannot make up its mind: one incident, one alert, one end."""

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
