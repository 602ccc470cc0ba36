"""Flips on their way from a lane to the alerts, and the messages that carry them.

A flip waits in its lane's outbox, written together with the state it comes from, until it is sent.
Nothing here is secret: error texts were redacted before they got here.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from chalicelib.monitoring.result import Reason
from chalicelib.monitoring.state import Flip, FlipKind, Status

_VERSION: Final = 1
CHAT: Final = "chat"
"""The watchdog's path through the function for chat services."""


class UnreadableMessageError(Exception):
    """A message of the alerts queues has an unknown kind or version."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One flip of one target, with what its check found.

    `name` is set where the flip deletes its target, whose name can no longer be read.
    """

    target_id: str
    flip: Flip
    error: str | None = None
    status_code: int | None = None
    name: str | None = None

    def to_json(self) -> str:
        """The stored form; fields without a value are left out."""
        flip = self.flip
        fields: dict[str, Any] = {
            "target": self.target_id,
            "kind": flip.kind,
            "from": flip.from_status,
            "to": flip.to_status,
            "at": flip.at,
            "reason": flip.reason,
            "first_failed_at": flip.first_failed_at,
            "opened_at": flip.opened_at,
            "error": self.error,
            "status_code": self.status_code,
            "name": self.name,
        }
        return _dump({name: value for name, value in fields.items() if value is not None})

    @classmethod
    def from_json(cls, text: str) -> "Entry":
        """Read what `to_json` wrote; fields of a later version are ignored."""
        fields: Mapping[str, Any] = json.loads(text)
        reason = fields.get("reason")
        flip = Flip(
            FlipKind(fields["kind"]),
            Status(fields["from"]),
            Status(fields["to"]),
            fields["at"],
            Reason(reason) if reason else None,
            fields.get("first_failed_at"),
            fields.get("opened_at"),
        )
        details = {name: fields.get(name) for name in ("error", "status_code", "name")}
        return cls(target_id=fields["target"], flip=flip, **details)


@dataclass(frozen=True, slots=True)
class FlipsJob:
    """Notify of the flips of one lane."""

    owner: str
    lane: int
    entries: Sequence[Entry]

    def to_json(self) -> str:
        entries = [entry.to_json() for entry in self.entries]
        return _message("flips", owner=self.owner, lane=self.lane, entries=entries)


@dataclass(frozen=True, slots=True)
class FlushJob:
    """Flush a lane's outbox, in case its writer has died."""

    owner: str
    lane: int

    def to_json(self) -> str:
        return _message("flush", owner=self.owner, lane=self.lane)


@dataclass(frozen=True, slots=True)
class DeliverJob:
    """Attempt one delivery, by its key; `again` also retries one that was given up.

    `is_chat`: it goes to a chat service, which a separate function delivers to.
    """

    owner: str
    key: str
    again: bool = False
    is_chat: bool = False

    def to_json(self) -> str:
        chat = {"chat": True} if self.is_chat else {}
        return _message("deliver", owner=self.owner, key=self.key, again=self.again, **chat)


@dataclass(frozen=True, slots=True)
class DisableJob:
    """Disable a channel, if it still has this version, for a reason that its owner can read."""

    owner: str
    channel_id: str
    version: int
    reason: str

    def to_json(self) -> str:
        fields = {"channel": self.channel_id, "version": self.version, "reason": self.reason}
        return _message("disable", owner=self.owner, **fields)


@dataclass(frozen=True, slots=True)
class SkipRulesJob:
    """Recompute an owner's skip rules: maintenance windows or the tags they use have changed."""

    owner: str

    def to_json(self) -> str:
        return _message("arrange", owner=self.owner)


@dataclass(frozen=True, slots=True)
class StaleJob:
    """Notify of stale targets, found at `found_at`; `targets` maps ids to the last known check.

    All times are epoch seconds.
    """

    owner: str
    found_at: int
    targets: Mapping[str, int]

    def to_json(self) -> str:
        targets = dict(self.targets)
        return _message("stale", owner=self.owner, found_at=self.found_at, targets=targets)


@dataclass(frozen=True, slots=True)
class WatchdogJob:
    """A message that only has to arrive, at the function that `way` names; it has no owner."""

    sent_at: int
    way: str = "alerts"
    owner: str = ""

    @property
    def is_chat(self) -> bool:
        return self.way == CHAT

    def to_json(self) -> str:
        return _message("watchdog", sent_at=self.sent_at, way=self.way)


Job = FlipsJob | FlushJob | DeliverJob | DisableJob | SkipRulesJob | StaleJob | WatchdogJob


def read_job(text: str) -> Job:
    """The job in a message; raises UnreadableMessageError, which never quotes the message."""
    try:
        fields = json.loads(text)
        if fields["v"] != _VERSION:
            raise UnreadableMessageError(f"message version {fields['v']!r} is not supported")
        return _job(fields)
    except (ValueError, KeyError, TypeError) as error:
        raise UnreadableMessageError(f"not an alert message ({type(error).__name__})") from None


def _job(fields: Mapping[str, Any]) -> Job:
    what = fields["what"]
    if what == "watchdog":
        return WatchdogJob(fields["sent_at"], fields.get("way", "alerts"))
    owner = fields["owner"]
    if what == "flips":
        return FlipsJob(owner, fields["lane"], [Entry.from_json(one) for one in fields["entries"]])
    if what == "stale":
        return StaleJob(owner, fields["found_at"], fields["targets"])
    if what in ("flush", "arrange"):
        return FlushJob(owner, fields["lane"]) if what == "flush" else SkipRulesJob(owner)
    if what == "deliver":
        again, is_chat = fields.get("again", False), fields.get("chat", False)
        return DeliverJob(owner, fields["key"], again, is_chat)
    if what == "disable":
        return DisableJob(owner, fields["channel"], fields["version"], fields["reason"])
    raise ValueError("unknown")


def _message(what: str, **fields: object) -> str:
    return _dump({"v": _VERSION, "what": what, **fields})


def _dump(fields: Mapping[str, object]) -> str:
    return json.dumps(fields, separators=(",", ":"), ensure_ascii=False)
