"""Up to fifty targets of one owner that are checked together."""

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

from chalicelib.monitoring.alert_messages import Entry
from chalicelib.monitoring.state_machine import State
from chalicelib.monitoring.target import LANE_SIZE


@dataclass(frozen=True, slots=True)
class Definition:
    """The current definition of a target: how it is checked, its secrets and whether it is paused.

    `version` is the one in its specs, and the tick up to which checks belong to earlier
    definitions; 0 since the target's creation. At ticks before `apart_until` the target is checked
    by separate messages instead of with its lane.
    """

    version: int = 0
    apart_until: int = 0

    @classmethod
    def from_list(cls, values: Sequence[int]) -> Self:
        """Read what `to_list` wrote; fields of a later version are ignored."""
        version, apart_s = int(values[0]), int(values[1]) if len(values) > 1 else 0
        return cls(version, version + apart_s if apart_s else 0)

    def to_list(self) -> list[int]:
        """The stored fields, the time relative to the version: fifty are part of one item."""
        return [self.version, *([self.apart_until - self.version] if self.apart_until else [])]

    def next_version(self, now: int) -> int:
        """The version of a change at `now`, whose transaction may take until the next second."""
        return max(now, self.version) + 1

    def leaves_out(self, version: int, tick: int, *, is_planned: bool) -> bool:
        """Whether to leave out a check that was requested by the definition `version`.

        `is_planned` if it is one of a lane's scheduled checks.
        """
        is_earlier = version != self.version and tick <= self.version
        return is_earlier or (is_planned and tick < self.apart_until)


@dataclass(frozen=True, slots=True)
class Place:
    """A target in its lane, with its state."""

    target_id: str
    state: State


@dataclass(frozen=True, slots=True)
class Lane:
    """One lane as it is stored; every write but emptying the outbox increments `version`.

    `shard` is chosen at creation and never changes. `calendar` is the version of the lane's skip
    rules, above 0 if there are any. No target of a suspended lane is checked; `resumed_at` is when
    the last suspension ended. A lane that is not indexed is not found by its shard. `definitions`
    are those of changed targets by place, None if the item has no such attribute yet.
    """

    owner: str
    number: int
    version: int = 0
    places: Mapping[int, Place] = field(default_factory=dict)
    outbox: Sequence[Entry] = ()
    shard: int = 0
    calendar: int = 0
    is_suspended: bool = False
    resumed_at: int = 0
    is_indexed: bool = True
    definitions: Mapping[int, Definition] | None = None

    def state_of(self, target_id: str, place: int) -> State | None:
        """The state of the target in that place, None if it is no longer there."""
        found = self.places.get(place)
        return found.state if found and found.target_id == target_id else None

    def definition_of(self, place: int) -> Definition:
        """The current definition of the target in that place."""
        return (self.definitions or {}).get(place, _UNCHANGED)

    @property
    def free(self) -> list[int]:
        return [place for place in range(LANE_SIZE) if place not in self.places]


_UNCHANGED = Definition()


def choose_place(lanes: Iterable[Lane]) -> tuple[int, int] | None:
    """A free place, `(lane, place)`, in the lowest lane that has one; None if all are full.

    Random among the lane's free places, so that concurrent requests rarely collide.
    """
    for lane in sorted(lanes, key=lambda lane: lane.number):
        if lane.free:
            return lane.number, secrets.choice(lane.free)
    return None
