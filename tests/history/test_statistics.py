"""Statistics from rollups against statistics from every single check."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.history.rollups.rollup import (
    DAY_S,
    HOUR_S,
    Segment,
    join,
    pack_segment,
    roll_up,
    unpack_segment,
)
from chalicelib.history.rollups.statistics import (
    WEEK_S,
    Tally,
    bucket_edges,
    bucket_s,
    tally,
    total,
)
from chalicelib.monitoring.result import Sample
from tests.history.histories import HISTORIES, NOON, cut, naive, segments_of

UP, DOWN, DEGRADED, UNKNOWN = range(4)


def minutely(start: int, verdicts: str) -> list[Sample]:
    """A check a minute from `start` on: U, D, W (warning), ? (unknown), and - for none."""
    return [
        Sample(start + 60 * n, start + 60 * n + 60, "UDW?".index(verdict), 100)
        for n, verdict in enumerate(verdicts)
        if verdict != "-"
    ]


def over(samples: list[Sample], start: int, end: int) -> Tally:
    return total(tally(segments_of(samples, HOUR_S), [start, end]))


def test_each_check_is_valid_until_the_next() -> None:
    found = over(minutely(NOON, "UUDDU"), NOON, NOON + 300)
    assert (found.seconds, found.uptime_ratio) == ([180, 120, 0, 0], 0.6)


def test_degraded_counts_as_up_and_unknown_as_neither() -> None:
    found = over(minutely(NOON, "W?DW"), NOON, NOON + 240)
    assert (found.uptime_ratio, found.downtime_s, found.known_s) == (2 / 3, 60, 180)


def test_a_gap_is_neither_up_nor_down() -> None:
    found = over(minutely(NOON, "U---D"), NOON, NOON + 300)
    assert (found.known_s, found.uptime_ratio) == (120, 0.5)


def test_the_last_check_before_the_range_is_valid_at_its_start() -> None:
    found = over(minutely(NOON - 30, "DUU"), NOON, NOON + 100)
    assert (found.seconds, found.counts) == ([70, 30, 0, 0], [2, 0, 0, 0])


def test_a_check_of_a_long_interval_is_valid_for_hours_without_checks() -> None:
    daily = [Sample(NOON, NOON + DAY_S, DOWN, 5)]
    hours = tally(segments_of(daily, HOUR_S), bucket_edges(NOON, NOON + 30 * HOUR_S, HOUR_S))
    assert [hour.downtime_s for hour in hours] == [HOUR_S] * 24 + [0] * 6


def test_without_checks_totals_are_zero_and_uptime_is_none() -> None:
    found = total(tally([], [NOON, NOON + DAY_S]))
    assert (found.checks, found.known_s, found.uptime_ratio) == (0, 0, None)
    assert (found.latency.mean, found.latency.percentile(0.5)) == (None, None)


def test_response_times_are_those_of_up_and_degraded_checks() -> None:
    samples = [
        Sample(NOON, NOON + 60, UP, 100),
        Sample(NOON + 60, NOON + 120, DOWN, 9_000),
        Sample(NOON + 120, NOON + 180, DEGRADED, 300),
        Sample(NOON + 180, NOON + 240, UNKNOWN, 0),
    ]
    found = over(samples, NOON, NOON + DAY_S)
    assert (found.latency.count, found.latency.mean) == (2, 200)


def test_a_duplicate_result_counts_once() -> None:
    samples = [sample for sample in minutely(NOON, "UDU") for _ in range(2)]
    assert roll_up(samples) == roll_up(minutely(NOON, "UDU"))


@given(HISTORIES, st.integers(-DAY_S, 4 * DAY_S), st.integers(1, 4 * DAY_S))
def test_statistics_from_segments_equal_those_from_single_checks(
    samples: list[Sample], after: int, length: int
) -> None:
    start = samples[0].tick + after
    end = start + length
    # As they are read: the raw remainder at both ends, hours, and days in the middle.
    day_start, day_end = -(-start // DAY_S) * DAY_S, end // DAY_S * DAY_S
    hour_start, hour_end = -(-start // HOUR_S) * HOUR_S, end // HOUR_S * HOUR_S
    marks = sorted(cut(samples, at) for at in (hour_start, day_start, day_end, hour_end))
    parts = [samples[a:b] for a, b in zip([0, *marks], [*marks, len(samples)], strict=True)]
    lengths = [1, HOUR_S, DAY_S, HOUR_S, 1] if day_start <= day_end else [1] * 5
    segments = [
        segment
        for part, length_s in zip(parts, lengths, strict=True)
        for segment in segments_of(part, length_s)
    ]
    assert total(tally(segments, [start, end])) == naive(samples, start, end)


@given(HISTORIES, st.randoms(use_true_random=False), st.integers(0, 3 * DAY_S))
def test_duplicate_and_late_results_count_once_at_their_tick(
    samples: list[Sample], chance: random.Random, length: int
) -> None:
    came = [*samples, *chance.choices(samples, k=5)]
    chance.shuffle(came)
    late = chance.randrange(len(came))
    # What was folded before the late ones came gives way to what all of them make.
    hours = {
        segment.first // HOUR_S: segment for segment in segments_of(by_tick(came[:late]), HOUR_S)
    }
    hours |= {segment.first // HOUR_S: segment for segment in segments_of(by_tick(came), HOUR_S)}
    start = samples[0].tick // HOUR_S * HOUR_S
    end = start + length // HOUR_S * HOUR_S + HOUR_S
    assert total(tally(hours.values(), [start, end])) == naive(samples, start, end)


def by_tick(samples: list[Sample]) -> list[Sample]:
    """In the order in which they are stored."""
    return sorted(samples, key=lambda sample: sample.tick)


@given(HISTORIES, st.lists(st.integers(0, 4 * DAY_S), min_size=2, max_size=8, unique=True))
def test_the_buckets_of_a_range_add_up_to_its_totals(
    samples: list[Sample], cuts: list[int]
) -> None:
    edges = sorted(samples[0].tick + at for at in cuts)
    segments = segments_of(samples, 1)
    parts = tally(segments, edges)
    assert total(parts) == total(tally(segments, [edges[0], edges[-1]]))
    for part in parts:
        assert part == naive(samples, part.start, part.end)
        assert sum(part.seconds) <= part.end - part.start
        assert part.uptime_ratio is None or 0 <= part.uptime_ratio <= 1


@given(HISTORIES, st.randoms(use_true_random=False), st.integers(1, 30))
def test_joining_segments_is_associative_and_commutative(
    samples: list[Sample], chance: random.Random, group: int
) -> None:
    segments = segments_of(samples, HOUR_S)
    grouped = [join(segments[at : at + group]) for at in range(0, len(segments), group)]
    again = [segment for segment in grouped if segment]
    chance.shuffle(again)
    chance.shuffle(segments)
    assert join(segments) == join(again) == roll_up(samples)


def test_overlapping_segments_are_rejected() -> None:
    segment = roll_up(minutely(NOON, "UU"))
    assert segment
    with pytest.raises(ValueError, match="overlap"):
        join([segment, segment])
    assert join([]) is None


@given(HISTORIES)
def test_a_segment_round_trips_through_bytes(samples: list[Sample]) -> None:
    for segment in segments_of(samples, DAY_S):
        start = segment.first // DAY_S * DAY_S
        assert unpack_segment(pack_segment(segment, start), start) == segment


@pytest.mark.parametrize(
    ("length", "expected"),
    [
        (HOUR_S, 60),
        (6 * HOUR_S, 300),
        (DAY_S, HOUR_S),
        (WEEK_S, HOUR_S),
        (30 * DAY_S, DAY_S),
        (90 * DAY_S, DAY_S),
        (365 * DAY_S, DAY_S),
        (1_800 * DAY_S, WEEK_S),
    ],
)
def test_the_bucket_length_depends_on_the_range(length: int, expected: int) -> None:
    assert bucket_s(length, 1) == expected
    assert bucket_s(length, HOUR_S) == max(expected, HOUR_S)
    assert len(bucket_edges(NOON, NOON + length, expected)) < 370


def test_buckets_start_at_full_hours_and_weeks_on_mondays() -> None:
    assert bucket_edges(NOON + 10, NOON + HOUR_S + 5, HOUR_S) == [
        NOON + 10,
        NOON + HOUR_S,
        NOON + HOUR_S + 5,
    ]
    monday = 1_794_787_200  # 2026-11-16
    assert bucket_edges(monday - DAY_S, monday + WEEK_S, WEEK_S) == [
        monday - DAY_S,
        monday,
        monday + WEEK_S,
    ]


def test_a_segment_that_crosses_an_edge_is_rejected() -> None:
    with pytest.raises(ValueError, match="crosses an edge"):
        tally([Segment(NOON, NOON + 60, NOON + 120, UP)], [NOON, NOON + 30, NOON + 90])
