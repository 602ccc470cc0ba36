"""What is due when, and up to where it is planned: belongs to no owner."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pynamodb.exceptions import DoesNotExist, UpdateError

from chalicelib.store.models import ScheduleItem, TargetItem

_NAME = "schedule"
_FOLDED = "rollups"


@dataclass(frozen=True, slots=True)
class Cursor:
    """Up to which epoch second ticks are planned (exclusive), and which intervals are in use."""

    planned_until: int | None = None
    ticked_at: int | None = None
    intervals: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class DueTarget:
    """One entry of the index: whose, in which lane, and the spec as it travels."""

    owner: str
    lane: int
    target_id: str
    spec: dict[str, Any]


def read_cursor() -> Cursor:
    """Where the schedule stands; empty before the first tick."""
    try:
        item = ScheduleItem.get(_NAME, consistent_read=True)
    except DoesNotExist:
        return Cursor()
    return Cursor(
        planned_until=None if item.cursor is None else int(item.cursor),
        ticked_at=None if item.ticked_at is None else int(item.ticked_at),
        intervals=frozenset(map(int, item.intervals or ())),
    )


def advance_cursor(before: Cursor, planned_until: int, now: int) -> bool:
    """Move the cursor on; False where another tick did so first."""
    condition = (
        ScheduleItem.cursor.does_not_exist()
        if before.planned_until is None
        else ScheduleItem.cursor == before.planned_until
    )
    try:
        ScheduleItem(_NAME).update(
            [ScheduleItem.cursor.set(planned_until), ScheduleItem.ticked_at.set(now)],
            condition=condition,
        )
    except UpdateError as error:
        if error.cause_response_code != "ConditionalCheckFailedException":
            raise
        return False
    return True


def read_shards() -> int:
    """How many shards the lanes are spread over."""
    try:
        return int(ScheduleItem.get(_NAME, consistent_read=True).shards or 1)
    except DoesNotExist:
        return 1


def read_folded() -> int | None:
    """Up to which epoch second the hours were given out to be folded; None before the first."""
    try:
        return int(ScheduleItem.get(_FOLDED, consistent_read=True).cursor or 0)
    except DoesNotExist:
        return None


def advance_folded(until: int) -> None:
    """Remember up to where the hours are given out; going on from there twice does no harm."""
    ScheduleItem(_FOLDED, cursor=until).save()


def use_interval(interval_s: int) -> None:
    """Have the slots of this interval read from now on."""
    ScheduleItem(_NAME).update([ScheduleItem.intervals.add([str(interval_s)])])


def record_gap(start: int, end: int, *, expires: int) -> None:
    """Keep that nothing was planned from `start` to `end`, in epoch seconds."""
    ScheduleItem(f"gap:{start}", start=start, cursor=end, expires=expires).save()


def due_targets(slot: str) -> Iterator[DueTarget]:
    """The targets of a slot, those of a lane together."""
    for item in TargetItem.due_index.query(slot, page_size=1000):
        owner, _, lane = item.lane.rpartition("#")
        yield DueTarget(owner, int(lane), item.target_id, item.spec)
