"""Random histories of checks, and their statistics the slow way: from every single check."""

from bisect import bisect_right
from collections.abc import Sequence
from itertools import pairwise

from hypothesis import strategies as st

from chalicelib.history.rollups.rollup import DAY_S, HOUR_S, Segment, roll_up
from chalicelib.history.rollups.statistics import Tally
from chalicelib.monitoring.result import Sample
from chalicelib.monitoring.schedule import INTERVALS_S

NOON = 1_795_003_200
LEAP_DAY = 1_709_164_800
"""2024-02-29, 00:00 UTC."""
CLOCKS_BACK = 1_792_886_400
"""2026-10-25, 00:00 UTC: a day of 25 hours in much of Europe."""
MIDNIGHTS = st.sampled_from([NOON // DAY_S * DAY_S, LEAP_DAY, CLOCKS_BACK])


_RUNS = st.lists(
    st.tuples(
        st.sampled_from(INTERVALS_S[3:]),
        st.integers(0, 3),
        st.integers(1, 12),
        st.integers(0, 20_000),
        # To the full hour, a second off, over a gap, or soon after, out of turn.
        st.sampled_from([None, 0, 0, 1, 40_000, -50]),
    ),
    min_size=1,
    max_size=12,
)


def _history(
    midnight: int, after: int, runs: Sequence[tuple[int, int, int, int, int | None]]
) -> list[Sample]:
    at, samples = midnight + after, []
    for interval_s, verdict, count, response_ms, wait_s in runs:
        for number in range(count):
            samples.append(Sample(at, at + interval_s, verdict, response_ms + 31 * number))
            at += interval_s
        at += -at % HOUR_S if wait_s is None else wait_s
    return samples


HISTORIES = st.builds(_history, MIDNIGHTS, st.integers(0, HOUR_S), _RUNS)
"""Checks over some days: gaps, changes of interval, verdicts that change at the hour."""


def segments_of(samples: Sequence[Sample], length_s: int) -> list[Segment]:
    """The samples folded by hours, days or what is asked for."""
    found: dict[int, list[Sample]] = {}
    for sample in samples:
        found.setdefault(sample.tick // length_s, []).append(sample)
    return [segment for part in found.values() if (segment := roll_up(part))]


def naive(samples: Sequence[Sample], start: int, end: int) -> Tally:
    """What the checks come to in [start, end), one by one, each second by itself at the edges."""
    whole = Tally(start, end)
    following = [*[later.tick for _, later in pairwise(samples)], 10**11]
    for sample, next_tick in zip(samples, following, strict=True):
        stands = range(max(start, sample.tick), min(end, sample.until, next_tick))
        whole.seconds[sample.verdict] += len(stands)
        if start <= sample.tick < end:
            whole.counts[sample.verdict] += 1
            if sample.verdict in (0, 2):
                whole.latency.add(sample.response_ms)
    return whole


def cut(samples: Sequence[Sample], at: int) -> int:
    """How many samples are before `at`."""
    return bisect_right([sample.tick for sample in samples], at - 1)
