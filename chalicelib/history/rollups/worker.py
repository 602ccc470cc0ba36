"""Folds results into hours and hours into days, so that long ranges are read fast and kept cheaply.

Every step may run twice, late or not at all: what it writes follows from the results alone, a
rollup made from fewer results never takes the place of one made from more, and every hour is given
out at least three times (history/rollups/job.py).
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from chalicelib.aws.runtime import AwsRuntime
from chalicelib.aws.tenancy import acting_for
from chalicelib.common.intervals import NOTHING, ExcludedTime, Span
from chalicelib.common.settings import Settings
from chalicelib.history.rollups.job import RollupJob, days_of
from chalicelib.history.rollups.repository import Period, Rollup, Rollups
from chalicelib.history.rollups.rollup import DAY_S, HOUR_S, Piece, fold, join
from chalicelib.maintenance.occurrences import read_calendar
from chalicelib.monitoring.regions import samples_by_tick
from chalicelib.monitoring.result import Sample
from chalicelib.monitoring.storage.lane_repository import Lanes
from chalicelib.monitoring.storage.result_repository import LaneResults, Results
from chalicelib.monitoring.storage.target_repository import Targets

ByPlace = Mapping[int, ExcludedTime]


def run_rollup_job(runtime: AwsRuntime, text: str) -> int:
    """Fold what a fold as text asks for; returns the hours made. Raises UnreadableFoldError."""
    wanted = RollupJob.from_json(text)
    with acting_for(wanted.owner):
        return roll_up_lane(runtime, wanted)


def roll_up_lane(runtime: AwsRuntime, wanted: RollupJob) -> int:
    """Make the hours of a lane again, and the days of theirs that are over; returns the hours."""
    count = 0
    left_out = _left_out(wanted)
    for span in wanted.spans:
        for start, end in days_of(*_over(span, runtime.now)):
            count += _fold_hours(runtime, wanted, (start, end), left_out)
            if start // DAY_S * DAY_S + DAY_S <= runtime.now:
                _fold_day(runtime, wanted, start // DAY_S * DAY_S, left_out)
    return count


def pieces_of_hours(
    settings: Settings, stored: Iterable[LaneResults], left_out: ByPlace
) -> Iterator[tuple[int, dict[int, Piece], int]]:
    """Results, oldest first, as `(start of an hour, pieces by place, results items)`."""
    hour, count = -1, 0
    samples: defaultdict[int, list[Sample]] = defaultdict(list)
    for tick, items, found in samples_by_tick(settings, stored):
        if tick // HOUR_S * HOUR_S != hour:
            if samples:
                yield hour, _folded(samples, left_out), count
            hour, count = tick // HOUR_S * HOUR_S, 0
            samples.clear()
        count += items
        for place, sample in found:
            samples[place].append(sample)
    if samples:
        yield hour, _folded(samples, left_out), count


def _folded(samples: dict[int, list[Sample]], left_out: ByPlace) -> dict[int, Piece]:
    return {
        place: piece
        for place, part in samples.items()
        if (piece := fold(part, left_out.get(place, NOTHING)))
    }


def _left_out(wanted: RollupJob) -> ByPlace:
    """What of the days does not count as maintenance, by place: most owners have none."""
    start = min(start for start, _ in wanted.spans) // DAY_S * DAY_S
    end = max(end for _, end in wanted.spans) // DAY_S * DAY_S + DAY_S
    calendar = read_calendar(wanted.owner, start, end)
    if all(window.counts_in_uptime for window in calendar.windows):
        return {}
    places = Lanes(wanted.owner).get(wanted.lane).places
    targets = Targets(wanted.owner).some(seat.target_id for seat in places.values())
    return {
        place: calendar.left_out(targets[seat.target_id])
        for place, seat in places.items()
        if seat.target_id in targets
    }


def _over(span: Span, now: int) -> Span:
    """The hours of a span that are over."""
    start = span[0] // HOUR_S * HOUR_S
    return start, max(start, min(span[1], now) // HOUR_S * HOUR_S)


def _fold_hours(runtime: AwsRuntime, wanted: RollupJob, span: Span, left_out: ByPlace) -> int:
    now, rollups = runtime.now, Rollups(wanted.owner)
    stored = {
        rollup.start: rollup for rollup in rollups.between(Period.HOUR, wanted.lane, *span, now=now)
    }
    results = Results(wanted.owner).between(wanted.lane, *span, now=now)
    retention_days = runtime.settings.hourly_retention_days
    count = 0
    for hour, pieces, items in pieces_of_hours(runtime.settings, results, left_out):
        count += 1
        rollup = Rollup.of(hour, pieces, items)
        if rollup != stored.get(hour):
            rollups.write(Period.HOUR, wanted.lane, rollup, retention_days=retention_days)
    return count


def _fold_day(runtime: AwsRuntime, wanted: RollupJob, start: int, left_out: ByPlace) -> None:
    now, rollups = runtime.now, Rollups(wanted.owner)
    hours = list(rollups.between(Period.HOUR, wanted.lane, start, start + DAY_S, now=now))
    by_place: defaultdict[int, list[Piece]] = defaultdict(list)
    for hour in hours:
        for place, piece in hour.pieces.items():
            by_place[place].append(piece)
    pieces = {
        place: whole
        for place, parts in by_place.items()
        if (whole := join(parts, left_out.get(place, NOTHING)))
    }
    if not pieces:
        return
    rollup = Rollup.of(start, pieces, sum(hour.results for hour in hours))
    stored = list(rollups.between(Period.DAY, wanted.lane, start, start + 1, now=now))
    if stored != [rollup]:
        rollups.write(
            Period.DAY, wanted.lane, rollup, retention_days=runtime.settings.daily_retention_days
        )
