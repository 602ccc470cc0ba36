"""Deliveries: alerts on their way to one channel, and when they are tried.

A delivery carries what happened to targets of an owner within one minute, for one channel. The
first in a minute leaves at once, or at the end of the minute where many targets are concerned; what
comes after it has left is gathered until the end of the minute. So a mass failure makes one alert,
at most two, and a single failure does not wait.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from chalicelib.alerting.channel import ChannelKind, Event
from chalicelib.common.ids import derived_id
from chalicelib.monitoring.alert_messages import Entry

MINUTE_S: Final = 60
MANY: Final = 5
"""From this many targets in one go the rest of the minute is waited for."""
LASTS_S: Final = 86_400
"""For how long a delivery is tried."""
LEASE_S: Final = 30
"""For how long one try keeps others from trying: longer than any takes, and shorter than the queue
hides its message, so that a try that died is free again when the message comes again.
"""
_FIRST_S, _LONGEST_S, _SETTLE_S = 10, 3_600, 5
_QUICK_S: Final = 300


class DeliveryStatus(StrEnum):
    """How far a delivery got."""

    WAITING = "waiting"
    SENT = "sent"
    FAILED = "failed"
    SKIPPED = "skipped"
    """There was nothing to tell any more."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try: when, the status code where there was an answer, else a short reason."""

    at: int
    status_code: int | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One delivery. `about` names flips, see `reference`; `dropped` those that were left out.

    `held_until` is the end of the maintenance that it has waited for, 0 for none.
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
        """The same on every attempt: what a receiver tells doubles by."""
        return derived_id(self.minute, "delivery", self.owner, self.key)


def delivery_key(channel_id: str, minute: int, event: Event, serial: str) -> str:
    """Where it is stored beneath its owner: by channel, in the order of time."""
    return f"{channel_id}#{minute:010d}#{event}#{serial}"


def minute_of(at: int) -> int:
    """The beginning of the minute of a time."""
    return at // MINUTE_S * MINUTE_S


def reference(entry: Entry) -> str:
    """A flip's name: what it is recorded under, what it is and when."""
    flip = entry.flip
    return f"{record_key(entry)}|{flip.kind}|{flip.at}"


def record_key(entry: Entry) -> str:
    """Where a flip is recorded beneath its owner: in its incident, or alone."""
    flip = entry.flip
    if flip.opened_at is None:
        return f"notice#{flip.at:010d}#{entry.target_id}"
    return f"{flip.opened_at:010d}#{entry.target_id}"


def is_beginning(reference: str) -> bool:
    """Whether the flip of this name opened its incident: it is as old as that."""
    key, _, at = read_reference(reference)
    return key.startswith(f"{at:010d}#")


def read_reference(text: str) -> tuple[str, str, int]:
    """The record's key, the kind and the time in a flip's name."""
    key, kind, at = text.split("|")
    return key, kind, int(at)


@dataclass(frozen=True, slots=True)
class Due:
    """When flips of a minute are to be told: `count` of them, the last one not before `ripe_at`."""

    minute: int
    count: int
    now: int
    ripe_at: int = 0

    def at(self, place: int) -> int:
        """When the delivery in this place of the minute is due: 0 is the first."""
        gathers = place or self.count >= MANY
        gathered = self.minute + MINUTE_S + _SETTLE_S if gathers else 0
        return max(self.now, gathered, self.ripe_at)


def next_attempt(
    tries: int, due: int, now: int, chance: float, not_before: int | None = None
) -> int | None:
    """When to try again after `tries` failures; None when it has been tried for a day.

    `chance` in [0, 1) spreads the tries: half of the exponential pause is certain. `not_before` is
    what the receiver asked for; where that is beyond the day, it is tried once more at its end.
    """
    pause: int = min(_FIRST_S * 2 ** (tries - 1), _LONGEST_S)
    at = now + round(pause * (0.5 + chance / 2))
    last = due + LASTS_S - 1
    if at > last:
        return None
    return max(at, min(not_before or 0, last))


@dataclass(frozen=True, slots=True)
class Hold:
    """What is held as its target is in maintenance: until when, and when it is due after that."""

    until: int
    due: int


def hold(until: int, interval_s: int) -> Hold:
    """What is to be told of a target in maintenance waits until it was checked once behind its end.

    Only then it is known whether an outage has lasted. Targets that are checked more seldom than
    each five minutes are not waited for.
    """
    return Hold(until, until + settling_s(interval_s) + _SETTLE_S)


def settling_s(interval_s: int) -> int:
    """For how long after a maintenance an outage may still end as if within it."""
    return interval_s if interval_s <= _QUICK_S else 0


def is_permanent(status_code: int) -> bool:
    """Whether asking again would bring the same answer: 3xx, as no redirect is followed, and 4xx.

    408 (timeout) and 429 (too many) ask for another try.
    """
    return 300 <= status_code < 500 and status_code not in (408, 429)
