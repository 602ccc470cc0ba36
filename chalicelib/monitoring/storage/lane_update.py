"""What becomes of a target's place in its lane when its owner changes or deletes the target."""

from collections.abc import Sequence
from dataclasses import dataclass

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from chalicelib.monitoring.alert_messages import Entry
from chalicelib.monitoring.lane import Lane
from chalicelib.monitoring.state_machine import State
from chalicelib.monitoring.storage.lane_repository import post, seat
from chalicelib.monitoring.storage.models import LaneItem


@dataclass(frozen=True, slots=True)
class PlaceUpdate:
    """A new state in the place, None to free it, with the flips that it makes.

    It holds for `lane` as it was read: a check that moves a state meanwhile makes it outdated.
    """

    lane: Lane
    target_id: str
    place: int
    state: State | None
    entries: Sequence[Entry] = ()

    @property
    def actions(self) -> list[Action]:
        """What is written into the lane's item."""
        path = seat(self.place)
        action = (
            path.remove()
            if self.state is None
            else path.set([self.target_id, *self.state.to_list()])
        )
        posted = [post(self.entries)] if self.entries else []
        return [action, LaneItem.version.add(1), *posted]

    @property
    def condition(self) -> Condition:
        """What must hold of the lane's item."""
        condition: Condition = (LaneItem.version == self.lane.version) & (
            seat(self.place)[0] == self.target_id
        )
        return condition

    @property
    def after(self) -> Lane:
        """The lane once it is written, with all that is in its outbox."""
        return Lane(
            self.lane.owner,
            self.lane.number,
            self.lane.version + 1,
            outbox=[*self.lane.outbox, *self.entries],
        )
