"""An owner's lanes: which target has which place, and its state."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.operand import Path
from pynamodb.expressions.update import Action, RemoveAction, SetAction

from chalicelib.monitoring.alert_messages import Entry
from chalicelib.monitoring.lane import Definition, Lane, Place
from chalicelib.monitoring.secrets import Secrets
from chalicelib.monitoring.state_machine import State
from chalicelib.monitoring.storage.conditional import write_if
from chalicelib.monitoring.storage.models import LaneItem, SecretsItem

_LANE = "lane:"
_SECRETS = "secrets:"


def lane_key(number: int) -> str:
    """The sort key of a lane's item."""
    return f"{_LANE}{number:04d}"


def secrets_key(number: int) -> str:
    """The sort key of the item with a lane's secrets."""
    return f"{_SECRETS}{number:04d}"


def place_path(place: int) -> Path:
    """The path to a place in a lane's item, or in its secrets."""
    return Path(["places", str(place)])


def _append_to_outbox(entries: Sequence[Entry]) -> SetAction | RemoveAction:
    outbox = Path(["outbox"])
    return outbox.set((outbox | []).append([entry.to_json() for entry in entries]))


@dataclass(frozen=True, slots=True)
class PlaceUpdate:
    """A target's new definition and state in its place, with the flips it causes.

    Both are None if the target is deleted, which frees the place. A changed state is conditional on
    `lane` as it was read: it fails if a check changes a state in the meantime.
    """

    lane: Lane
    target_id: str
    place: int
    state: State | None
    definition: Definition | None = None
    entries: Sequence[Entry] = ()

    @property
    def changes_state(self) -> bool:
        return self.state != self.lane.state_of(self.target_id, self.place)

    @property
    def actions(self) -> list[Action]:
        """The update of the lane's item, which makes state updates computed before it fail."""
        actions: list[Action] = [LaneItem.version.add(1), *self._definition_actions()]
        if self.changes_state:
            path, state = place_path(self.place), self.state
            actions.append(path.set([self.target_id, *state.to_list()]) if state else path.remove())
        if self.entries:
            actions.append(_append_to_outbox(self.entries))
        return actions

    def _definition_actions(self) -> list[Action]:
        path = Path(["definitions", str(self.place)])
        if self.definition is None:
            return [path.remove()] if self.place in (self.lane.definitions or {}) else []
        stored = self.definition.to_list()
        if self.lane.definitions is None:
            return [LaneItem.definitions.set({str(self.place): stored})]
        return [path.set(stored)]

    @property
    def condition(self) -> Condition:
        """The condition on the lane's item."""
        definitions = LaneItem.definitions
        condition: Condition = place_path(self.place)[0] == self.target_id
        # Within a map that does not exist, nothing can be set or removed.
        condition &= (
            definitions.does_not_exist() if self.lane.definitions is None else definitions.exists()
        )
        if self.changes_state:
            condition &= LaneItem.version == self.lane.version
        return condition

    @property
    def after(self) -> Lane:
        """The lane after the update, with its whole outbox."""
        outbox = [*self.lane.outbox, *self.entries]
        return Lane(self.lane.owner, self.lane.number, self.lane.version + 1, outbox=outbox)


class Lanes:
    """The lanes of `owner`."""

    def __init__(self, owner: str) -> None:
        self.owner = owner

    def all(self) -> list[Lane]:
        """Every lane, in order: one query, with a call per 1 MB (about 250 lanes)."""
        items = LaneItem.query(self.owner, LaneItem.key.startswith(_LANE), consistent_read=True)
        return [_lane(item) for item in items]

    def get(self, number: int) -> Lane:
        """The current lane; an empty one if it does not exist."""
        return self.some([number])[number]

    def some(self, numbers: Iterable[int]) -> dict[int, Lane]:
        """The current lanes with these numbers, in one call per hundred."""
        lanes = read_lanes((self.owner, number) for number in numbers)
        return {lane.number: lane for lane in lanes.values()}

    def open(self, number: int, shard: int = 0) -> None:
        """Create the lane and the item for its secrets, unless they exist."""
        for item in (
            LaneItem(self.owner, lane_key(number), version=0, places={}, shard=str(shard)),
            SecretsItem(self.owner, secrets_key(number), places={}),
        ):
            write_if(partial(item.save, condition=type(item).key.does_not_exist()))

    def write(self, lane: Lane, states: Mapping[int, State], entries: Sequence[Entry] = ()) -> bool:
        """Store the changed `states` by place, together with the flips they cause.

        Returns False if `lane` is outdated: two workers may handle the same lane, and each must
        apply its results to the state it has read.
        """
        actions: list[Action] = [
            place_path(place).set([lane.places[place].target_id, *state.to_list()])
            for place, state in states.items()
        ]
        if entries:
            actions.append(_append_to_outbox(entries))
        actions.append(LaneItem.version.add(1))
        return self._update_unchanged(lane, actions)

    def suspend(self, number: int, now: int, *, suspended: bool) -> None:
        """Suspend a lane or end its suspension. Its version and states do not change."""
        rests, item = LaneItem.rests, LaneItem(self.owner, lane_key(number))
        if suspended:
            item.update([rests.set(True)], condition=LaneItem.key.exists())
        else:
            actions: list[Action] = [rests.remove(), LaneItem.resumed_at.set(now)]
            write_if(partial(item.update, actions, condition=rests.exists()))

    def backfill(self, lane: Lane) -> None:
        """Add a lane without a shard to the index of shards. Its version does not change."""
        item = LaneItem(self.owner, lane_key(lane.number))
        item.update([LaneItem.shard.set(str(lane.shard))], condition=LaneItem.key.exists())

    def empty_outbox(self, lane: Lane) -> None:
        """Empty the outbox, unless the lane was written after `lane` was read."""
        self._update_unchanged(lane, [LaneItem.outbox.remove()])

    def _update_unchanged(self, lane: Lane, actions: list[Action]) -> bool:
        item = LaneItem(self.owner, lane_key(lane.number))
        return write_if(lambda: item.update(actions, condition=LaneItem.version == lane.version))


def read_lanes(keys: Iterable[tuple[str, int]]) -> dict[tuple[str, int], Lane]:
    """The current lanes of several owners by `(owner, number)`, in one call per hundred."""
    wanted = list(dict.fromkeys(keys))
    items = LaneItem.batch_get(
        [(owner, lane_key(number)) for owner, number in wanted], consistent_read=True
    )
    found = {(lane.owner, lane.number): lane for lane in map(_lane, items)}
    return {key: found.get(key) or Lane(*key) for key in wanted}


def lanes_of_shard(shard: int) -> Iterator[tuple[str, int]]:
    """All lanes of a shard, of every owner, as `(owner, number)`."""
    for item in LaneItem.shards_index.query(str(shard), page_size=1000):
        yield item.owner, number_of(item.key)


def read_secrets(keys: Iterable[tuple[str, int]]) -> dict[tuple[str, int], dict[int, Secrets]]:
    """The secrets of lanes of several owners: `{(owner, number): {place: secrets}}`."""
    items = SecretsItem.batch_get(
        [(owner, secrets_key(number)) for owner, number in dict.fromkeys(keys)],
        consistent_read=True,
    )
    return {
        (item.owner, number_of(item.key)): {
            int(place): Secrets.from_json(json.loads(text))
            for place, text in item.places.as_dict().items()
        }
        for item in items
    }


def number_of(key: str) -> int:
    return int(key.rpartition(":")[2])


def _definitions(item: LaneItem) -> dict[int, Definition] | None:
    if item.definitions is None:
        return None
    stored = item.definitions.as_dict()
    return {int(place): Definition.from_list(values) for place, values in stored.items()}


def _lane(item: LaneItem) -> Lane:
    return Lane(
        item.owner,
        number_of(item.key),
        int(item.version),
        places={
            int(place): Place(values[0], State.from_list(values[1:]))
            for place, values in item.places.as_dict().items()
        },
        outbox=[Entry.from_json(text) for text in item.outbox or ()],
        shard=int(item.shard or 0),
        calendar=int(item.calendar or 0),
        is_suspended=bool(item.rests),
        resumed_at=int(item.resumed_at or 0),
        is_indexed=item.shard is not None,
        definitions=_definitions(item),
    )
