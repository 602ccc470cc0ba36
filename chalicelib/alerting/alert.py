"""The text of an alert, the same for every kind of channel."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from chalicelib.alerting.channel import Event

MAX_LISTED_TARGETS: Final = 20
"""Targets that emails and chat messages list; they link to the others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertedTarget:
    """What happened to one target. Times are epoch seconds, None where they do not apply.

    `since` is when the outage (its first failing check) or the current status began, `until` when
    the outage ended.
    """

    target_id: str
    name: str
    url: str
    status: str
    since: int
    until: int | None = None
    incident_id: str | None = None
    reason: str | None = None
    error: str | None = None
    status_code: int | None = None


@dataclass(frozen=True, slots=True)
class DisabledChannel:
    """The channel that an alert reports as disabled."""

    id: str
    name: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One alert for one channel.

    `id` is the same on every attempt; `late` is set if the outages were over before it was sent.
    `public_url` is where the dashboard is, for links; empty if that is unknown.
    """

    id: str
    event: Event
    at: int
    targets: Sequence[AlertedTarget] = ()
    late: bool = False
    disabled: DisabledChannel | None = None
    public_url: str = ""

    @property
    def count(self) -> int:
        return len(self.targets)

    def link(self, target: AlertedTarget) -> str | None:
        return target_link(self.public_url, target)

    @property
    def title(self) -> str:
        """What happened, in one line."""
        if self.event is Event.TEST:
            return "This is a test alert from Monitum"
        if self.disabled:
            return f"The channel {one_line(self.disabled.name)} is disabled: {self.disabled.reason}"
        late = " (late alert: already over)" if self.late else ""
        if self.count != 1:
            again = sum(bool(_again(self.event, target)) for target in self.targets)
            more = f", {again} of them failed again" if again else ""
            return f"{self.count} targets {_PREDICATES[self.event][1]}{more}{late}"
        target = self.targets[0]
        return f"{one_line(target.name)} {_predicate(self.event, target)}{late}"

    @property
    def entries(self) -> list[tuple[str, str | None]]:
        """The listed targets, each with its link, and how many more there are."""
        if self.event is Event.TEST:
            return [("If you can read this, alerts reach this channel.", None)]
        if self.disabled:
            link = f"{self.public_url}/#/channels/{self.disabled.id}" if self.public_url else None
            return [("Its alerts wait until it is enabled again.", link)]
        listed = self.targets[:MAX_LISTED_TARGETS]
        entries = [(_describe(self.event, target), self.link(target)) for target in listed]
        if self.count == len(listed):
            return entries
        link = f"{self.public_url}/#/incidents" if self.public_url else None
        return [*entries, (f"and {self.count - len(listed)} more", link)]

    @property
    def lines(self) -> list[str]:
        """The entries as text, each link below its target."""
        return [line for entry in self.entries for line in entry if line]


def target_link(public_url: str, target: AlertedTarget) -> str | None:
    """The page of a target's incident or, without an incident, of the target."""
    if not public_url:
        return None
    if target.incident_id:
        return f"{public_url}/#/incidents/{target.incident_id}"
    return f"{public_url}/#/targets/{target.target_id}"


def one_line(text: str, max_length: int = 200) -> str:
    """Replace unprintable characters and cut the text to `max_length`."""
    clean = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)
    return clean if len(clean) <= max_length else f"{clean[: max_length - 1]}…"


def format_time(at: int) -> str:
    """Format epoch seconds for people: 2026-11-22 06:40:04 UTC."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def format_duration(seconds: int) -> str:
    """Format a duration in its two largest units: 3 h 25 min."""
    parts = []
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")):
        amount, seconds = divmod(max(0, seconds), size)
        if amount:
            parts.append(f"{amount} {unit}")
    return " ".join(parts[:2]) or "0 s"


# What the title says of one target, and of several.
_PREDICATES: Final = {
    Event.DOWN: ("is down", "are down"),
    Event.RECOVERED: ("has recovered", "have recovered"),
    Event.DEGRADED: ("is degraded", "are degraded"),
    Event.TLS_EXPIRING: (
        "has a certificate that expires soon",
        "have certificates that expire soon",
    ),
    Event.UP: ("is no longer degraded", "are no longer degraded"),
    Event.REMINDER: ("is still down", "are still down"),
    Event.STALE: ("has no recent check results", "have no recent check results"),
}
_STATUS_PREDICATES: Final = {
    "FLAPPING": "is flapping: its status changes too often to alert on every change",
    "PAUSED": "was paused and its incident closed",
    "DELETED": "was deleted and its incident closed",
}

_NOTES: Final = {"FLAPPING": "is flapping", "PAUSED": "was paused", "DELETED": "was deleted"}
_AGAIN: Final = {"DOWN": "is down again", "FLAPPING": "is flapping now"}
"""What a recovery adds if the target's next incident was reported first."""


def _predicate(event: Event, target: AlertedTarget) -> str:
    if event is Event.REMINDER and target.status == "FLAPPING":
        return "is still flapping"
    again = _again(event, target)
    text = "had recovered" if again else _PREDICATES[event][0]
    if not again:
        text = _STATUS_PREDICATES.get(target.status, text)
    if event is Event.RECOVERED and target.until is not None:
        text = f"{text} after {format_duration(target.until - target.since)}"
    return f"{text} but {again}" if again else text


def _again(event: Event, target: AlertedTarget) -> str | None:
    return _AGAIN.get(target.status) if event is Event.RECOVERED else None


def _describe(event: Event, target: AlertedTarget) -> str:
    url = f" ({one_line(target.url)})" if target.url else ""
    start, end = format_time(target.since), target.until
    period = f"since {start}" if end is None else f"from {start} to {format_time(end)}"
    error = f": {one_line(target.error)}" if target.error else ""
    note = _again(event, target) or _NOTES.get(target.status)
    return f"{one_line(target.name)}{url} {period}{f', {note}' if note else ''}{error}"
