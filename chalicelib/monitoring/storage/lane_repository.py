"""An owner's lanes: who sits where, and in which state."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence

from pynamodb.exceptions import PutError, UpdateError
from pynamodb.expressions.operand import Path
from pynamodb.expressions.update import Action, RemoveAction, SetAction

from chalicelib.monitoring.alert_messages import Entry
from chalicelib.monitoring.lane import Lane, Place
from chalicelib.monitoring.secrets import Secrets
from chalicelib.monitoring.state_machine import State, Status
from chalicelib.monitoring.storage.models import LaneItem, SecretsItem

_LANE = "lane:"
_SECRETS = "secrets:"


def lane_key(number: int) -> str:
    """The sort key of a lane's item."""
    return f"{_LANE}{number:04d}"


def secrets_key(number: int) -> str:
    """The sort key of the item with a lane's secrets."""
    return f"{_SECRETS}{number:04d}"


def seat(place: int) -> Path:
    """The path to a place in a lane's item, or in its secrets."""
    return Path(["places", str(place)])


def post(entries: Sequence[Entry]) -> SetAction | RemoveAction:
    """The action that puts flips into a lane's outbox."""
    outbox = Path(["outbox"])
    return outbox.set((outbox | []).append([entry.to_json() for entry in entries]))


class Lanes:
    """The lanes of `owner`."""

    def __init__(self, owner: str) -> None:
        self.owner = owner

    def all(self) -> list[Lane]:
        """Every lane, in order: one query, a call for each 1 MB (some 250 lanes)."""
        items = LaneItem.query(self.owner, LaneItem.key.startswith(_LANE), consistent_read=True)
        return [_lane(item) for item in items]

    def standings(self) -> Iterator[tuple[str, Status, int]]:
        """Of every target its id, its status and since when, at half the price of `all`.

        What changed within the last moment may be missing.
        """
        beginning = LaneItem.key.startswith(_LANE)
        for item in LaneItem.raw_query(self.owner, attributes=["places"], condition=beginning):
            for seat in item["places"]["M"].values():
                target_id, status, since = seat["L"][:3]
                yield target_id["S"], Status(status["S"]), int(since["N"])

    def get(self, number: int) -> Lane:
        """The lane as it is now; an empty one where there is none."""
        return self.some([number])[number]

    def some(self, numbers: Iterable[int]) -> dict[int, Lane]:
        """The lanes of these numbers as they are now, in one call for each hundred."""
        lanes = read_lanes((self.owner, number) for number in numbers)
        return {lane.number: lane for lane in lanes.values()}

    def open(self, number: int, shard: int = 0) -> None:
        """Make the lane and the item for its secrets; harmless where they are there."""
        for item in (
            LaneItem(self.owner, lane_key(number), version=0, places={}, shard=str(shard)),
            SecretsItem(self.owner, secrets_key(number), places={}),
        ):
            try:
                item.save(condition=type(item).key.does_not_exist())
            except PutError as error:
                if error.cause_response_code != "ConditionalCheckFailedException":
                    raise

    def write(self, lane: Lane, states: Mapping[int, State], entries: Sequence[Entry] = ()) -> bool:
        """Store the changed `states` by place, and the flips they make with them.

        False where `lane` is not the present one.
        """
        item = LaneItem(self.owner, lane_key(lane.number))
        actions = [
            seat(place).set([lane.places[place].target_id, *state.to_list()])
            for place, state in states.items()
        ]
        if entries:
            actions.append(post(entries))
        try:
            item.update(
                [*actions, LaneItem.version.add(1)], condition=LaneItem.version == lane.version
            )
        except UpdateError as error:
            if error.cause_response_code != "ConditionalCheckFailedException":
                raise
            return False
        return True

    def rest(self, number: int, *, rests: bool) -> None:
        """Have a lane rest, or wake it. Its version stays, as its states do."""
        actions: list[Action] = [LaneItem.rests.set(True) if rests else LaneItem.rests.remove()]
        LaneItem(self.owner, lane_key(number)).update(actions, condition=LaneItem.key.exists())

    def backfill(self, lane: Lane) -> None:
        """Have a lane found by its shard, where it has been without. Its version stays."""
        item = LaneItem(self.owner, lane_key(lane.number))
        item.update([LaneItem.shard.set(str(lane.shard))], condition=LaneItem.key.exists())

    def empty_outbox(self, lane: Lane) -> None:
        """Empty the outbox, unless the lane was written after `lane`."""
        item = LaneItem(self.owner, lane_key(lane.number))
        try:
            item.update([LaneItem.outbox.remove()], condition=LaneItem.version == lane.version)
        except UpdateError as error:
            if error.cause_response_code != "ConditionalCheckFailedException":
                raise


def read_lanes(keys: Iterable[tuple[str, int]]) -> dict[tuple[str, int], Lane]:
    """Lanes of several owners, `(owner, number)`, as they are now; a call for each hundred."""
    wanted = list(dict.fromkeys(keys))
    items = LaneItem.batch_get(
        [(owner, lane_key(number)) for owner, number in wanted], consistent_read=True
    )
    found = {(lane.owner, lane.number): lane for lane in map(_lane, items)}
    return {key: found.get(key) or Lane(*key) for key in wanted}


def lanes_of_shard(shard: int) -> Iterator[tuple[str, int]]:
    """All lanes of a shard, `(owner, number)`, whoever's they are."""
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


def _lane(item: LaneItem) -> Lane:
    places = {
        int(place): Place(values[0], State.from_list(values[1:]))
        for place, values in item.places.as_dict().items()
    }
    outbox = [Entry.from_json(text) for text in item.outbox or ()]
    return Lane(
        item.owner,
        number_of(item.key),
        int(item.version),
        places,
        outbox,
        shard=int(item.shard or 0),
        calendar=int(item.calendar or 0),
        rests=bool(item.rests),
        is_listed=item.shard is not None,
    )
