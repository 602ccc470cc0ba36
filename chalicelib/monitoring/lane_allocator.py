"""Allocation of places in an owner's lanes to new targets."""

from dataclasses import replace

from chalicelib.aws.tenancy import acting_as_system
from chalicelib.monitoring.lane import Lane, Place, choose_place
from chalicelib.monitoring.state_machine import State
from chalicelib.monitoring.storage.lane_repository import Lanes
from chalicelib.monitoring.storage.schedule_repository import read_shards


class LaneAllocator:
    """The lanes of `owner`, read once for many new targets.

    Another request may take a chosen place first: storing the target then fails, and the caller
    calls `forget` and chooses again.
    """

    def __init__(self, owner: str) -> None:
        self.owner = owner
        self._lanes: dict[int, Lane] | None = None

    def choose(self) -> tuple[int, int]:
        """A free place, `(lane, place)`; opens a new lane if all are full."""
        while True:
            if self._lanes is None:
                self._lanes = {lane.number: lane for lane in Lanes(self.owner).all()}
            chosen = choose_place(self._lanes.values())
            if chosen is not None:
                return chosen
            with acting_as_system():
                newest = read_shards() - 1
            Lanes(self.owner).open(len(self._lanes), newest)
            self.forget()

    def shard(self, lane: int) -> int:
        """The shard of a chosen lane."""
        return self._lanes[lane].shard if self._lanes else 0

    def take(self, lane: int, place: int, target_id: str, state: State) -> None:
        """Mark the place as taken."""
        if self._lanes is not None:
            places = {**self._lanes[lane].places, place: Place(target_id, state)}
            self._lanes[lane] = replace(self._lanes[lane], places=places)

    def forget(self) -> None:
        """Read the lanes again before the next choice: another request changed them."""
        self._lanes = None
