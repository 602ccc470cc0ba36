"""Up to fifty targets of one owner that are checked together."""

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from chalicelib.monitoring.alert_messages import Entry
from chalicelib.monitoring.state_machine import State
from chalicelib.monitoring.target import LANE_SIZE


@dataclass(frozen=True, slots=True)
class Place:
    """A target in its lane, with its state."""

    target_id: str
    state: State


@dataclass(frozen=True, slots=True)
class Lane:
    """One lane as it is stored; every write but emptying the outbox increments `version`.

    `shard` is chosen at creation and never changes. `calendar` is the version of the lane's skip
    rules, above 0 if there are any. No target of a suspended lane is checked. A lane that is not
    indexed is not found by its shard.
    """

    owner: str
    number: int
    version: int = 0
    places: Mapping[int, Place] = field(default_factory=dict)
    outbox: Sequence[Entry] = ()
    shard: int = 0
    calendar: int = 0
    is_suspended: bool = False
    is_indexed: bool = True

    def state_of(self, target_id: str, place: int) -> State | None:
        """The state of the target in that place, None if it is no longer there."""
        found = self.places.get(place)
        return found.state if found and found.target_id == target_id else None

    @property
    def free(self) -> list[int]:
        return [place for place in range(LANE_SIZE) if place not in self.places]


def choose_place(lanes: Iterable[Lane]) -> tuple[int, int] | None:
    """A free place, `(lane, place)`, in the lowest lane that has one; None if all are full.

    Random among the lane's free places, so that concurrent requests rarely collide.
    """
    for lane in sorted(lanes, key=lambda lane: lane.number):
        if lane.free:
            return lane.number, secrets.choice(lane.free)
    return None
