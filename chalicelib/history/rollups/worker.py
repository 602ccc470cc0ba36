"""Roll results up into hours, and hours into days, so that long ranges are fast and cheap.

Every step may run twice, late or not at all: a rollup follows from the results alone, never
replaces one made from more results, and every hour is requested at least three times (see job.py).
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from chalicelib.aws.runtime import AwsRuntime
from chalicelib.aws.tenancy import acting_for
from chalicelib.common.intervals import NOTHING, ExcludedTime, Span
from chalicelib.common.settings import Settings
from chalicelib.history.models import RollupRequestItem
from chalicelib.history.rollups.job import RollupJob, days_of
from chalicelib.history.rollups.repository import Period, Rollup, Rollups
from chalicelib.history.rollups.rollup import DAY_S, HOUR_S, Segment, join, roll_up
from chalicelib.maintenance.occurrences import read_calendar
from chalicelib.monitoring.regions import samples_by_tick
from chalicelib.monitoring.result import Sample
from chalicelib.monitoring.storage.lane_repository import Lanes
from chalicelib.monitoring.storage.result_repository import LaneResults, Results
from chalicelib.monitoring.storage.target_repository import Targets

ByPlace = Mapping[int, ExcludedTime]


def run_rollup_job(runtime: AwsRuntime, text: str) -> int:
    """Run a serialized job; returns the number of hours. Raises UnreadableRollupJobError."""
    wanted = RollupJob.from_json(text)
    with acting_for(wanted.owner):
        return roll_up_lane(runtime, wanted)


def run_rollup_request(runtime: AwsRuntime, text: str) -> int:
    """Run and delete a stored request, `owner#key`; returns the number of hours."""
    owner, _, key = text.partition("#")
    _, lane, start, end = key.split(":")
    with acting_for(owner):
        count = roll_up_lane(runtime, RollupJob(owner, int(lane), [(int(start), int(end))]))
        RollupRequestItem(owner, key).delete()
    return count


def roll_up_lane(runtime: AwsRuntime, wanted: RollupJob) -> int:
    """Roll up the hours of a job and the days that are over; returns the number of hours."""
    count = 0
    excluded = _excluded_by_place(wanted)
    for span in wanted.spans:
        for start, end in days_of(*_complete_hours(span, runtime.now)):
            count += _roll_up_hours(runtime, wanted, (start, end), excluded)
            if start // DAY_S * DAY_S + DAY_S <= runtime.now:
                _roll_up_day(runtime, wanted, start // DAY_S * DAY_S, excluded)
    return count


def segments_by_hour(
    settings: Settings, stored: Iterable[LaneResults], excluded: ByPlace
) -> Iterator[tuple[int, dict[int, Segment], int]]:
    """Results, oldest first, as `(start of an hour, segments by place, results items)`."""
    hour, count = -1, 0
    samples: defaultdict[int, list[Sample]] = defaultdict(list)
    for tick, items, found in samples_by_tick(settings, stored):
        if tick // HOUR_S * HOUR_S != hour:
            if samples:
                yield hour, _segments(samples, excluded), count
            hour, count = tick // HOUR_S * HOUR_S, 0
            samples.clear()
        count += items
        for place, sample in found:
            samples[place].append(sample)
    if samples:
        yield hour, _segments(samples, excluded), count


def _segments(samples: dict[int, list[Sample]], excluded: ByPlace) -> dict[int, Segment]:
    return {
        place: segment
        for place, part in samples.items()
        if (segment := roll_up(part, excluded.get(place, NOTHING)))
    }


def _excluded_by_place(wanted: RollupJob) -> ByPlace:
    """The excluded maintenance of the job's days, by place; empty for most owners."""
    start = min(start for start, _ in wanted.spans) // DAY_S * DAY_S
    end = max(end for _, end in wanted.spans) // DAY_S * DAY_S + DAY_S
    calendar = read_calendar(wanted.owner, start, end)
    if all(window.counts_in_uptime for window in calendar.windows):
        return {}
    places = Lanes(wanted.owner).get(wanted.lane).places
    targets = Targets(wanted.owner).some(one.target_id for one in places.values())
    return {
        place: calendar.excluded(targets[one.target_id])
        for place, one in places.items()
        if one.target_id in targets
    }


def _complete_hours(span: Span, now: int) -> Span:
    """The complete hours of a span."""
    start = span[0] // HOUR_S * HOUR_S
    return start, max(start, min(span[1], now) // HOUR_S * HOUR_S)


def _roll_up_hours(runtime: AwsRuntime, wanted: RollupJob, span: Span, excluded: ByPlace) -> int:
    now, rollups = runtime.now, Rollups(wanted.owner)
    stored = {
        rollup.start: rollup for rollup in rollups.between(Period.HOUR, wanted.lane, *span, now=now)
    }
    results = Results(wanted.owner).between(wanted.lane, *span, now=now)
    retention_days = runtime.settings.hourly_retention_days
    count = 0
    for hour, segments, items in segments_by_hour(runtime.settings, results, excluded):
        count += 1
        rollup = Rollup.of(hour, segments, items)
        if rollup != stored.get(hour):
            rollups.write(Period.HOUR, wanted.lane, rollup, retention_days=retention_days)
    return count


def _roll_up_day(runtime: AwsRuntime, wanted: RollupJob, start: int, excluded: ByPlace) -> None:
    now, rollups = runtime.now, Rollups(wanted.owner)
    hours = list(rollups.between(Period.HOUR, wanted.lane, start, start + DAY_S, now=now))
    by_place: defaultdict[int, list[Segment]] = defaultdict(list)
    for hour in hours:
        for place, segment in hour.segments.items():
            by_place[place].append(segment)
    segments = {
        place: whole
        for place, parts in by_place.items()
        if (whole := join(parts, excluded.get(place, NOTHING)))
    }
    if not segments:
        return
    rollup = Rollup.of(start, segments, sum(hour.results for hour in hours))
    stored = list(rollups.between(Period.DAY, wanted.lane, start, start + 1, now=now))
    if stored != [rollup]:
        rollups.write(
            Period.DAY, wanted.lane, rollup, retention_days=runtime.settings.daily_retention_days
        )
