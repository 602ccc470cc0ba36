"""The plans of the scheduler, whatever becomes of the events that should start it."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.monitoring.schedule import DAY_S, INTERVALS_S, Plan, phase, plan, ticks_in

NOON = 1_795_003_200
MINUTE = 60
intervals = st.sampled_from(INTERVALS_S)
offsets = st.integers(0, DAY_S - 1)
# Seconds from one event to the next: doubled, on time, late, missing, an outage.
forward = st.one_of(
    st.integers(0, 3), st.integers(55, 65), st.integers(0, 200), st.integers(0, 3 * DAY_S)
)
# Also a clock set back, or right again after it was ahead.
waits = forward | st.integers(-3 * DAY_S, 0)


def run_all(start: int, pauses: list[int]) -> list[tuple[int, Plan]]:
    """Run the scheduler at `start` and after each pause: each time with its plan."""
    runs = [(start, plan(None, start))]
    for wait in pauses:
        now = runs[-1][0] + wait
        runs.append((now, plan(runs[-1][1].end, now)))
    return runs


def test_the_first_run_plans_the_current_and_the_next_two_minutes() -> None:
    assert plan(None, NOON + 7) == Plan(NOON, NOON + 180)


def test_every_second_run_plans_two_minutes() -> None:
    assert plan(NOON + 60, NOON + 7) == Plan(NOON + 60, NOON + 180)
    assert plan(NOON + 180, NOON + 67) == Plan(NOON + 180, NOON + 180)
    assert plan(NOON + 180, NOON + 127) == Plan(NOON + 180, NOON + 300)


def test_a_duplicate_event_plans_nothing() -> None:
    again = plan(NOON + 120, NOON + 9)
    assert again == Plan(NOON + 120, NOON + 120)
    assert again.slots() == set()
    assert again.ticks(10, 0) == []


def test_after_a_missing_event_the_window_is_longer() -> None:
    assert plan(NOON, NOON + 7) == Plan(NOON, NOON + 180)


def test_a_clock_set_back_within_the_planning_window_plans_what_is_missing() -> None:
    assert plan(NOON, NOON - 120) == Plan(NOON, NOON)
    assert plan(NOON, NOON - 60).end == NOON + 120


@pytest.mark.parametrize("ahead_s", [61, 3_600, DAY_S])
def test_a_cursor_beyond_the_planning_window_is_repaired(ahead_s: int) -> None:
    cursor = NOON + 180 + ahead_s
    repaired = plan(cursor, NOON + 7)
    assert (repaired.start, repaired.end, repaired.gap) == (NOON, NOON + 180, None)
    assert repaired.ahead_s == ahead_s
    assert repaired.ticks(60, 30) == [NOON + 30, NOON + 90, NOON + 150]
    assert plan(NOON + 180, NOON + 7).ahead_s == 0


def test_after_an_outage_the_gap_is_reported_and_old_ticks_are_not_replayed() -> None:
    after = plan(NOON - 300, NOON + 7)
    assert (after.start, after.end, after.gap) == (NOON, NOON + 180, (NOON - 300, NOON))
    assert after.ticks(60, 30) == [NOON + 30, NOON + 90, NOON + 150]


def test_a_daily_target_missed_in_a_short_outage_is_checked_now_and_not_tomorrow() -> None:
    at_0958 = (NOON - 120 + 42) % DAY_S
    after = plan(NOON - 300, NOON + 7)
    assert (86_400, phase(86_400, at_0958)) in after.catch_up
    assert after.ticks(86_400, at_0958) == [NOON + 42]
    assert plan(after.end, NOON + 67).ticks(86_400, at_0958) == []


def test_targets_due_in_the_window_are_not_caught_up_as_well() -> None:
    after = plan(NOON - 3_600, NOON + 7)
    assert not [pair for pair in after.catch_up if pair[0] <= 120]
    due_now = 300, phase(300, NOON % DAY_S)
    assert due_now not in after.catch_up
    assert after.ticks(300, NOON % DAY_S) == [NOON]


@pytest.mark.parametrize("days", [2, 7, 400])
def test_a_long_outage_catches_up_each_slot_once(days: int) -> None:
    after = plan(NOON - days * DAY_S, NOON + 7)
    missed = sum(max(0, interval_s // 60 - 3) for interval_s in INTERVALS_S if interval_s > 60)
    assert len(after.catch_up) == missed


def test_only_intervals_in_use_are_caught_up_and_looked_up() -> None:
    after = plan(NOON - 300, NOON + 7, intervals=[30, 300])
    assert after.catch_up == {(300, minute) for minute in (3, 4)}
    assert after.slots([30, 300]) == {(30, 0), *((300, minute) for minute in range(5))}
    assert after.slots([30]) == {(30, 0)}


@given(intervals, offsets, st.lists(forward, max_size=25))
def test_duplicate_late_and_missing_events_keep_every_tick_exactly_once(
    interval_s: int, at: int, pauses: list[int]
) -> None:
    runs = run_all(NOON, pauses)
    planned = [tick for _, each in runs for tick in each.ticks(interval_s, at)]
    assert sorted(set(planned)) == planned

    due = ticks_in(interval_s, at, runs[0][1].start, runs[-1][1].end)
    regular = set(due)
    gaps = [each.gap for _, each in runs if each.gap]
    lost = [tick for tick in due if not any(start <= tick < end for start, end in gaps)]
    assert [tick for tick in planned if tick in regular] == lost


@given(intervals, offsets, st.lists(waits, max_size=25))
def test_targets_missed_in_a_gap_are_checked_once_after_it(
    interval_s: int, at: int, pauses: list[int]
) -> None:
    for _, each in run_all(NOON, pauses):
        missed = bool(each.gap and ticks_in(interval_s, at, *each.gap))
        regular = ticks_in(interval_s, at, each.start, each.end)
        extra = [each.catch_up_tick(at)] if missed and not regular else []
        assert each.ticks(interval_s, at) == regular + extra


@given(intervals, offsets, st.lists(waits, max_size=25))
def test_the_slots_of_a_plan_match_its_ticks(interval_s: int, at: int, pauses: list[int]) -> None:
    for _, each in run_all(NOON, pauses):
        found = (interval_s, phase(interval_s, at)) in each.slots()
        assert found == bool(each.ticks(interval_s, at))


@given(st.integers(0, 59), st.lists(waits, max_size=25))
def test_plans_always_reach_one_to_three_minutes_ahead(second: int, pauses: list[int]) -> None:
    runs = run_all(NOON + second, pauses)
    for (_, before), (now, each) in pairwise(runs):
        assert each.gap is None or each.gap == (before.end, each.start)
        if each.ahead_s:
            assert before.end > now + 2 * MINUTE
            assert each.start == now // MINUTE * MINUTE
        elif not each.gap:
            assert each.start == before.end
        assert each.end % MINUTE == 0
        assert now + MINUTE < each.end <= now + 3 * MINUTE
        if each.start < each.end:
            assert now // MINUTE * MINUTE <= each.start
