"""Check results, by lane and day; written once, and changed only by erasure."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property, partial

from pynamodb.expressions.update import Action

from chalicelib.common.parallel import run_parallel
from chalicelib.monitoring.result import CheckResult, Sample
from chalicelib.monitoring.schedule import DAY_S
from chalicelib.monitoring.storage.conditional import write_if
from chalicelib.monitoring.storage.models import ResultsItem
from chalicelib.monitoring.storage.result_codec import (
    error_texts,
    pack,
    samples,
    unpack,
    without_places,
)

_FEW_RESULTS = 50
"""With fewer results per day than this, more days are read in parallel."""
_MAX_DAYS = 16


@dataclass(frozen=True, slots=True)
class CheckKey:
    """Identifies the checks of one lane at one tick, in epoch seconds.

    `place` is set for a check of a single target outside the schedule, which has a separate key so
    that it never replaces the lane's scheduled check.
    """

    owner: str
    lane: int
    tick: int
    region: str
    place: int | None = None

    @property
    def item_key(self) -> tuple[str, str]:
        """The keys of the item, `(lane_day, check)`."""
        check = f"{self.tick:010d}#{self.region}"
        if self.place is not None:
            check += f"#{self.place}"
        return _lane_day(self.owner, self.lane, self.tick), check


class LaneResults:
    """One stored item: the results of one lane at one tick, decoded on first use."""

    def __init__(self, item: ResultsItem) -> None:
        self._item = item
        self.check = item.check
        tick, self.region, *place = item.check.split("#")
        self.tick = int(tick)
        self.place = int(place[0]) if place else None
        self.expires = int(item.expires)

    @cached_property
    def by_place(self) -> dict[int, CheckResult]:
        return unpack(self._item.results, self._texts)

    def samples(self) -> Iterator[tuple[int, Sample]]:
        """The samples for statistics, by place."""
        return samples(self._item.results, self.tick)

    def erase(self, places: Collection[int]) -> bool:
        """Erase the results of places; returns False if the item changed since it was read."""
        left, texts = without_places(self._item.results, self._texts, places)
        unchanged = ResultsItem.results == self._item.results
        if left is None:
            return write_if(partial(self._item.delete, condition=unchanged))
        errors = ResultsItem.errors
        actions: list[Action] = [
            ResultsItem.results.set(left),
            errors.set(texts) if texts else errors.remove(),
        ]
        return write_if(partial(self._item.update, actions, condition=unchanged))

    @property
    def item_key(self) -> tuple[str, str]:
        return self._item.lane_day, self._item.check

    @property
    def _texts(self) -> dict[str, str]:
        return self._item.errors.as_dict() if self._item.errors else {}


def write_results(
    key: CheckKey,
    results: Mapping[int, CheckResult],
    *,
    retention_days: int,
    intervals_s: Mapping[int, int] | None = None,
) -> bool:
    """Store the results, unless this key has some already: then return False.

    The first write wins, so that a message delivered twice leads to the same states.
    `intervals_s` are the targets' intervals by place, which limit how long a check is valid.
    """
    lane_day, check = key.item_key
    item = ResultsItem(
        lane_day,
        check,
        results=pack(results, intervals_s),
        errors=error_texts(results) or None,
        expires=key.tick + retention_days * DAY_S,
    )
    return write_if(partial(item.save, condition=ResultsItem.check.does_not_exist()))


def read_results(
    keys: Iterable[CheckKey], *, consistent: bool
) -> dict[CheckKey, dict[int, CheckResult]]:
    """The stored results among `keys`: `{key: {place: result}}`; one call per hundred."""
    wanted = {key.item_key: key for key in keys}
    items = ResultsItem.batch_get(list(wanted), consistent_read=consistent)
    return {wanted[found.item_key]: found.by_place for found in map(LaneResults, items)}


class Results:
    """The stored results of `owner`."""

    def __init__(self, owner: str) -> None:
        self.owner = owner

    def places_after(self, key: CheckKey, now: int) -> set[int]:
        """The places with a stored check later than `key`'s."""
        places: set[int] = set()
        start = key.tick + 1
        while start <= now:
            for found in self._day(key.lane, start, _day_end(start)):
                places.update(found.by_place)
            start = _day_end(start)
        return places

    def last_day_end(self, lane: int, start: int, end: int) -> int | None:
        """The end of the last day within [start, end) with a result; None without results.

        Reads one item per day, so that a lane's results from long ago are found quickly.
        """
        last, width = end, 1
        while last > start:
            days = _days_back(start, last, width)
            for day, has_results in zip(
                days,
                run_parallel([partial(self._has_results, lane, *day) for day in days]),
                strict=True,
            ):
                if has_results:
                    return day[1]
            last, width = days[-1][0], min(_MAX_DAYS, width * 4)
        return None

    def _has_results(self, lane: int, start: int, end: int) -> bool:
        found = self._day(lane, start, end, newest_first=True, page_size=1)
        return next(found, None) is not None

    def newest_first(
        self, lane: int, start: int, end: int, *, now: int, after: str | None = None
    ) -> Iterator[LaneResults]:
        """Results with `start <= tick < end`, newest first, read lazily by day.

        While days hold few results, an increasing number of days is read in parallel. `after`
        continues after that check key; expired results are left out, even if not yet deleted.
        """
        last = end if after is None else min(end, int(after[:10]) + 1)
        width = 1
        while last > start:
            days = _days_back(start, last, width)
            count = 0
            for found in self._days(lane, days, after):
                count += 1
                if found.expires > now:
                    yield found
            last, after = days[-1][0], None
            width = min(_MAX_DAYS, width * 2) if count < _FEW_RESULTS * width else 1

    def _days(
        self, lane: int, days: Sequence[tuple[int, int]], after: str | None
    ) -> Iterator[LaneResults]:
        """Results of days, newest first: a single day lazily, several in parallel."""
        if len(days) == 1:
            yield from self._day(lane, *days[0], after=after, newest_first=True)
            return

        def whole_day(start: int, end: int) -> list[LaneResults]:
            return list(self._day(lane, start, end, newest_first=True))

        for found in run_parallel([partial(whole_day, *day) for day in days]):
            yield from found

    def between(self, lane: int, start: int, end: int, *, now: int) -> Iterator[LaneResults]:
        """Results with `start <= tick < end`, oldest first, read lazily by day."""
        at = start
        while at < end:
            day_end = min(_day_end(at), end)
            yield from (found for found in self._day(lane, at, day_end) if found.expires > now)
            at = day_end

    def _day(
        self,
        lane: int,
        start: int,
        end: int,
        *,
        after: str | None = None,
        newest_first: bool = False,
        page_size: int = 100,
    ) -> Iterator[LaneResults]:
        """Results of one day with `start <= tick < end`."""
        lane_day = _lane_day(self.owner, lane, start)
        key = {"lane_day": {"S": lane_day}, "check": {"S": after}} if after else None
        # Check keys continue with a region, so they sort after the bare tick: `end` is excluded.
        items = ResultsItem.query(
            lane_day,
            ResultsItem.check.between(f"{start:010d}", f"{end:010d}"),
            scan_index_forward=not newest_first,
            page_size=page_size,
            last_evaluated_key=key,
        )
        return map(LaneResults, items)


def _days_back(start: int, end: int, limit: int) -> list[tuple[int, int]]:
    """The last days of [start, end), newest first, up to `limit`."""
    days: list[tuple[int, int]] = []
    while end > start and len(days) < limit:
        first = max(start, (end - 1) // DAY_S * DAY_S)
        days.append((first, end))
        end = first
    return days


def _day_end(tick: int) -> int:
    return (tick // DAY_S + 1) * DAY_S


def _lane_day(owner: str, lane: int, tick: int) -> str:
    day = datetime.fromtimestamp(tick, UTC)
    return f"{owner}#{lane}#{day:%Y%m%d}"
