"""Results as bytes: what goes in comes out, and a lane fits into one write unit."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.monitoring.result import CheckResult, Reason, Timings, Verdict
from chalicelib.monitoring.storage.result_codec import (
    UnreadableResultsError,
    error_texts,
    pack,
    unpack,
    without_places,
)
from chalicelib.monitoring.target import LANE_SIZE

MS = st.integers(0, 65_535)
RESULTS = st.builds(
    CheckResult,
    verdict=st.sampled_from(Verdict),
    reason=st.none() | st.sampled_from(Reason),
    status_code=st.none() | st.integers(100, 599),
    timings=st.builds(Timings, MS, MS, MS, MS, MS),
    error=st.none() | st.text(min_size=1, max_size=20),
    tls_days_left=st.none() | st.integers(-32_767, 32_767),
    attempts=st.integers(1, 2),
    first_error=st.none() | st.text(min_size=1, max_size=20),
)
LANES = st.dictionaries(st.integers(0, LANE_SIZE - 1), RESULTS, max_size=5)


@given(LANES)
def test_results_round_trip_through_bytes(results: dict[int, CheckResult]) -> None:
    assert unpack(pack(results), error_texts(results)) == results


@given(LANES, st.sets(st.integers(0, LANE_SIZE - 1)))
def test_removing_places_removes_their_error_texts(
    results: dict[int, CheckResult], places: set[int]
) -> None:
    left, texts = without_places(pack(results), error_texts(results), places)
    results = {place: result for place, result in results.items() if place not in places}
    assert (unpack(left, texts) if left else {}) == results
    assert texts == error_texts(results)


@given(LANES)
def test_the_order_of_the_results_does_not_matter(results: dict[int, CheckResult]) -> None:
    assert pack(dict(reversed(results.items()))) == pack(results)


def test_a_full_lane_takes_851_bytes() -> None:
    full = dict.fromkeys(range(LANE_SIZE), CheckResult(Verdict.UP))
    assert len(pack(full)) == 851


@given(st.integers(-(10**9), 10**9), st.integers(-(10**9), 10**9))
def test_values_beyond_a_field_are_capped(phase: int, days: int) -> None:
    result = CheckResult(Verdict.UP, timings=Timings(dns=phase), tls_days_left=days)
    found = unpack(pack({0: result}), {})[0]
    assert found.timings.dns == min(max(phase, 0), 65_535)
    assert found.tls_days_left == max(min(days, 32_767), -32_767)
    assert replace(found, timings=Timings(), tls_days_left=None) == CheckResult(Verdict.UP)


@pytest.mark.parametrize("data", [b"", b"\x03", b"\x00" * 17])
def test_an_unknown_format_is_rejected(data: bytes) -> None:
    with pytest.raises(UnreadableResultsError):
        unpack(data, {})


def test_the_codes_of_stored_results_never_change() -> None:
    """A new verdict or reason goes to the end: stored results are read by their numbers."""
    assert list(Verdict) == ["UP", "DOWN", "DEGRADED", "UNKNOWN"]
    assert list(Reason)[:17] == [
        "status", "body", "json", "header", "slow", "tls_expiring", "dns", "connect", "refused",
        "tls", "timeout", "protocol", "redirects", "blocked", "too_large", "heartbeat_missed",
        "internal",
    ]  # fmt: skip
    assert len(Reason) < 32, "a reason has five bits"
