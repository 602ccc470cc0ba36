"""What the checks found, by lane and day; written once, never changed."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property, partial

from pynamodb.exceptions import DeleteError, PutError, UpdateError
from pynamodb.expressions.update import Action

from chalicelib.common.parallel import run_parallel
from chalicelib.monitoring.result import CheckResult, Sample
from chalicelib.monitoring.storage.models import ResultsItem
from chalicelib.monitoring.storage.result_codec import (
    pack,
    samples,
    texts_of,
    unpack,
    without_place,
)

_DAY_S = 86_400
_SHORT_DAY = 50
_MOST_DAYS = 16


@dataclass(frozen=True, slots=True)
class CheckKey:
    """Identifies the checks of one lane at one tick, in epoch seconds.

    `place` is set for a check outside the schedule, of one target alone, which never takes the
    place of the lane's scheduled one.
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
    """One stored item: the results of one lane at one tick, unpacked when first asked for."""

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
        """What a statistic needs of it, by place."""
        return samples(self._item.results, self.tick)

    def erase(self, place: int) -> bool:
        """Take a place out of what is stored; False where it was changed since it was read."""
        left, texts = without_place(self._item.results, self._texts, place)
        unchanged = ResultsItem.results == self._item.results
        try:
            if left is None:
                self._item.delete(condition=unchanged)
                return True
            kept = ResultsItem.errors
            actions: list[Action] = [kept.set(texts) if texts else kept.remove()]
            self._item.update([ResultsItem.results.set(left), *actions], condition=unchanged)
        except (DeleteError, UpdateError) as error:
            if error.cause_response_code != "ConditionalCheckFailedException":
                raise
            return False
        return True

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
    """Store the results; False where there are some already, which then stand.

    `intervals_s` are the targets' intervals by place: for how long a check stands at most.
    """
    lane_day, check = key.item_key
    item = ResultsItem(
        lane_day,
        check,
        results=pack(results, intervals_s),
        errors=texts_of(results) or None,
        expires=key.tick + retention_days * _DAY_S,
    )
    try:
        item.save(condition=ResultsItem.check.does_not_exist())
    except PutError as error:
        if error.cause_response_code != "ConditionalCheckFailedException":
            raise
        return False
    return True


def read_results(
    keys: Iterable[CheckKey], *, consistent: bool
) -> dict[CheckKey, dict[int, CheckResult]]:
    """Those of `keys` that are stored: `{key: {place: result}}`; a call for each hundred."""
    wanted = {key.item_key: key for key in keys}
    items = ResultsItem.batch_get(list(wanted), consistent_read=consistent)
    return {wanted[found.item_key]: found.by_place for found in map(LaneResults, items)}


class Results:
    """The stored results of `owner`."""

    def __init__(self, owner: str) -> None:
        self.owner = owner

    def places_after(self, key: CheckKey, now: int) -> set[int]:
        """The places of which a later check than `key`'s is stored."""
        places: set[int] = set()
        start = key.tick + 1
        while start <= now:
            for found in self._day(key.lane, start, _day_end(start)):
                places.update(found.by_place)
            start = _day_end(start)
        return places

    def newest_first(
        self, lane: int, start: int, end: int, *, now: int, after: str | None = None
    ) -> Iterator[LaneResults]:
        """Results with `start <= tick < end`, read day by day as they are taken.

        Where days turn out to hold little, more and more of them are read side by side.
        `after` goes on behind that check key; what has expired is left out, whether or not it is
        deleted yet.
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
            width = min(_MOST_DAYS, width * 2) if count < _SHORT_DAY * width else 1

    def _days(
        self, lane: int, days: Sequence[tuple[int, int]], after: str | None
    ) -> Iterator[LaneResults]:
        """Results of days, newest first: of one as they are taken, of several side by side."""
        if len(days) == 1:
            yield from self._day(lane, *days[0], after=after, newest_first=True)
            return
        calls = [partial(self._whole_day, lane, day) for day in days]
        for found in run_parallel(calls):
            yield from found

    def _whole_day(self, lane: int, day: tuple[int, int]) -> list[LaneResults]:
        return list(self._day(lane, *day, newest_first=True))

    def between(self, lane: int, start: int, end: int, *, now: int) -> Iterator[LaneResults]:
        """Results with `start <= tick < end`, oldest first, a call for each day as it is taken."""
        at = start
        while at < end:
            day_end = min(_day_end(at), end)
            for found in self._day(lane, at, day_end):
                if found.expires > now:
                    yield found
            at = day_end

    def _day(
        self,
        lane: int,
        start: int,
        end: int,
        *,
        after: str | None = None,
        newest_first: bool = False,
    ) -> Iterator[LaneResults]:
        """Results of one day with `start <= tick < end`."""
        lane_day = _lane_day(self.owner, lane, start)
        key = {"lane_day": {"S": lane_day}, "check": {"S": after}} if after else None
        # A check key has a region behind the tick, so the bare tick of `end` excludes it.
        items = ResultsItem.query(
            lane_day,
            ResultsItem.check.between(f"{start:010d}", f"{end:010d}"),
            scan_index_forward=not newest_first,
            page_size=100,
            last_evaluated_key=key,
        )
        return map(LaneResults, items)


def _days_back(start: int, end: int, most: int) -> list[tuple[int, int]]:
    """The last days of [start, end), newest first, `most` at most."""
    days: list[tuple[int, int]] = []
    while end > start and len(days) < most:
        first = max(start, (end - 1) // _DAY_S * _DAY_S)
        days.append((first, end))
        end = first
    return days


def _day_end(tick: int) -> int:
    return (tick // _DAY_S + 1) * _DAY_S


def _lane_day(owner: str, lane: int, tick: int) -> str:
    day = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=tick)
    return f"{owner}#{lane}#{day:%Y%m%d}"
