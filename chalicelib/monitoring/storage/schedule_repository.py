"""What is due when, and up to where it is planned: belongs to no owner."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, NamedTuple

from pynamodb.exceptions import DoesNotExist, UpdateError

from chalicelib.aws.system_table import SystemItem
from chalicelib.monitoring.storage.models import TargetItem

_NAME = "schedule"
_WATCHDOG = "watchdog:"
_SENTINEL = "sentinel"
_FOLDED = "rollups"
_DUE: Final = ["lane", "target_id", "spec"]


@dataclass(frozen=True, slots=True)
class Cursor:
    """Up to which epoch second ticks are planned (exclusive), and which intervals are in use."""

    planned_until: int | None = None
    ticked_at: int | None = None
    intervals: frozenset[int] = frozenset()
    shards: int = 1


@dataclass(frozen=True, slots=True)
class RoundTrip:
    """The watchdog's newest trip from the schedule to a function, in epoch seconds."""

    sent_at: int
    arrived_at: int


@dataclass(frozen=True, slots=True)
class Post:
    """Which place, `host:port`, the sentinel watches, and since when."""

    place: str
    since: int


@dataclass(frozen=True, slots=True)
class ScheduleHealth:
    """What health is judged by: the schedule, the watchdog's trips by way, the sentinel."""

    cursor: Cursor
    trips: Mapping[str, RoundTrip]
    post: Post | None


class DueTarget(NamedTuple):
    """One entry of the index: whose, in which lane, and the spec as JSON, as it travels."""

    owner: str
    lane: int
    target_id: str
    spec: str


def read_cursor(shard: int = 0) -> Cursor:
    """Where the schedule of a shard stands; empty before the first tick."""
    try:
        item = SystemItem.get(_name(shard), consistent_read=True)
    except DoesNotExist:
        return Cursor()
    return _cursor(item)


def _cursor(item: SystemItem | None) -> Cursor:
    if item is None:
        return Cursor()
    return Cursor(
        planned_until=None if item.cursor is None else int(item.cursor),
        ticked_at=None if item.ticked_at is None else int(item.ticked_at),
        intervals=frozenset(map(int, item.intervals or ())),
        shards=int(item.shards or 1),
    )


def advance_cursor(before: Cursor, planned_until: int, now: int, shard: int = 0) -> bool:
    """Move the cursor on; False where another tick did so first."""
    condition = (
        SystemItem.cursor.does_not_exist()
        if before.planned_until is None
        else SystemItem.cursor == before.planned_until
    )
    try:
        SystemItem(_name(shard)).update(
            [SystemItem.cursor.set(planned_until), SystemItem.ticked_at.set(now)],
            condition=condition,
        )
    except UpdateError as error:
        if error.cause_response_code != "ConditionalCheckFailedException":
            raise
        return False
    return True


def read_shards() -> int:
    """How many shards the lanes are spread over."""
    return read_cursor().shards


def open_shard(number: int) -> None:
    """Have new lanes go to the shard `number` from now on; harmless where it is open already."""
    known = SystemItem.shards
    with suppress(UpdateError):
        SystemItem(_NAME).update(
            [known.set(number + 1)], condition=known.does_not_exist() | (known <= number)
        )


def _name(shard: int) -> str:
    return f"{_NAME}:{shard}" if shard else _NAME


def read_folded() -> int | None:
    """Up to which epoch second the hours were given out to be folded; None before the first."""
    try:
        return int(SystemItem.get(_FOLDED, consistent_read=True).cursor or 0)
    except DoesNotExist:
        return None


def advance_folded(until: int) -> None:
    """Remember up to where the hours are given out; going on from there twice does no harm."""
    SystemItem(_FOLDED, cursor=until).save()


def use_interval(interval_s: int, shard: int = 0) -> None:
    """Have the shard's slots of this interval read from now on."""
    SystemItem(_name(shard)).update([SystemItem.intervals.add([str(interval_s)])])


def record_gap(start: int, end: int, *, shard: int, expires: int) -> None:
    """Keep that nothing of a shard was planned from `start` to `end`, in epoch seconds."""
    SystemItem(
        f"gap:{start}:{shard}" if shard else f"gap:{start}",
        start=start,
        cursor=end,
        expires=expires,
    ).save()


def keep_round_trip(way: str, sent_at: int, arrived_at: int) -> None:
    """Keep when the newest watchdog of a way was sent, and when it arrived."""
    newer = SystemItem.start.does_not_exist() | (SystemItem.start < sent_at)
    try:
        SystemItem(_WATCHDOG + way).update(
            [SystemItem.start.set(sent_at), SystemItem.ticked_at.set(arrived_at)],
            condition=newer,
        )
    except UpdateError as error:
        if error.cause_response_code != "ConditionalCheckFailedException":
            raise


def keep_post(post: Post) -> None:
    """Keep what the sentinel watches."""
    SystemItem(_SENTINEL, place=post.place, start=post.since).save()


def read_pulse(ways: Iterable[str]) -> ScheduleHealth:
    """Where the schedule, the watchdog and the sentinel stand, in one call."""
    names = {way: _WATCHDOG + way for way in ways}
    found = {
        item.name: item
        for item in SystemItem.batch_get([_NAME, _SENTINEL, *names.values()], consistent_read=True)
    }
    trips = {
        way: RoundTrip(int(found[name].start or 0), int(found[name].ticked_at or 0))
        for way, name in names.items()
        if name in found
    }
    sentinel = found.get(_SENTINEL)
    post = Post(sentinel.place or "", int(sentinel.start or 0)) if sentinel else None
    return ScheduleHealth(_cursor(found.get(_NAME)), trips, post)


def due_targets(slot: str) -> Iterator[DueTarget]:
    """The targets of a slot, those of a lane together.

    Models are passed by, and specs stay the text that they are: a shard has thousands of them, and
    a model takes longer to make than all the rest.
    """
    for item in TargetItem.raw_query(slot, index="due", attributes=_DUE):
        owner, _, lane = item["lane"]["S"].rpartition("#")
        yield DueTarget(owner, int(lane), item["target_id"]["S"], item["spec"]["S"])
