"""A lane summed up as one against its targets summed up one by one."""

from collections.abc import Mapping
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.common.intervals import NOTHING, ExcludedTime, Span, merged
from chalicelib.history.rollups.lane_summary import LaneSummary, add_lane_summary, are_of
from chalicelib.history.rollups.rollup import DAY_S, HOUR_S, Piece, fold
from chalicelib.history.rollups.statistics import Tally, tally
from chalicelib.monitoring.result import Sample
from tests.history.histories import HISTORIES, NOON

UP, DOWN, DEGRADED, UNKNOWN = range(4)
LANES = st.dictionaries(st.integers(0, 49), HISTORIES, min_size=1, max_size=5)
SPANS = st.lists(st.tuples(st.integers(0, 4 * DAY_S), st.integers(60, DAY_S)), max_size=4)


def pieces_by_start(
    samples: list[Sample], grain_s: int, left_out: ExcludedTime = NOTHING
) -> dict[int, Piece]:
    found: dict[int, list[Sample]] = {}
    for sample in samples:
        found.setdefault(sample.tick // grain_s * grain_s, []).append(sample)
    return {at: piece for at, part in found.items() if (piece := fold(part, left_out))}


def as_one(
    lane: Mapping[int, list[Sample]],
    grain_s: int,
    edges: list[int],
    left_out: Mapping[int, ExcludedTime],
) -> list[Tally]:
    by_start: dict[int, dict[int, Piece]] = {}
    for place, samples in lane.items():
        for at, piece in pieces_by_start(samples, grain_s, left_out[place]).items():
            by_start.setdefault(at, {})[place] = piece
    parts = []
    for at, pieces in sorted(by_start.items()):
        if at < edges[-1]:
            # As they are stored.
            stored = LaneSummary.from_bytes(LaneSummary.of(pieces).to_bytes(at), at)
            assert stored == LaneSummary.of(pieces)
            parts.append(stored)
    series = [Tally(start, end) for start, end in pairwise(edges)]
    add_lane_summary(series, edges, parts, [(1 << place, left_out[place]) for place in lane])
    return series


def one_by_one(
    lane: Mapping[int, list[Sample]],
    grain_s: int,
    edges: list[int],
    left_out: Mapping[int, ExcludedTime],
) -> list[Tally]:
    series = [Tally(start, end) for start, end in pairwise(edges)]
    for place, samples in lane.items():
        pieces = pieces_by_start(samples, grain_s, left_out[place]).values()
        for whole, part in zip(series, tally(pieces, edges, left_out[place]), strict=True):
            whole.add(part)
    return series


@given(
    LANES,
    st.sampled_from([60, HOUR_S, DAY_S]),
    st.lists(st.integers(-30, 100), min_size=2, max_size=6, unique=True),
    SPANS,
)
def test_a_lane_comes_to_what_its_targets_come_to(
    lane: dict[int, list[Sample]], grain_s: int, cuts: list[int], spans: list[Span]
) -> None:
    start = min(samples[0].tick for samples in lane.values()) // DAY_S * DAY_S
    edges = [start + cut * max(grain_s, HOUR_S) for cut in sorted(cuts)]
    apart = ExcludedTime(merged((start + after, start + after + length) for after, length in spans))
    left_out = {place: apart if place % 2 else NOTHING for place in lane}
    assert as_one(lane, grain_s, edges, left_out) == one_by_one(lane, grain_s, edges, left_out)


def test_targets_that_begin_and_end_alike_are_kept_as_one() -> None:
    piece = Piece(NOON + 7, NOON + 67, NOON + 127, UP, (2, 0, 0, 0), (60, 0, 0, 0))
    whole = LaneSummary.of(dict.fromkeys(range(50), piece))
    assert (whole.counts, whole.seconds) == ([100, 0, 0, 0], [3_000, 0, 0, 0])
    assert list(whole.ends.values()) == [(1 << 50) - 1]
    assert len(whole.to_bytes(NOON)) < 40


def test_it_is_known_whose_the_checks_are() -> None:
    piece = Piece(NOON + 7, NOON + 67, NOON + 127, UP)
    whole = LaneSummary.of({3: piece, 4: piece})
    assert are_of([whole], {3: NOON, 4: NOON + 7, 5: NOON + DAY_S})
    assert not are_of([whole], {3: NOON, 4: NOON + 8})
    assert not are_of([whole], {3: NOON})


def test_what_later_code_wrote_is_not_guessed_at() -> None:
    assert LaneSummary.from_bytes(b"\x63\x00", NOON) is None
    assert LaneSummary.from_bytes(b"", NOON) is None


def test_a_part_that_reaches_over_an_edge_is_refused() -> None:
    part = LaneSummary.of({0: Piece(NOON, NOON + 60, NOON + 120, UP)})
    edges = [NOON, NOON + 30, NOON + 90]
    series = [Tally(NOON, NOON + 30), Tally(NOON + 30, NOON + 90)]
    with pytest.raises(ValueError, match="over an edge"):
        add_lane_summary(series, edges, [part], [(1, NOTHING)])
