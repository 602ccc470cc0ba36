"""A year of one-minute checks in the store, and its statistics with a bounded number of reads."""

import random
from bisect import bisect_left
from collections.abc import Iterator

import pytest

from chalicelib.aws.tenancy import acting_for
from chalicelib.history.rollups.job import RollupJob
from chalicelib.history.rollups.repository import Period, Rollup, Rollups
from chalicelib.history.rollups.rollup import DAY_S, HOUR_S, Segment, join, roll_up
from chalicelib.history.rollups.statistics import Tally, total
from chalicelib.history.rollups.worker import roll_up_lane
from chalicelib.history.service import statistics
from chalicelib.monitoring.result import CheckResult, Sample, Timings, Verdict
from chalicelib.monitoring.storage.result_repository import CheckKey, write_results
from chalicelib.monitoring.storage.target_repository import Targets
from tests.support.world import START, Person, World

WINDOWS = (1, 7, 30, 90, 365)
MOST_CALLS = 24
"""13 months of days, 2 x 2 of hours, the rest by result, the last hours that are not folded yet."""
CREATED = START - 365 * DAY_S
RECENT = START // HOUR_S * HOUR_S - 3 * HOUR_S
"""From here on the results themselves are stored, before it what they were folded into."""


def a_year() -> list[Sample]:
    """A check each minute, but for an outage of ours each month; down and slow now and then."""
    chance = random.Random(2026)
    samples = []
    verdict = 0
    for tick in range(CREATED, START, 60):
        if tick // DAY_S % 30 == 7 and tick // HOUR_S % 24 in (3, 4):
            continue
        if chance.random() < 0.01:
            verdict = chance.choice([0, 0, 0, 1, 2, 3])
        samples.append(Sample(tick, tick + 60, verdict, int(chance.lognormvariate(5, 0.5))))
    return samples


@pytest.fixture(scope="module")
def year() -> list[Sample]:
    return a_year()


def by_hour(samples: list[Sample]) -> Iterator[tuple[int, Segment, int]]:
    found: dict[int, list[Sample]] = {}
    for sample in samples:
        found.setdefault(sample.tick // HOUR_S * HOUR_S, []).append(sample)
    for hour, part in found.items():
        segment = roll_up(part)
        assert segment
        yield hour, segment, len(part)


def store_year(world: World, alice: Person, year: list[Sample]) -> None:
    """What the rollups' function would have left by now; results of the last three hours."""
    rollups = Rollups(alice.owner)
    days: dict[int, list[Segment]] = {}
    with acting_for(alice.owner):
        for hour, segment, count in by_hour([one for one in year if one.tick < RECENT]):
            days.setdefault(hour // DAY_S * DAY_S, []).append(segment)
            if hour >= START - 8 * DAY_S or _begins_in(hour, DAY_S):
                rollup = Rollup.of(hour, {0: segment}, count)
                rollups.write(Period.HOUR, 0, rollup, retention_days=400)
        for day, segments in days.items():
            whole = join(segments)
            if whole and day + DAY_S <= START:
                rollup = Rollup.of(day, {0: whole}, len(segments))
                rollups.write(Period.DAY, 0, rollup, retention_days=1_827)
        for sample in year:
            kept = sample.tick >= START - 89 * DAY_S and _begins_in(sample.tick, HOUR_S)
            if sample.tick >= RECENT or kept:
                keep(alice, sample)


def _begins_in(at: int, unit_s: int) -> bool:
    """Whether a window begins in this day or hour, or it is the one before."""
    begins = [(START - days * DAY_S) // unit_s for days in WINDOWS]
    return at // unit_s in {*begins, *(unit - 1 for unit in begins)}


def keep(alice: Person, sample: Sample) -> None:
    key = CheckKey(alice.owner, 0, sample.tick, "us-east-1")
    verdict = list(Verdict)[sample.verdict]
    result = CheckResult(verdict, timings=Timings(first_byte=sample.response_ms))
    assert write_results(key, {0: result}, retention_days=90, intervals_s={0: 60})


def naive(year: list[Sample], start: int) -> Tally:
    """The sums over every single check."""
    whole = Tally(start, START)
    first = max(0, bisect_left(year, (start,)) - 1)
    for at in range(first, len(year)):
        tick, until, verdict, response_ms = year[at]
        following = year[at + 1].tick if at + 1 < len(year) else START
        whole.seconds[verdict] += max(0, min(until, following, START) - max(tick, start))
        if tick >= start:
            whole.counts[verdict] += 1
            if verdict in (0, 2):
                whole.latency.add(response_ms)
    return whole


def test_a_year_of_one_minute_checks_is_exact_and_takes_few_calls(
    world: World, lowest_place: None, year: list[Sample], dynamodb_calls: list[str]
) -> None:
    alice = world.user()
    world.clock.time = CREATED
    target_id = alice.make_target()["id"]
    world.clock.time = START
    store_year(world, alice, year)
    # One of the last hours is folded, the others are not yet.
    with acting_for(alice.owner):
        roll_up_lane(world.runtime, RollupJob(alice.owner, 0, [(RECENT, RECENT + HOUR_S)]))
        target = Targets(alice.owner).get(target_id)
        ratios = []
        for days in WINDOWS:
            dynamodb_calls.clear()
            span = (START - days * DAY_S, START)
            found = statistics(world.runtime, alice.owner, [target], span)
            assert dynamodb_calls == ["Query"] * len(dynamodb_calls)
            assert len(dynamodb_calls) <= MOST_CALLS
            # To the hour, where the results themselves are not kept any more.
            assert 0 <= span[0] - found.whole.start < (HOUR_S if days >= 90 else 1)
            assert found.whole == naive(year, found.whole.start)
            assert total(found.series) == found.whole
            ratios.append(found.whole.uptime_ratio or 0)
    assert 0.5 < ratios[-1] < 1
