"""Deliveries: one alert for one channel, and when it is sent and retried.

A delivery reports the flips of an owner's targets within one minute to one channel. The first
delivery of a minute is sent immediately, the second within seconds, and the third at the end of the
minute, when every delivery with many targets is sent. So a single failure is reported at once, and
a mass failure causes one to three alerts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from chalicelib.alerting.channel import ChannelKind, Event
from chalicelib.common.ids import derived_id
from chalicelib.monitoring.alert_messages import Entry

MINUTE_S: Final = 60
_MANY: Final = 5
"""From this many targets at once, an alert waits for the end of the minute."""
_GATHER_S: Final = 8
"""How long the second alert of a minute waits at most, to combine the flips that follow."""
RETRY_FOR_S: Final = 86_400
LEASE_S: Final = 30
"""How long one attempt locks a delivery: longer than any attempt takes, but shorter than the
queue's visibility timeout, so that a crashed attempt's lease has expired when its message returns.
"""
_FIRST_PAUSE_S, _MAX_PAUSE_S, _SETTLE_S = 10, 3_600, 5
_MAX_SETTLE_INTERVAL_S: Final = 300


class DeliveryStatus(StrEnum):
    """The progress of a delivery."""

    WAITING = "waiting"
    SENT = "sent"
    FAILED = "failed"
    SKIPPED = "skipped"
    """There was nothing left to report, or the channel was not usable for a day."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt, with the status code of the response or else a short reason."""

    at: int
    status_code: int | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One delivery. `about` are flip references, `dropped` the ones that are not reported.

    `held_until` is the end of the maintenance that the delivery waited for, 0 for none.
    """

    owner: str
    channel_id: str
    kind: ChannelKind
    event: Event
    minute: int
    serial: str
    about: frozenset[str]
    dropped: frozenset[str] = frozenset()
    status: DeliveryStatus = DeliveryStatus.WAITING
    created_at: int
    due_at: int
    next_at: int
    held_until: int = 0
    tries: int = 0
    leased_until: int = 0
    attempts: Sequence[Attempt] = ()

    @property
    def key(self) -> str:
        return delivery_key(self.channel_id, self.minute, self.event, self.serial)

    @property
    def id(self) -> str:
        """The same on every attempt, so that receivers can drop duplicates."""
        return derived_id(self.minute, "delivery", self.owner, self.key)


def delivery_key(channel_id: str, minute: int, event: Event, serial: str) -> str:
    """The sort key of a delivery: by channel, then by time."""
    return f"{channel_id}#{minute:010d}#{event}#{serial}"


def minute_of(at: int) -> int:
    """The start of the minute that contains a time."""
    return at // MINUTE_S * MINUTE_S


def flip_reference(entry: Entry) -> str:
    """The reference of a flip: the key of its record, its kind and its time."""
    flip = entry.flip
    return f"{record_key(entry)}|{flip.kind}|{flip.at}"


def record_key(entry: Entry) -> str:
    """The sort key of the item that records a flip: its incident, or its own if it has none."""
    flip = entry.flip
    if flip.opened_at is None:
        return f"notice#{flip.at:010d}#{entry.target_id}"
    return f"{flip.opened_at:010d}#{entry.target_id}"


def refers_to_opening(reference: str) -> bool:
    """Whether the flip opened its incident, that is, happened when the incident opened."""
    key, _, at = parse_reference(reference)
    return key.startswith(f"{at:010d}#")


def parse_reference(text: str) -> tuple[str, str, int]:
    """Return the record key, the kind and the time in a flip's reference."""
    key, kind, at = text.split("|")
    return key, kind, int(at)


@dataclass(frozen=True, slots=True)
class Due:
    """When to report `count` flips of a minute; `not_before` is when the channel's delay ends."""

    minute: int
    count: int
    now: int
    not_before: int = 0

    def at(self, number: int) -> int:
        """When the minute's delivery with this number, from 0, is due."""
        due = max(self.now, self.not_before)
        end_of_minute = max(due, self.minute + MINUTE_S + _SETTLE_S)
        if number > 1 or self.count >= _MANY:
            return end_of_minute
        # Rounded up, so that flips that join the delivery do not postpone it.
        soon = -(-(self.now + 1) // _GATHER_S) * _GATHER_S
        return min(max(due, soon), end_of_minute) if number else due


def next_attempt(
    tries: int, due: int, now: int, chance: float, not_before: int | None = None
) -> int | None:
    """When to retry after `tries` failures; None after a day of retries.

    `chance` in [0, 1) is the jitter: it scales half of the exponential pause. `not_before` is the
    receiver's Retry-After; if that is more than a day away, the last attempt is at the day's end.
    """
    pause: int = min(_FIRST_PAUSE_S * 2 ** (tries - 1), _MAX_PAUSE_S)
    at = now + round(pause * (0.5 + chance / 2))
    last = due + RETRY_FOR_S - 1
    if at > last:
        return None
    return max(at, min(not_before or 0, last))


@dataclass(frozen=True, slots=True)
class Hold:
    """A flip is held because its target is in maintenance `until`; it is `due` after that."""

    until: int
    due: int


def hold_for_maintenance(until: int, interval_s: int) -> Hold:
    """Hold a flip until the first check after the maintenance.

    Only that check shows whether an outage has outlasted the maintenance. Targets with an interval
    above five minutes are not waited for.
    """
    return Hold(until, until + settling_s(interval_s) + _SETTLE_S)


def settling_s(interval_s: int) -> int:
    """How long after a maintenance an outage that ends counts as having ended within it."""
    return interval_s if interval_s <= _MAX_SETTLE_INTERVAL_S else 0
