"""Time that does not count, and statistics without it against a sum second by second."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.common.intervals import ExcludedTime, Span, merged, overlaps, without
from chalicelib.history.rollups.rollup import (
    DAY_S,
    HOUR_S,
    join,
    pack_segment,
    roll_up,
    unpack_segment,
)
from chalicelib.history.rollups.statistics import bucket_edges, tally, total
from chalicelib.monitoring.result import Sample
from tests.history.histories import CLOCKS_BACK, HISTORIES, naive

_SPANS = st.lists(st.tuples(st.integers(0, 300), st.integers(0, 60)), max_size=8).map(
    lambda found: merged((start, start + length) for start, length in found)
)


@given(_SPANS, st.integers(0, 300), st.integers(0, 100))
def test_excluded_seconds_within_a_span(spans: tuple[Span, ...], start: int, length: int) -> None:
    held = {second for a, b in spans for second in range(a, b)}
    wanted = len(held & set(range(start, start + length)))
    assert ExcludedTime(spans).within(start, start + length) == wanted


@given(_SPANS, _SPANS)
def test_overlaps_and_differences_of_intervals(
    some: tuple[Span, ...], others: tuple[Span, ...]
) -> None:
    def seconds(spans: Sequence[Span]) -> set[int]:
        return {second for a, b in spans for second in range(a, b)}

    assert seconds(overlaps(some, others)) == seconds(some) & seconds(others)
    assert seconds(without(some, others)) == seconds(some) - seconds(others)


# Windows as they are: hours at night, minutes, over midnight, and over a day's end of 25 hours.
_WINDOWS = st.lists(
    st.tuples(st.integers(-3_600, 3 * DAY_S), st.integers(1, 6 * HOUR_S)), max_size=6
)


def seconds_left(
    samples: Sequence[Sample], excluded: ExcludedTime, start: int, end: int
) -> list[int]:
    """Seconds by verdict, and those left out, from every single check and second by second."""
    spans = excluded.spans
    whole = naive(samples, start, end)
    apart = 0
    for a, b in spans:
        cut = naive(samples, max(a, start), max(start, min(b, end)))
        for verdict in range(4):
            whole.seconds[verdict] -= cut.seconds[verdict]
            apart += cut.seconds[verdict]
    return [*whole.seconds, apart]


@given(HISTORIES, _WINDOWS, st.integers(0, DAY_S), st.integers(1, 3 * DAY_S), st.booleans())
def test_statistics_from_rollups_equal_a_count_of_every_second(
    samples: list[Sample],
    found: list[tuple[int, int]],
    after: int,
    length: int,
    is_days: bool,
) -> None:
    midnight = samples[0].tick // DAY_S * DAY_S
    excluded = ExcludedTime(merged((midnight + a, midnight + a + b) for a, b in found))
    grain = DAY_S if is_days else HOUR_S
    start = (midnight + after) // grain * grain
    end = -(-(start + length) // grain) * grain
    distinct = sorted({sample.tick: sample for sample in reversed(samples)}.values())
    hours: dict[int, list[Sample]] = {}
    for sample in distinct:
        hours.setdefault(sample.tick // HOUR_S, []).append(sample)
    segments = [segment for part in hours.values() if (segment := roll_up(part, excluded))]
    if is_days:
        by_day = {
            day: [segment for segment in segments if segment.first // DAY_S == day]
            for day in {segment.first // DAY_S for segment in segments}
        }
        segments = [joined for part in by_day.values() if (joined := join(part, excluded))]
    segments = [unpack_segment(pack_segment(one, one.first - 7), one.first - 7) for one in segments]
    whole = total(tally(segments, bucket_edges(start, end, grain), excluded))
    assert [*whole.seconds, whole.maintenance_s] == seconds_left(distinct, excluded, start, end)
    assert whole.counts == naive(distinct, start, end).counts
    ratio = whole.uptime_ratio
    assert ratio is None or 0 <= ratio <= 1


def test_a_window_applies_once_on_a_day_of_25_hours() -> None:
    """An hour from 02:30 on, as it is left out of a day of one-minute checks that are all down."""
    window = (CLOCKS_BACK + 1_800, CLOCKS_BACK + 5_400)
    samples = [Sample(tick, tick + 60, 1, 5) for tick in range(CLOCKS_BACK, window[1] + 600, 60)]
    segment = roll_up(samples, ExcludedTime((window,)))
    assert segment
    assert (segment.seconds[1], segment.maintenance_s) == (1_800 + 540, 3_600)
