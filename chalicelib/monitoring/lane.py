"""Up to fifty targets of one owner that are checked together."""

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from chalicelib.monitoring.alert_messages import Entry
from chalicelib.monitoring.state_machine import State
from chalicelib.monitoring.target import LANE_SIZE


@dataclass(frozen=True, slots=True)
class Place:
    """A target's seat in its lane and what is known of its state."""

    target_id: str
    state: State


@dataclass(frozen=True, slots=True)
class Lane:
    """One lane as it is stored; `version` grows with every write, but not as the outbox empties.

    `shard` is chosen when it is opened, and stays. `calendar` is the stamp of the calendar beside
    it, which says when targets are not checked: above 0 where there is one. While it `rests`
    nothing in it is checked. One that is not listed is not found by its shard.
    """

    owner: str
    number: int
    version: int = 0
    places: Mapping[int, Place] = field(default_factory=dict)
    outbox: Sequence[Entry] = ()
    shard: int = 0
    calendar: int = 0
    rests: bool = False
    is_listed: bool = True

    def state_of(self, target_id: str, place: int) -> State | None:
        """The state of the target in that place, None where it does not sit there any more."""
        seat = self.places.get(place)
        return seat.state if seat and seat.target_id == target_id else None

    @property
    def free(self) -> list[int]:
        return [place for place in range(LANE_SIZE) if place not in self.places]


def choose_place(lanes: Iterable[Lane]) -> tuple[int, int] | None:
    """A free place, `(lane, place)`, in the lowest lane that has one; None where all are full.

    Which of the lane's free places is left to chance, so that two who choose at the same time
    rarely choose the same.
    """
    for lane in sorted(lanes, key=lambda lane: lane.number):
        if lane.free:
            return lane.number, secrets.choice(lane.free)
    return None
