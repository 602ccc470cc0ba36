"""Histograms of response times: within 2 %, and the same however they are merged."""

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.common.varints import read_varints, write_varints
from chalicelib.history.rollups.histogram import MAX_MS, RELATIVE_ERROR, Histogram

TIMES = st.lists(st.integers(0, 500) | st.integers(0, MAX_MS), max_size=60)
SHARES = st.sampled_from([0.0, 0.5, 0.95, 0.99, 1.0])


def nearest_rank(times: list[int], share: float) -> int:
    return sorted(times)[max(1, math.ceil(share * len(times))) - 1]


def merged(histograms: list[Histogram]) -> Histogram:
    whole = Histogram()
    for one in histograms:
        whole.merge(one)
    return whole


def test_every_number_is_within_the_error_of_its_bucket() -> None:
    for time_ms in [*range(3_000), *range(3_000, MAX_MS, 97), MAX_MS]:
        histogram = Histogram.of([time_ms])
        histogram.low, histogram.high = 0, MAX_MS  # without the exact bounds' help
        found = histogram.percentile(0.5)
        assert found is not None
        assert abs(found - time_ms) <= RELATIVE_ERROR * time_ms


@given(TIMES.filter(bool), SHARES)
def test_a_percentile_is_within_the_error_of_the_true_one(times: list[int], share: float) -> None:
    found = Histogram.of(times).percentile(share)
    true = nearest_rank(times, share)
    assert found is not None
    assert abs(found - true) <= RELATIVE_ERROR * true


@given(TIMES.filter(bool))
def test_mean_and_bounds_are_exact(times: list[int]) -> None:
    histogram = Histogram.of(times)
    assert histogram.mean == sum(times) / len(times)
    assert (histogram.low, histogram.high, histogram.count) == (min(times), max(times), len(times))


@given(st.lists(TIMES, max_size=6), st.randoms(use_true_random=False), st.integers(0, 6))
def test_merging_gives_the_same_in_any_order_and_grouping(
    parts: list[list[int]], chance: random.Random, cut: int
) -> None:
    whole = Histogram.of([time for part in parts for time in part])
    chance.shuffle(parts)
    histograms = [Histogram.of(part) for part in parts]
    assert merged([merged(histograms[:cut]), merged(histograms[cut:])]) == whole


@given(TIMES)
def test_a_histogram_round_trips_through_bytes(times: list[int]) -> None:
    histogram = Histogram.of(times)
    assert Histogram.from_bytes(histogram.to_bytes()) == histogram


def test_an_empty_histogram_has_no_mean_and_no_percentile() -> None:
    empty = Histogram()
    assert (empty.mean, empty.percentile(0.5), empty.count, empty.to_bytes()) == (
        None,
        None,
        0,
        b"",
    )


def test_an_hour_of_checks_takes_few_bytes() -> None:
    chance = random.Random(4)
    histogram = Histogram.of([int(chance.lognormvariate(5.2, 0.25)) for _ in range(60)])
    assert len(histogram.to_bytes()) < 70


@given(st.lists(st.integers(0, 2**40)))
def test_varints_round_trip(numbers: list[int]) -> None:
    assert read_varints(write_varints(numbers)) == numbers


def test_a_truncated_or_negative_varint_is_rejected() -> None:
    with pytest.raises(ValueError, match="truncated"):
        read_varints(b"\x80")
    with pytest.raises(ValueError, match="negative"):
        write_varints([-1])
