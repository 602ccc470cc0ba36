"""When a status is stale: without recent checks, or after three UNKNOWN ones."""

from collections.abc import Sequence

import pytest

from chalicelib.monitoring.result import Verdict
from chalicelib.monitoring.staleness import ReportedStatus, is_stale, tolerance_s
from chalicelib.monitoring.state import State, Status

NOW = 1_795_000_000
U, UP, DOWN = Verdict.UNKNOWN, Verdict.UP, Verdict.DOWN
OLD = State(Status.UP, NOW - 90_000, NOW - 90_000)


@pytest.mark.parametrize(
    ("interval_s", "timeout_s", "expected"),
    [(10, 5, 60), (20, 10, 60), (20, 20, 60), (30, 10, 70), (60, 10, 130), (86_400, 30, 172_830)],
)
def test_tolerance_is_two_intervals_and_the_timeout_but_a_minute_at_least(
    interval_s: int, timeout_s: int, expected: int
) -> None:
    assert tolerance_s(interval_s, timeout_s) == expected


@pytest.mark.parametrize(("age_s", "expected"), [(0, False), (130, False), (131, True)])
@pytest.mark.parametrize("status", [Status.UP, Status.DOWN, Status.DEGRADED, Status.PENDING])
def test_status_is_stale_when_the_newest_check_is_too_old(
    status: Status, age_s: int, expected: bool
) -> None:
    state = State(status, NOW - 90_000, NOW - 90_000)
    assert is_stale(state, 130, NOW - age_s, [UP], NOW) is expected


@pytest.mark.parametrize(("age_s", "expected"), [(130, False), (131, True)])
def test_the_check_that_changed_the_state_counts(age_s: int, expected: bool) -> None:
    changed = State(Status.DOWN, NOW - 90_000, NOW - age_s)
    assert is_stale(changed, 130, None, [], NOW) is expected


@pytest.mark.parametrize(("age_s", "expected"), [(130, False), (131, True)])
def test_new_target_is_stale_when_its_first_check_is_overdue(age_s: int, expected: bool) -> None:
    assert is_stale(State.pending(NOW - age_s), 130, None, [], NOW) is expected


def test_paused_target_is_never_stale() -> None:
    paused = State(Status.PAUSED, NOW - 90_000, NOW - 90_000)
    assert not is_stale(paused, 130, NOW - 90_000, [U, U, U], NOW)


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        ([U, U, U], True),
        ([U, U, U, UP], True),
        ([U, U], False),
        ([U, U, UP], False),
        ([UP, U, U, U], False),
        ([DOWN, U, U], False),
        ([None, U, U], False),
        ([], False),
    ],
)
def test_three_unknown_checks_in_a_row_make_it_stale(
    verdicts: Sequence[Verdict | None], expected: bool
) -> None:
    assert is_stale(OLD, 130, NOW, verdicts, NOW) is expected


def test_every_stored_status_can_be_reported_and_unknown_besides() -> None:
    assert {*ReportedStatus} - {*Status} == {"UNKNOWN"}
