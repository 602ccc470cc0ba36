"""Where an owner's new targets can sit."""

from dataclasses import replace

from chalicelib.aws.tenancy import acting_as_system
from chalicelib.monitoring.lane import Lane, Place, choose_place
from chalicelib.monitoring.state_machine import State
from chalicelib.monitoring.storage.lane_repository import Lanes
from chalicelib.monitoring.storage.schedule_repository import read_shards


class LaneAllocator:
    """The lanes of `owner` as they were read, once for many new targets; `forget` has them read
    again. What is chosen here may be taken by others meanwhile: storing it says so.
    """

    def __init__(self, owner: str) -> None:
        self.owner = owner
        self._lanes: dict[int, Lane] | None = None

    def choose(self) -> tuple[int, int]:
        """A free place, `(lane, place)`, in a new lane where all others are full."""
        while True:
            if self._lanes is None:
                self._lanes = {lane.number: lane for lane in Lanes(self.owner).all()}
            seat = choose_place(self._lanes.values())
            if seat is not None:
                return seat
            with acting_as_system():
                newest = read_shards() - 1
            Lanes(self.owner).open(len(self._lanes), newest)
            self.forget()

    def shard(self, lane: int) -> int:
        """The shard of a lane that was chosen."""
        return self._lanes[lane].shard if self._lanes else 0

    def take(self, lane: int, place: int, target_id: str, state: State) -> None:
        """Remember that the place was had."""
        if self._lanes is not None:
            before = self._lanes[lane]
            places = {**before.places, place: Place(target_id, state)}
            self._lanes[lane] = replace(before, places=places)

    def forget(self) -> None:
        """Somebody else wrote there."""
        self._lanes = None
