"""The arithmetic of the schedule: nothing due is missed, nothing is done twice."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.monitoring.schedule import (
    DAY_S,
    INTERVALS_S,
    latest_tick,
    offset,
    phase,
    slot,
    slots_of_minute,
    ticks_in,
)

NOW = 1_795_000_000
intervals = st.sampled_from(INTERVALS_S)
offsets = st.integers(0, DAY_S - 1)
instants = st.integers(0, 2 * NOW)
lengths = st.integers(0, 2 * DAY_S)


@pytest.mark.parametrize("interval_s", INTERVALS_S)
def test_every_interval_divides_a_day_and_fits_into_minutes_or_minutes_into_it(
    interval_s: int,
) -> None:
    assert DAY_S % interval_s == 0
    assert interval_s % 60 == 0 or 60 % interval_s == 0


def test_offsets_never_change() -> None:
    assert [offset("ann", 0), offset("ann", 1), offset("ben", 0)] == [19_871, 110, 78_075]


def test_owner_and_lane_are_separated_in_the_hash() -> None:
    assert offset("ann1", 1) != offset("ann", 11)


def test_offsets_spread_lanes_over_the_day_and_over_the_minute() -> None:
    lanes = [offset("ann", lane) for lane in range(6_000)]
    assert all(0 <= lane < DAY_S for lane in lanes)
    per_second = Counter(lane % 60 for lane in lanes)
    per_hour = Counter(lane // 3_600 for lane in lanes)
    assert 60 < min(per_second.values()) <= max(per_second.values()) < 150
    assert min(per_hour.values()) > 180


def test_a_slot_names_interval_phase_and_shard() -> None:
    assert slot(300, 3 * 3_600 + 4 * 60 + 59) == "300:4:0"
    assert slot(60, 59) == "60:0:0"
    assert slot(86_400, 86_399, shard=3) == "86400:1439:3"


@given(intervals, offsets)
def test_a_phase_is_a_minute_of_its_interval(interval_s: int, at: int) -> None:
    assert 0 <= phase(interval_s, at) < max(1, interval_s // 60)


@given(intervals, offsets, instants, st.integers(0, 50))
def test_a_target_is_due_exactly_once_per_interval_over_any_window(
    interval_s: int, at: int, start: int, times: int
) -> None:
    ticks = ticks_in(interval_s, at, start, start + times * interval_s)
    assert len(ticks) == times
    assert [(tick - start) // interval_s for tick in ticks] == list(range(times))
    assert all(tick % interval_s == at % interval_s for tick in ticks)


@given(intervals, offsets, instants, lengths, lengths)
def test_adjacent_windows_have_the_ticks_of_their_union(
    interval_s: int, at: int, start: int, first: int, second: int
) -> None:
    middle, end = start + first, start + first + second
    halves = ticks_in(interval_s, at, start, middle) + ticks_in(interval_s, at, middle, end)
    assert halves == ticks_in(interval_s, at, start, end)


@given(intervals, offsets, st.integers(0, NOW // 60))
def test_the_slots_of_a_minute_are_those_of_the_targets_due(
    interval_s: int, at: int, minute: int
) -> None:
    is_due = bool(ticks_in(interval_s, at, minute * 60, minute * 60 + 60))
    looked_up = (interval_s, phase(interval_s, at)) in slots_of_minute(minute, INTERVALS_S)
    assert looked_up == is_due


@given(intervals, offsets, instants)
def test_the_latest_tick_is_the_newest_one_up_to_now(interval_s: int, at: int, now: int) -> None:
    tick = latest_tick(interval_s, at, now)
    assert tick <= now < tick + interval_s
    assert ticks_in(interval_s, at, tick, now + 1) == [tick]


@pytest.mark.parametrize(("interval_s", "expected"), [(10, 6), (20, 3), (30, 2)])
def test_an_interval_below_a_minute_is_due_several_times_in_each(
    interval_s: int, expected: int
) -> None:
    ticks = ticks_in(interval_s, 12_345, NOW // 60 * 60, NOW // 60 * 60 + 60)
    assert len(ticks) == expected
