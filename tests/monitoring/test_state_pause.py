"""A pause in the middle: what it ends and what comes after it."""

import pytest

from chalicelib.monitoring.state_machine import (
    Flip,
    FlipKind,
    State,
    Status,
    observe,
    pause,
    resume,
)
from tests.monitoring.stories import HASTY, LATER, START, TWICE, last, play, result, told


def test_pausing_closes_the_open_incident_as_such() -> None:
    down = last("u d d", TWICE)
    paused, flip = pause(down, START + 600)
    assert paused == State(Status.PAUSED, START + 600, START + 600)
    assert flip == Flip(
        FlipKind.CANCELLED, Status.DOWN, Status.PAUSED, START + 600, None, START + 120, START + 180
    )


@pytest.mark.parametrize("results", ["u", "u d", "g g", "?"])
def test_pausing_without_an_incident_alerts_nobody(results: str) -> None:
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


def test_a_result_of_a_check_started_before_the_pause_is_ignored() -> None:
    resumed = resume(pause(last("u", TWICE), START + 600)[0], START + 660)
    assert observe(resumed, result("d", 9), HASTY, LATER) == (resumed, None)


def test_an_incident_never_ends_before_it_began_if_the_clock_is_set_back() -> None:
    down = last("u d d", TWICE)
    paused, flip = pause(down, START - 3_600)
    assert flip is not None
    assert flip.at == flip.opened_at
    assert resume(paused, START - 3_600).since == flip.at
