"""Due targets, and the scheduler's cursor; none of it belongs to an owner."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final, NamedTuple

from pynamodb.exceptions import DoesNotExist
from pynamodb.expressions.update import Action

from chalicelib.aws.system_table import SystemItem
from chalicelib.monitoring.storage.conditional import write_if
from chalicelib.monitoring.storage.models import TargetItem

_NAME = "schedule"
_WATCHDOG = "watchdog:"
_SENTINEL = "sentinel"
_PROBE = "probe"
_ROLLUPS = "rollups"
_DUE: Final = ["lane", "target_id", "spec"]


@dataclass(frozen=True, slots=True)
class Cursor:
    """The epoch second up to which ticks are planned (exclusive), and the intervals in use.

    `resumed_at` is the start of the first plan after the latest gap, None if there was none.
    """

    planned_until: int | None = None
    ticked_at: int | None = None
    intervals: frozenset[int] = frozenset()
    shards: int = 1
    resumed_at: int | None = None


@dataclass(frozen=True, slots=True)
class RoundTrip:
    """The watchdog's latest trip from the scheduler to a function, in epoch seconds."""

    sent_at: int
    arrived_at: int


@dataclass(frozen=True, slots=True)
class SyntheticTarget:
    """The address, `host:port`, that the self monitor checks, and since when."""

    place: str
    since: int


@dataclass(frozen=True, slots=True)
class Probe:
    """When the health check sent its latest probe, and since when parts of it are pending.

    Both in epoch seconds.
    """

    sent_at: int
    pending_since: int


@dataclass(frozen=True, slots=True)
class ScheduleHealth:
    """The input of the health check: cursor, watchdog trips by path, synthetic target, probe."""

    cursor: Cursor
    trips: Mapping[str, RoundTrip]
    synthetic: SyntheticTarget | None
    probe: Probe | None = None


class DueTarget(NamedTuple):
    """One entry of the index; `spec` is JSON text, as it is sent."""

    owner: str
    lane: int
    target_id: str
    spec: str


def read_cursor(shard: int = 0) -> Cursor:
    """The cursor of a shard; empty before the first tick."""
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
        resumed_at=None if item.start is None else int(item.start),
    )


def advance_cursor(
    before: Cursor, planned_until: int, now: int, shard: int = 0, resumed_at: int | None = None
) -> bool:
    """Advance the cursor; returns False if a concurrent run did so first.

    `resumed_at` is set after a gap, when catch-up checks were planned.
    """
    condition = (
        SystemItem.cursor.does_not_exist()
        if before.planned_until is None
        else SystemItem.cursor == before.planned_until
    )
    actions: list[Action] = [SystemItem.cursor.set(planned_until), SystemItem.ticked_at.set(now)]
    if resumed_at is not None:
        actions.append(SystemItem.start.set(resumed_at))
    return write_if(partial(SystemItem(_name(shard)).update, actions, condition=condition))


def read_shards() -> int:
    """The number of shards that the lanes are spread over."""
    return read_cursor().shards


def open_shard(number: int) -> None:
    """Assign new lanes to the shard `number` from now on; harmless if it is open already."""
    known = SystemItem.shards
    condition = known.does_not_exist() | (known <= number)
    write_if(partial(SystemItem(_NAME).update, [known.set(number + 1)], condition=condition))


def _name(shard: int) -> str:
    return f"{_NAME}:{shard}" if shard else _NAME


def read_rollup_cursor() -> int | None:
    """The epoch second up to which hours were dispatched for rollup; None before the first."""
    try:
        return int(SystemItem.get(_ROLLUPS, consistent_read=True).cursor or 0)
    except DoesNotExist:
        return None


def advance_rollup_cursor(until: int) -> None:
    """Store the rollup cursor; dispatching the same hours twice is harmless."""
    SystemItem(_ROLLUPS, cursor=until).save()


def use_interval(interval_s: int, shard: int = 0) -> None:
    """Make the scheduler read the shard's slots of this interval from now on."""
    SystemItem(_name(shard)).update([SystemItem.intervals.add([str(interval_s)])])


def record_gap(start: int, end: int, *, shard: int, expires: int) -> None:
    """Record that nothing of a shard was planned from `start` to `end`, in epoch seconds."""
    name = f"gap:{start}:{shard}" if shard else f"gap:{start}"
    SystemItem(name, start=start, cursor=end, expires=expires).save()


def save_round_trip(way: str, sent_at: int, arrived_at: int) -> None:
    """Store when a path's watchdog message was sent and arrived, unless a newer one is stored.

    A stored time in the future was written by a clock that was ahead, and is replaced.
    """
    newer = (
        SystemItem.start.does_not_exist()
        | (SystemItem.start < sent_at)
        | (SystemItem.start > arrived_at)
    )
    actions: list[Action] = [SystemItem.start.set(sent_at), SystemItem.ticked_at.set(arrived_at)]
    write_if(partial(SystemItem(_WATCHDOG + way).update, actions, condition=newer))


def save_synthetic_target(synthetic: SyntheticTarget) -> None:
    """Store which address the self monitor checks."""
    SystemItem(_SENTINEL, place=synthetic.place, start=synthetic.since).save()


def read_schedule_health(ways: Iterable[str]) -> ScheduleHealth:
    """The state of schedule, watchdog, self monitor and probe, in one call."""
    names = {way: _WATCHDOG + way for way in ways}
    found = {
        item.name: item
        for item in SystemItem.batch_get(
            [_NAME, _SENTINEL, _PROBE, *names.values()], consistent_read=True
        )
    }
    trips = {
        way: RoundTrip(int(found[name].start or 0), int(found[name].ticked_at or 0))
        for way, name in names.items()
        if name in found
    }
    sentinel = found.get(_SENTINEL)
    synthetic = (
        SyntheticTarget(sentinel.place or "", int(sentinel.start or 0)) if sentinel else None
    )
    probe = found.get(_PROBE)
    return ScheduleHealth(
        _cursor(found.get(_NAME)),
        trips,
        synthetic,
        Probe(int(probe.start or 0), int(probe.cursor or 0)) if probe else None,
    )


def save_probe(before: Probe | None, probe: Probe) -> bool:
    """Store that a probe is sent; returns False if another request stored one since `before`."""
    sent_at = SystemItem.start
    condition = sent_at == before.sent_at if before else sent_at.does_not_exist()
    actions: list[Action] = [
        sent_at.set(probe.sent_at),
        SystemItem.cursor.set(probe.pending_since),
    ]
    return write_if(partial(SystemItem(_PROBE).update, actions, condition=condition))


def due_targets(slot: str) -> Iterator[DueTarget]:
    """The targets of a slot, grouped by lane.

    Reads raw items and keeps specs as text: a shard has thousands of them, and creating a model
    takes longer than everything else.
    """
    for item in TargetItem.raw_query(slot, index="due", attributes=_DUE):
        owner, _, lane = item["lane"]["S"].rpartition("#")
        yield DueTarget(owner, int(lane), item["target_id"]["S"], item["spec"]["S"])
