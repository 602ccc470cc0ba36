"""Channels: where alerts go, and which of them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from chalicelib.monitoring.alert_messages import Entry
from chalicelib.monitoring.result import Reason
from chalicelib.monitoring.state import FlipKind

ROTATION_S: Final = 86_400
"""How long a signing secret goes on being used beside the one that replaced it."""


class ChannelKind(StrEnum):
    """How a channel is reached."""

    WEBHOOK = "webhook"
    EMAIL = "email"
    APPRISE = "apprise"


class Event(StrEnum):
    """What an alert tells of."""

    DOWN = "down"
    RECOVERED = "recovered"
    """The outage is over, or its target is watched no more."""
    DEGRADED = "degraded"
    TLS_EXPIRING = "tls_expiring"
    UP = "up"
    """The target is no longer degraded."""
    REMINDER = "reminder"
    TEST = "test"


EVENTS: Final = tuple(event for event in Event if event is not Event.TEST)


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """One channel of one owner. Times are epoch seconds.

    `url` (webhook, apprise) or `address` (email) say where it leads; an apprise URL is a secret.
    `secret` signs webhooks, `old_secret` too until `old_until`. An e-mail address gets nothing
    before it is confirmed. While it `rests`, as its owner is disabled, what is due waits.
    """

    owner: str
    id: str
    name: str
    kind: ChannelKind
    url: str | None = field(default=None, repr=False)
    address: str | None = None
    events: Sequence[Event] = EVENTS
    delay_s: int = 0
    repeat_s: int | None = None
    tags: Sequence[str] = ()
    secret: str | None = field(default=None, repr=False)
    old_secret: str | None = field(default=None, repr=False)
    old_until: int = 0
    confirmed_at: int | None = None
    rests: bool = False
    version: int = 1
    created_at: int
    updated_at: int

    def wants(self, event: Event) -> bool:
        """Whether it is told of such events."""
        return event is Event.TEST or event in self.events

    def covers(self, tags: Sequence[str], channel_ids: Sequence[str]) -> bool:
        """Whether it is told of a target: by name, else by tag, and without tags of everything."""
        if channel_ids:
            return self.id in channel_ids
        return not self.tags or bool(set(self.tags) & set(tags))

    def secrets(self, now: int) -> list[str]:
        """The secrets to sign with, the newest first."""
        old = self.old_secret if now < self.old_until else None
        return [secret for secret in (self.secret, old) if secret]


def event_of(entry: Entry) -> Event | None:
    """What people are told of a flip; None where they know already."""
    kind = entry.flip.kind
    if kind is FlipKind.DEGRADED:
        expiring = entry.flip.reason is Reason.TLS_EXPIRING
        return Event.TLS_EXPIRING if expiring else Event.DEGRADED
    return _EVENTS.get(kind)


_EVENTS: Final = {
    FlipKind.OPENED: Event.DOWN,
    FlipKind.FLAPPING: Event.DOWN,
    FlipKind.CLOSED: Event.RECOVERED,
    FlipKind.CANCELLED: Event.RECOVERED,
    FlipKind.RECOVERED: Event.UP,
}
