"""Channels: where alerts are sent, and which alerts."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from chalicelib.monitoring.alert_messages import Entry
from chalicelib.monitoring.result import Reason
from chalicelib.monitoring.state import FlipKind

ROTATION_S: Final = 86_400
"""How long webhooks are also signed with the previous secret after a rotation."""


class ChannelKind(StrEnum):
    """How a channel is reached."""

    WEBHOOK = "webhook"
    EMAIL = "email"
    APPRISE = "apprise"


class Event(StrEnum):
    """What an alert reports."""

    DOWN = "down"
    RECOVERED = "recovered"
    """The outage is over, or its target was paused or deleted."""
    DEGRADED = "degraded"
    TLS_EXPIRING = "tls_expiring"
    UP = "up"
    """The target is no longer degraded."""
    REMINDER = "reminder"
    STALE = "stale"
    """Recent checks are missing or UNKNOWN; only for channels that ask for it."""
    TEST = "test"
    CHANNEL_DISABLED = "channel_disabled"
    """Another channel was disabled. Every channel is told, whatever its events and tags."""


EVENTS: Final = tuple(event for event in Event if event not in (Event.TEST, Event.CHANNEL_DISABLED))
"""The events that a channel can be subscribed to."""
DEFAULT_EVENTS: Final = tuple(event for event in EVENTS if event is not Event.STALE)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelDraft:
    """The fields of a channel that its owner sets.

    `url` (webhook, apprise) or `address` (email) is the destination; an apprise URL is a secret.
    """

    name: str
    kind: ChannelKind
    url: str | None = field(default=None, repr=False)
    address: str | None = None
    events: Sequence[Event] = DEFAULT_EVENTS
    delay_s: int = 0
    repeat_s: int | None = None
    tags: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel(ChannelDraft):
    """One channel of one owner. Times are epoch seconds.

    `secret` signs webhooks, and so does `old_secret` until `old_until`. An email address receives
    no alerts before it is confirmed. While the owner is disabled the channel is `suspended`: its
    alerts wait. They also wait from `disabled_at`, when the receiver was found to be gone, until
    the channel is enabled.
    """

    owner: str
    id: str
    secret: str | None = field(default=None, repr=False)
    old_secret: str | None = field(default=None, repr=False)
    old_until: int = 0
    confirmed_at: int | None = None
    suspended: bool = False
    disabled_at: int | None = None
    disabled_reason: str | None = None
    version: int = 1
    created_at: int
    updated_at: int

    @property
    def unusable(self) -> str | None:
        """Why alerts have to wait; None if they can be sent."""
        if self.suspended:
            return "the user is disabled"
        if self.disabled_at is not None:
            return "the channel is disabled"
        if self.kind is ChannelKind.EMAIL and self.confirmed_at is None:
            return "the address is not confirmed yet"
        return None

    def wants(self, event: Event) -> bool:
        """Whether the channel is subscribed to the event."""
        return event in self.events or event not in EVENTS

    def covers(self, tags: Sequence[str], channel_ids: Sequence[str]) -> bool:
        """Whether a target with these tags and channel ids notifies the channel.

        Channel ids take precedence over tags; a channel without tags covers every target.
        """
        if channel_ids:
            return self.id in channel_ids
        return not self.tags or bool(set(self.tags) & set(tags))

    def signing_secrets(self, now: int) -> list[str]:
        """The secrets to sign with, newest first."""
        old = self.old_secret if now < self.old_until else None
        return [secret for secret in (self.secret, old) if secret]


def event_of(entry: Entry) -> Event | None:
    """The event that a flip is reported as; None for flips that are not reported."""
    if entry.flip.kind is FlipKind.DEGRADED:
        expiring = entry.flip.reason is Reason.TLS_EXPIRING
        return Event.TLS_EXPIRING if expiring else Event.DEGRADED
    return _EVENTS.get(entry.flip.kind)


_EVENTS: Final = {
    FlipKind.OPENED: Event.DOWN,
    FlipKind.FLAPPING: Event.DOWN,
    FlipKind.SETTLED: Event.DOWN,
    FlipKind.CLOSED: Event.RECOVERED,
    FlipKind.CANCELLED: Event.RECOVERED,
    FlipKind.RECOVERED: Event.UP,
}
