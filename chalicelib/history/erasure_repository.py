"""Histories of deleted targets that are yet to be erased, and what takes them out of the tables."""

from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from pynamodb.exceptions import DeleteError, UpdateError
from pynamodb.expressions.update import Action

from chalicelib.alerting.delivery import Delivery
from chalicelib.alerting.storage.models import DeliveryItem, IncidentItem
from chalicelib.history.models import ErasureItem
from chalicelib.history.rollups.repository import Rollup
from chalicelib.monitoring.storage.models import LaneItem, RollupItem
from chalicelib.monitoring.target import Target

_ERASE, _SHARD = "erase:", "erase"
_CHANGED = "ConditionalCheckFailedException"


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """The history of one deleted target; times are epoch seconds, see ErasureItem."""

    owner: str
    target_id: str
    lane: int
    place: int
    created_at: int
    deleted_at: int
    cursor: int
    results_done_at: int | None = None


def ordered(target: Target, now: int) -> ErasureItem:
    """What is stored with the deletion of a target."""
    return ErasureItem(
        target.owner,
        f"{_ERASE}{target.id}",
        shard=_SHARD,
        lane=target.lane,
        place=target.spec.place,
        created_at=target.created_at,
        deleted_at=now,
        cursor=target.created_at,
    )


def all_erasures() -> Iterator[str]:
    """The owner of every erasure that is not finished; for the system scope."""
    for item in LaneItem.shards_index.query(_SHARD, page_size=1000):
        yield item.owner


class Erasures:
    """The erasures of `owner`."""

    def __init__(self, owner: str) -> None:
        self.owner = owner

    def by_lane(self) -> dict[int, list[Erasure]]:
        """The erasures that are not finished, by lane."""
        found = defaultdict(list)
        for item in ErasureItem.query(
            self.owner, ErasureItem.key.startswith(_ERASE), consistent_read=True
        ):
            found[int(item.lane)].append(_erasure(item))
        return dict(found)

    def advance(self, erasure: Erasure, cursor: int, done_at: int | None = None) -> None:
        """Remember that results before `cursor` are erased, at the end when all were."""
        actions: list[Action] = [ErasureItem.cursor.set(cursor)]
        if done_at is not None:
            actions.append(ErasureItem.results_done_at.set(done_at))
        item = ErasureItem(self.owner, f"{_ERASE}{erasure.target_id}")
        item.update(actions, condition=ErasureItem.key.exists())

    def finish(self, erasure: Erasure) -> None:
        """Forget the erasure: nothing is left to erase."""
        ErasureItem(self.owner, f"{_ERASE}{erasure.target_id}").delete()


def _erasure(item: ErasureItem) -> Erasure:
    done_at = item.results_done_at
    return Erasure(
        owner=item.owner,
        target_id=item.key.removeprefix(_ERASE),
        lane=int(item.lane),
        place=int(item.place),
        created_at=int(item.created_at),
        deleted_at=int(item.deleted_at),
        cursor=int(item.cursor),
        results_done_at=None if done_at is None else int(done_at),
    )


def erase_rollup(lane_month: str, period: str, places: Collection[int]) -> bool:
    """Remove places from a rollup; returns False if it was changed in the meantime."""
    for item in RollupItem.query(lane_month, RollupItem.period == period, consistent_read=True):
        start = int(period.partition("#")[2])
        segments = Rollup(start, bytes(item.pieces), int(item.results)).segments
        if segments.keys().isdisjoint(places):
            return True
        for place in places:
            segments.pop(place, None)
        unchanged = RollupItem.pieces == item.pieces
        try:
            if segments:
                left = Rollup.of(start, segments, int(item.results))
                summary = RollupItem.together.set(left.summary)
                item.update([RollupItem.pieces.set(left.packed), summary], condition=unchanged)
            else:
                item.delete(condition=unchanged)
        except (UpdateError, DeleteError) as error:
            if error.cause_response_code != _CHANGED:
                raise
            return False
    return True


def erase_incident(owner: str, key: str) -> None:
    """Delete an incident, or a flip that is kept for its alert."""
    IncidentItem(owner, key).delete()


def erase_delivery(delivery: Delivery, references: frozenset[str]) -> None:
    """Take flips out of a delivery; one that is about nothing else goes altogether."""
    item = DeliveryItem(delivery.owner, delivery.key)
    if references == delivery.about:
        item.delete()
        return
    gone = set(references)
    item.update(
        [DeliveryItem.about.delete(gone), DeliveryItem.dropped.delete(gone)],
        condition=DeliveryItem.key.exists(),
    )
