"""What an alert says: the same words for every kind of channel."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from chalicelib.alerting.channel import Event

MAX_ALERTED_TARGETS: Final = 20
"""Targets that an alert names; of the others it says how many they are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertedTarget:
    """What happened to one target. Times are epoch seconds, None where they do not apply.

    `since` is when the outage or the present status began, `until` when the outage ended.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One alert for one channel: `subjects` are the first of `count` targets.

    `id` is the same on every attempt; `late` says that it waited longer than the outage lasted.
    """

    id: str
    event: Event
    at: int
    subjects: Sequence[AlertedTarget] = ()
    count: int = 0
    late: bool = False

    @property
    def title(self) -> str:
        """What happened, in one line."""
        if self.event is Event.TEST:
            return "This is a test alert from Monitum"
        if self.count != 1:
            return f"{self.count} targets {_MANY[self.event]}{_over(late=self.late)}"
        subject = self.subjects[0]
        return f"{line(subject.name)} {_one(self.event, subject)}{_over(late=self.late)}"

    @property
    def lines(self) -> list[str]:
        """What is known of each target, a line for each, and how many more there are."""
        if self.event is Event.TEST:
            return ["If you can read this, alerts reach you here."]
        told = [_describe(subject) for subject in self.subjects]
        more = self.count - len(self.subjects)
        return [*told, f"and {more} more"] if more > 0 else told


def line(text: str, most: int = 200) -> str:
    """Text on one printable line, cut to `most` characters."""
    clean = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)
    return clean if len(clean) <= most else f"{clean[: most - 1]}…"


def moment(at: int) -> str:
    """Epoch seconds as people read them: 2026-11-22 06:40:04 UTC."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def span(seconds: int) -> str:
    """A duration in its two largest units: 3 h 25 min."""
    units = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))
    parts = []
    for size, name in units:
        amount, seconds = divmod(max(0, seconds), size)
        if amount:
            parts.append(f"{amount} {name}")
    return " ".join(parts[:2]) or "0 s"


_MANY: Final = {
    Event.DOWN: "are down",
    Event.RECOVERED: "have recovered",
    Event.DEGRADED: "are degraded",
    Event.TLS_EXPIRING: "have certificates that expire soon",
    Event.UP: "are no longer degraded",
    Event.REMINDER: "are still down",
}
_ONE: Final = {
    Event.DOWN: "is down",
    Event.RECOVERED: "has recovered",
    Event.DEGRADED: "is degraded",
    Event.TLS_EXPIRING: "has a certificate that expires soon",
    Event.UP: "is no longer degraded",
    Event.REMINDER: "is still down",
}
_OWN_WORDS: Final = {
    "FLAPPING": "is flapping: it changes too often to tell of every change",
    "PAUSED": "was paused: its incident is closed",
    "DELETED": "was deleted: its incident is closed",
}


def _over(*, late: bool) -> str:
    return " (this is late: it is over)" if late else ""


def _one(event: Event, subject: AlertedTarget) -> str:
    words = _OWN_WORDS.get(subject.status, _ONE[event])
    if event is Event.RECOVERED and subject.until is not None:
        return f"{words} after {span(subject.until - subject.since)}"
    return words


def _describe(subject: AlertedTarget) -> str:
    where = f" ({line(subject.url)})" if subject.url else ""
    since = f"since {moment(subject.since)}"
    until = f", until {moment(subject.until)}" if subject.until is not None else ""
    error = f": {line(subject.error)}" if subject.error else ""
    return f"{line(subject.name)}{where} {since}{until}{error}"
