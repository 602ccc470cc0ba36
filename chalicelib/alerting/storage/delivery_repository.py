"""Storage of an owner's deliveries."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import count
from typing import Any, Final, NamedTuple
from zlib import crc32

from pynamodb.exceptions import DoesNotExist
from pynamodb.expressions.condition import size
from pynamodb.expressions.update import Action

from chalicelib.alerting.channel import Channel, ChannelKind, Event
from chalicelib.alerting.delivery import (
    LEASE_S,
    Attempt,
    Delivery,
    DeliveryStatus,
    Due,
    Hold,
    delivery_key,
)
from chalicelib.alerting.storage.models import DeliveryItem
from chalicelib.common.errors import NotFoundError
from chalicelib.common.ids import id_time
from chalicelib.monitoring.storage.conditional import write_if

_KEPT_S = 90 * 86_400
_WAITING = DeliveryStatus.WAITING.value
_MAX_FLIPS: Final = 2_000
"""An item has at most 400 KB, and a flip takes up to 140 B of it."""
_PARTITIONS: Final = 4
"""Partitions of the index of waiting deliveries, to spread the writes of mass failures."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of one attempt. `next_at` is the next one, `dropped` are flips not reported.

    `held`: the delivery waits for the end of a maintenance, after which its day of retries begins.
    """

    status: DeliveryStatus
    attempt: Attempt | None = None
    next_at: int | None = None
    dropped: frozenset[str] = frozenset()
    held: Hold | None = None


@dataclass(frozen=True, slots=True)
class Slot:
    """What identifies a delivery of an owner."""

    channel: Channel
    event: Event
    minute: int
    serial: str


class Deliveries:
    """The deliveries of `owner`."""

    def __init__(self, owner: str) -> None:
        self.owner = owner

    def get(self, key: str) -> Delivery | None:
        """The current delivery; None if it does not exist."""
        try:
            return _delivery(DeliveryItem.get(self.owner, key, consistent_read=True))
        except DoesNotExist:
            return None

    def find(self, channel_id: str, delivery_id: str) -> Delivery:
        """The delivery with this id; raises NotFoundError."""
        prefix = f"{channel_id}#{id_time(delivery_id):010d}#"
        items = DeliveryItem.query(
            self.owner, DeliveryItem.key.startswith(prefix), consistent_read=True
        )
        for delivery in map(_delivery, items):
            if delivery.id == delivery_id:
                return delivery
        raise NotFoundError("the delivery does not exist")

    def of_minute(self, channel_id: str, minute: int, event: Event) -> list[Delivery]:
        """The deliveries of one channel, minute and event."""
        prefix = delivery_key(channel_id, minute, event, "")
        items = DeliveryItem.query(
            self.owner, DeliveryItem.key.startswith(prefix), consistent_read=True
        )
        return [_delivery(item) for item in items]

    def since(self, channel_id: str, minute: int) -> Iterator[Delivery]:
        """The deliveries of a channel about flips since a minute, oldest first."""
        items = DeliveryItem.query(
            self.owner,
            DeliveryItem.key.between(f"{channel_id}#{minute:010d}", f"{channel_id}#~"),
            consistent_read=True,
        )
        return map(_delivery, items)

    def newest_first(self, channel_id: str, after: str | None = None) -> Iterator[Delivery]:
        """The deliveries of a channel, newest first, beginning after the key `after`."""
        key = {"owner": {"S": self.owner}, "key": {"S": after}} if after else None
        items = DeliveryItem.query(
            self.owner,
            DeliveryItem.key.startswith(f"{channel_id}#"),
            scan_index_forward=False,
            page_size=200,
            last_evaluated_key=key,
            consistent_read=True,
        )
        return map(_delivery, items)

    def join(
        self, channel: Channel, event: Event, about: frozenset[str], due: Due
    ) -> list[Delivery]:
        """Assign `about` to deliveries of their minute; returns all deliveries that contain it.

        Flips that are in a delivery already stay there, so that a repeated message does not report
        them twice. The others join the first delivery that has not been attempted yet.
        """
        joined: list[Delivery] = []
        for number in count():
            slot = Slot(channel, event, due.minute, str(number))
            delivery = self.put(slot, about, due=due.at(number), now=due.now)
            found = about & (delivery.about | delivery.dropped)
            if found:
                joined.append(delivery)
            about -= found
            if not about:
                return joined
        raise AssertionError("never reached")

    def put(
        self,
        slot: Slot,
        about: frozenset[str],
        *,
        due: int,
        now: int,
        more: Sequence[Action] = (),
    ) -> Delivery:
        """Add flips to a delivery, which is created if needed.

        Once it has been attempted or is full, its flips are fixed; it is then returned unchanged.
        """
        key = delivery_key(slot.channel.id, slot.minute, slot.event, slot.serial)
        item = DeliveryItem(self.owner, key)
        actions: list[Action] = [
            DeliveryItem.about.add(set(about)),
            DeliveryItem.kind.set(str(slot.channel.kind)),
            DeliveryItem.status.set(_WAITING),
            DeliveryItem.created_at.set(DeliveryItem.created_at | now),
            DeliveryItem.due_at.set(due),
            DeliveryItem.next_at.set(due),
            DeliveryItem.expires.set(max(now, due) + _KEPT_S),
            DeliveryItem.waiting.set(_partition(self.owner)),
            *more,
        ]
        is_open = DeliveryItem.tries.does_not_exist() & (
            DeliveryItem.about.does_not_exist() | (size(DeliveryItem.about) < _MAX_FLIPS)
        )
        if not write_if(partial(item.update, actions, condition=is_open)):
            item = DeliveryItem.get(self.owner, key, consistent_read=True)
        return _delivery(item)

    def split_held(
        self, delivery: Delivery, channel: Channel, held: Mapping[str, Hold], now: int
    ) -> list[Delivery]:
        """Move the held flips of a delivery into separate deliveries. Idempotent."""
        return self._split(delivery, channel, held, now, "h")

    def split_waiting(
        self, delivery: Delivery, channel: Channel, waiting: Mapping[str, Hold], now: int
    ) -> list[Delivery]:
        """Move the flips of a delivery that wait for other alerts, likewise."""
        return self._split(delivery, channel, waiting, now, "w")

    def _split(
        self, delivery: Delivery, channel: Channel, held: Mapping[str, Hold], now: int, prefix: str
    ) -> list[Delivery]:
        about, created, serial = frozenset(held), list[Delivery](), delivery.serial
        while about:
            serial = f"{prefix}{serial}"
            slot = Slot(channel, delivery.event, delivery.minute, serial)
            until = DeliveryItem.held_until.set(min(one.until for one in held.values()))
            due = min(one.due for one in held.values())
            delivery_of_held = self.put(slot, about, due=due, now=now, more=(until,))
            created.append(delivery_of_held)
            about -= delivery_of_held.about
        return created

    def moved_flips(self, delivery: Delivery) -> frozenset[str]:
        """The flips that earlier attempts moved out of a delivery, held or waiting."""
        moved = frozenset[str]()
        for prefix in "hw" if delivery.tries > 1 else "":
            serial = f"{prefix}{delivery.serial}"
            while found := self.get(replace(delivery, serial=serial).key):
                moved, serial = moved | found.about, f"{prefix}{serial}"
        return moved

    def renew(self, slot: Slot, about: frozenset[str], now: int) -> list[Delivery]:
        """Put those of the flips that were dropped into new deliveries, numbered after the slot.

        Flips that are in no delivery yet are left to the planner. Idempotent.
        """
        listed = self.of_minute(slot.channel.id, slot.minute, slot.event)
        planned = [one.about for one in listed]
        current = [
            one.about - one.dropped for one in listed if one.status is not DeliveryStatus.SKIPPED
        ]
        about = about.intersection(frozenset().union(*planned)).difference(*current)
        created = list[Delivery]()
        for number in count(sum(one.serial.startswith(slot.serial) for one in listed)):
            if not about:
                break
            delivery = self.put(
                replace(slot, serial=f"{slot.serial}{number}"), about, due=now, now=now
            )
            created.append(delivery)
            about -= delivery.about
        return created

    def claim(self, key: str, now: int) -> Delivery | None:
        """Lease a delivery for one attempt; None if it is not due or leased.

        The condition makes sure that of two functions with the same message only one sends it.
        """
        item = DeliveryItem(self.owner, key)
        free = DeliveryItem.leased_until.does_not_exist() | (DeliveryItem.leased_until <= now)
        actions: list[Action] = [
            DeliveryItem.tries.add(1),
            DeliveryItem.leased_until.set(now + LEASE_S),
        ]
        condition = (DeliveryItem.status == _WAITING) & (DeliveryItem.next_at <= now) & free
        is_claimed = write_if(partial(item.update, actions, condition=condition))
        return _delivery(item) if is_claimed else None

    def finish(self, delivery: Delivery, outcome: Outcome) -> bool:
        """Store the outcome of an attempt and end its lease; False if the lease was lost."""
        item = DeliveryItem(self.owner, delivery.key)
        actions: list[Action] = [
            DeliveryItem.status.set(str(outcome.status)),
            DeliveryItem.leased_until.remove(),
        ]
        if outcome.status is not DeliveryStatus.WAITING:
            actions.append(DeliveryItem.waiting.remove())
        if outcome.next_at is not None:
            actions.append(DeliveryItem.next_at.set(outcome.next_at))
        if outcome.attempt:
            attempt = outcome.attempt
            listed: Any = [[attempt.at, attempt.status_code, attempt.reason]]
            actions.append(DeliveryItem.attempts.set((DeliveryItem.attempts | []).append(listed)))
        elif outcome.next_at is not None:
            # Nothing was sent, so the pause before the next attempt must not grow.
            actions.append(DeliveryItem.tries.add(-1))
        if outcome.held:
            actions.append(DeliveryItem.held_until.set(outcome.held.until))
            actions.append(DeliveryItem.due_at.set(outcome.held.due))
        if outcome.dropped:
            actions.append(DeliveryItem.dropped.add(set(outcome.dropped)))
        is_ours = DeliveryItem.leased_until == delivery.leased_until
        return write_if(partial(item.update, actions, condition=is_ours))

    def index(self, delivery: Delivery) -> bool:
        """Add a waiting delivery to the index; it may have been stored before the index existed."""
        item = DeliveryItem(self.owner, delivery.key)
        actions: list[Action] = [DeliveryItem.waiting.set(_partition(self.owner))]
        is_waiting = DeliveryItem.status == _WAITING
        return write_if(partial(item.update, actions, condition=is_waiting))

    def reopen(self, delivery: Delivery, now: int) -> Delivery | None:
        """Attempt a delivery now and for another day; None if its status has changed."""
        actions: list[Action] = [
            DeliveryItem.status.set(_WAITING),
            DeliveryItem.tries.set(0),
            DeliveryItem.due_at.set(now),
            DeliveryItem.next_at.set(now),
            DeliveryItem.waiting.set(_partition(self.owner)),
        ]
        same = DeliveryItem.status == str(delivery.status)
        item = DeliveryItem(self.owner, delivery.key)
        return _delivery(item) if write_if(partial(item.update, actions, condition=same)) else None


class WaitingDelivery(NamedTuple):
    """An entry of the index of waiting deliveries."""

    owner: str
    key: str
    kind: ChannelKind


def waiting_deliveries(due_before: int) -> Iterator[WaitingDelivery]:
    """The deliveries of all owners with an attempt due before a time; for the system scope."""
    for partition in range(_PARTITIONS):
        due = DeliveryItem.next_at < due_before
        for item in DeliveryItem.waiting_index.query(str(partition), filter_condition=due):
            yield WaitingDelivery(item.owner, item.key, ChannelKind(item.kind))


def _partition(owner: str) -> str:
    return str(crc32(owner.encode()) % _PARTITIONS)


def _delivery(item: DeliveryItem) -> Delivery:
    channel_id, minute, event, serial = item.key.split("#")
    return Delivery(
        owner=item.owner,
        channel_id=channel_id,
        kind=ChannelKind(item.kind),
        event=Event(event),
        minute=int(minute),
        serial=serial,
        about=frozenset(item.about),
        dropped=frozenset(item.dropped or ()),
        status=DeliveryStatus(item.status),
        created_at=int(item.created_at),
        due_at=int(item.due_at),
        next_at=int(item.next_at),
        held_until=int(item.held_until or 0),
        tries=int(item.tries or 0),
        leased_until=int(item.leased_until or 0),
        attempts=[_attempt(*values) for values in item.attempts or ()],
    )


def _attempt(at: Any, status_code: Any, reason: Any) -> Attempt:
    return Attempt(int(at), None if status_code is None else int(status_code), reason)
