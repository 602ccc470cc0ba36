"""A lane summed up as one against its targets summed up one by one."""

from collections.abc import Mapping
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.common.intervals import NOTHING, ExcludedTime, Span, merged
from chalicelib.history.rollups.lane_summary import LaneSummary, add_lane_summary, belong_to
from chalicelib.history.rollups.rollup import DAY_S, HOUR_S, Segment, roll_up
from chalicelib.history.rollups.statistics import Tally, tally
from chalicelib.monitoring.result import Sample
from tests.history.histories import HISTORIES, NOON

UP, DOWN, DEGRADED, UNKNOWN = range(4)
LANES = st.dictionaries(st.integers(0, 49), HISTORIES, min_size=1, max_size=5)
SPANS = st.lists(st.tuples(st.integers(0, 4 * DAY_S), st.integers(60, DAY_S)), max_size=4)


def segments_by_start(
    samples: list[Sample], resolution_s: int, excluded: ExcludedTime = NOTHING
) -> dict[int, Segment]:
    found: dict[int, list[Sample]] = {}
    for sample in samples:
        found.setdefault(sample.tick // resolution_s * resolution_s, []).append(sample)
    return {at: segment for at, part in found.items() if (segment := roll_up(part, excluded))}


def as_one(
    lane: Mapping[int, list[Sample]],
    resolution_s: int,
    edges: list[int],
    excluded: Mapping[int, ExcludedTime],
) -> list[Tally]:
    by_start: dict[int, dict[int, Segment]] = {}
    for place, samples in lane.items():
        for at, segment in segments_by_start(samples, resolution_s, excluded[place]).items():
            by_start.setdefault(at, {})[place] = segment
    parts = []
    for at, segments in sorted(by_start.items()):
        if at < edges[-1]:
            # As they are stored.
            stored = LaneSummary.from_bytes(LaneSummary.of(segments).to_bytes(at), at)
            assert stored == LaneSummary.of(segments)
            parts.append(stored)
    series = [Tally(start, end) for start, end in pairwise(edges)]
    add_lane_summary(series, edges, parts, [(1 << place, excluded[place]) for place in lane])
    return series


def one_by_one(
    lane: Mapping[int, list[Sample]],
    resolution_s: int,
    edges: list[int],
    excluded: Mapping[int, ExcludedTime],
) -> list[Tally]:
    series = [Tally(start, end) for start, end in pairwise(edges)]
    for place, samples in lane.items():
        segments = segments_by_start(samples, resolution_s, excluded[place]).values()
        for whole, part in zip(series, tally(segments, edges, excluded[place]), strict=True):
            whole.add_totals(part)
    return series


@given(
    LANES,
    st.sampled_from([60, HOUR_S, DAY_S]),
    st.lists(st.integers(-30, 100), min_size=2, max_size=6, unique=True),
    SPANS,
)
def test_a_lane_summary_equals_the_sum_of_its_targets(
    lane: dict[int, list[Sample]], resolution_s: int, cuts: list[int], spans: list[Span]
) -> None:
    start = min(samples[0].tick for samples in lane.values()) // DAY_S * DAY_S
    edges = [start + cut * max(resolution_s, HOUR_S) for cut in sorted(cuts)]
    apart = ExcludedTime(merged((start + after, start + after + length) for after, length in spans))
    excluded = {place: apart if place % 2 else NOTHING for place in lane}
    assert as_one(lane, resolution_s, edges, excluded) == one_by_one(
        lane, resolution_s, edges, excluded
    )


def test_targets_with_the_same_bounds_share_an_entry() -> None:
    segment = Segment(NOON + 7, NOON + 67, NOON + 127, UP, (2, 0, 0, 0), (60, 0, 0, 0))
    whole = LaneSummary.of(dict.fromkeys(range(50), segment))
    assert (whole.counts, whole.seconds) == ([100, 0, 0, 0], [3_000, 0, 0, 0])
    assert list(whole.ends.values()) == [(1 << 50) - 1]
    assert len(whole.to_bytes(NOON)) < 40


def test_a_summary_tells_whether_it_belongs_to_the_current_targets() -> None:
    segment = Segment(NOON + 7, NOON + 67, NOON + 127, UP)
    whole = LaneSummary.of({3: segment, 4: segment})
    assert belong_to([whole], {3: NOON, 4: NOON + 7, 5: NOON + DAY_S})
    assert not belong_to([whole], {3: NOON, 4: NOON + 8})
    assert not belong_to([whole], {3: NOON})


def test_an_unknown_summary_format_is_not_read() -> None:
    assert LaneSummary.from_bytes(b"\x63\x00", NOON) is None
    assert LaneSummary.from_bytes(b"", NOON) is None


def test_a_summary_that_crosses_an_edge_is_rejected() -> None:
    part = LaneSummary.of({0: Segment(NOON, NOON + 60, NOON + 120, UP)})
    edges = [NOON, NOON + 30, NOON + 90]
    series = [Tally(NOON, NOON + 30), Tally(NOON + 30, NOON + 90)]
    with pytest.raises(ValueError, match="crosses an edge"):
        add_lane_summary(series, edges, [part], [(1, NOTHING)])
