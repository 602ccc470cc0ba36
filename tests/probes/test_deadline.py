"""Time within one check: phases that add up, and shares of a deadline."""

import time

import pytest

from chalicelib.monitoring.result import Timings
from chalicelib.probes.deadline import PHASES, Attempt, Stopwatch
from chalicelib.probes.errors import OutOfTime


def test_phases_add_up_to_the_whole_although_each_is_rounded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = iter([100 + number * 0.0004 for number in range(6)])
    monkeypatch.setattr(time, "monotonic", lambda: next(now))
    watch = Stopwatch()
    for phase in PHASES:
        watch.record(phase)
    assert watch.timings().total == 2


def test_a_phase_may_come_again_and_what_is_monitums_own_is_left_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = iter([100, 100.01, 100.03, 107, 107.04])
    monkeypatch.setattr(time, "monotonic", lambda: next(now))
    watch = Stopwatch()
    watch.record("dns")
    watch.record("connect")
    watch.discard()
    watch.record("dns")
    assert watch.timings() == Timings(dns=50, connect=20)


@pytest.mark.parametrize(("leave_time", "share"), [(True, 5), (False, 10)])
def test_the_first_try_leaves_half_of_the_time(leave_time: bool, share: int) -> None:
    now = time.monotonic()
    attempt = Attempt(now + 10, leave_time=leave_time)
    assert attempt.connect_by() - now == pytest.approx(share, abs=0.5)
    assert attempt.remaining("anything") == pytest.approx(10, abs=0.5)


def test_when_the_time_is_up_it_says_what_was_waited_for() -> None:
    with pytest.raises(OutOfTime, match="timed out waiting for Godot"):
        Attempt(time.monotonic() - 1).remaining("Godot")
