"""What is read for a range: everything once, nothing twice, and only as much as is needed."""

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.common.intervals import merged
from chalicelib.history.read_plan import ReadPlan, Retention, plan_reads
from chalicelib.history.rollups.rollup import DAY_S, HOUR_S

NOW = 1_795_000_000
KEPT = Retention.at(NOW, results_days=90, hourly_days=400, daily_days=1_827)
MIDNIGHT = NOW // DAY_S * DAY_S


def covered(found: ReadPlan) -> int:
    spans = (*found.days, *found.hours, *found.results)
    return sum(end - start for start, end in spans)


def plan(start: int, end: int = NOW, created_at: int = 0, look_back_s: int = 60) -> ReadPlan:
    return read(KEPT.fit(start, end), created_at=created_at, look_back_s=look_back_s)


def read(span: tuple[int, int], *, created_at: int, look_back_s: int) -> ReadPlan:
    return plan_reads(
        span,
        KEPT,
        bucket_s=KEPT.bucket_s(*span),
        created_at=created_at,
        look_back_s=look_back_s,
    )


def test_an_hour_is_read_from_results() -> None:
    assert plan(NOW - HOUR_S).results == ((NOW - HOUR_S - 60, NOW),)


def test_a_day_is_read_from_hours_and_from_results_at_both_ends() -> None:
    hour = NOW // HOUR_S * HOUR_S
    found = plan(NOW - DAY_S)
    assert found.days == ()
    assert found.hours == ((hour - DAY_S, hour),) or found.hours == ((hour - DAY_S + HOUR_S, hour),)
    assert found.results[-1] == (hour, NOW)


def test_a_year_is_read_from_days_and_the_last_two_days_from_hours() -> None:
    found = plan(NOW - 365 * DAY_S)
    ((first, last),) = found.days
    assert (first, last) == (MIDNIGHT - 364 * DAY_S, MIDNIGHT - DAY_S)
    assert found.hours[-1] == (last, NOW // HOUR_S * HOUR_S)
    assert found.results == ((NOW // HOUR_S * HOUR_S, NOW),)


def test_ranges_with_daily_rollups_only_start_at_midnight() -> None:
    start, end = KEPT.fit(NOW - 500 * DAY_S, NOW - 450 * DAY_S)
    assert (start % DAY_S, end % DAY_S) == (0, 0)
    assert read((start, end), created_at=0, look_back_s=60) == ReadPlan(
        days=((start - DAY_S, end),)
    )
    assert KEPT.bucket_s(start, end) == DAY_S


def test_a_week_is_read_from_hours_like_its_buckets() -> None:
    assert plan(NOW - 7 * DAY_S).days == ()


def test_nothing_is_read_before_the_target_was_created() -> None:
    made = NOW - 2 * DAY_S + 1_234
    found = plan(NOW - 30 * DAY_S, created_at=made, look_back_s=DAY_S)
    assert min(start for start, _ in found.results) == made
    assert min(start for start, _ in found.hours) == -(-made // HOUR_S) * HOUR_S
    assert plan(NOW - DAY_S, NOW - 60, created_at=NOW) == ReadPlan()


@given(
    st.integers(0, 1_800 * DAY_S),
    st.integers(1, 400 * DAY_S),
    st.integers(0, 1_900 * DAY_S),
    st.sampled_from([10, 60, HOUR_S, DAY_S]),
)
def test_a_plan_covers_the_range_and_the_last_check_before_it_once(
    ago: int, length: int, age: int, look_back_s: int
) -> None:
    span = KEPT.fit(NOW - ago - 1, NOW - ago - 1 + length)
    created_at = NOW - age
    found = read(span, created_at=created_at, look_back_s=look_back_s)
    start = max(span[0], created_at)
    if start >= span[1]:
        assert found == ReadPlan()
        return
    everything = merged([*found.days, *found.hours, *found.results])
    assert len(everything) == 1, "no holes"
    assert covered(found) == everything[0][1] - everything[0][0], "nothing twice"
    assert everything[0][1] == span[1]
    assert everything[0][0] <= max(created_at, start - look_back_s, KEPT.days) or (
        start < KEPT.hours or everything[0][0] <= KEPT.hours
    )
    for first, last in found.results:
        assert first >= KEPT.results - HOUR_S
        assert last <= NOW
    assert all(at % HOUR_S == 0 for part in found.hours for at in part)
    assert all(at % DAY_S == 0 for part in found.days for at in part)
