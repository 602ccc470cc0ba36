"""Flips on their way from a lane to the alerts, and the messages that carry them.

A flip waits in its lane's outbox, written together with the state that it comes from, until it is
sent. Nothing here is secret: what a check saw was cleaned before it got here.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from chalicelib.monitoring.result import Reason
from chalicelib.monitoring.state import Flip, FlipKind, Status

_VERSION: Final = 1
CHAT: Final = "chat"
"""The way of the watchdog that leads through the function for chat services."""


class UnreadableMessageError(Exception):
    """A message of the alerts queues of a kind or version that this code does not know."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One flip of one target, with what its check saw.

    `name` is set where the target is deleted with this flip, and could not be asked for its name.
    """

    target_id: str
    flip: Flip
    error: str | None = None
    status_code: int | None = None
    name: str | None = None

    def to_json(self) -> str:
        """As it is stored; fields without a value are left out."""
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
        kept = {name: value for name, value in fields.items() if value is not None}
        return json.dumps(kept, separators=(",", ":"), ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> "Entry":
        """What `to_json` wrote; fields of a later version are passed over."""
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
        return cls(
            target_id=fields["target"],
            flip=flip,
            error=fields.get("error"),
            status_code=fields.get("status_code"),
            name=fields.get("name"),
        )


@dataclass(frozen=True, slots=True)
class FlipsJob:
    """Flips of one lane to be told of."""

    owner: str
    lane: int
    entries: Sequence[Entry]

    def to_json(self) -> str:
        entries = [entry.to_json() for entry in self.entries]
        return _message("flips", owner=self.owner, lane=self.lane, entries=entries)


@dataclass(frozen=True, slots=True)
class FlushJob:
    """A lane whose outbox is to be looked after, should its writer have died."""

    owner: str
    lane: int

    def to_json(self) -> str:
        return _message("flush", owner=self.owner, lane=self.lane)


@dataclass(frozen=True, slots=True)
class DeliverJob:
    """One delivery to be made, by its key; `again` has one that was given up tried anew.

    `is_chat`: it goes to a chat service, for which there is a function of its own.
    """

    owner: str
    key: str
    again: bool = False
    is_chat: bool = False

    def to_json(self) -> str:
        chat = {"chat": True} if self.is_chat else {}
        return _message("deliver", owner=self.owner, key=self.key, again=self.again, **chat)


@dataclass(frozen=True, slots=True)
class SkipRulesJob:
    """An owner whose maintenance windows, or the tags that they go by, have changed."""

    owner: str

    def to_json(self) -> str:
        return _message("arrange", owner=self.owner)


@dataclass(frozen=True, slots=True)
class WatchdogJob:
    """A message that only has to arrive, at the function that `way` names; belongs to no owner."""

    sent_at: int
    way: str = "alerts"
    owner: str = ""

    @property
    def is_chat(self) -> bool:
        return self.way == CHAT

    def to_json(self) -> str:
        return _message("watchdog", sent_at=self.sent_at, way=self.way)


Job = FlipsJob | FlushJob | DeliverJob | SkipRulesJob | WatchdogJob


def read_job(text: str) -> Job:
    """The job in a message; raises UnreadableMessageError, which never quotes the message."""
    try:
        fields = json.loads(text)
        if fields["v"] != _VERSION:
            raise UnreadableMessageError(f"a message of version {fields['v']!r}")
        return _job(fields)
    except (ValueError, KeyError, TypeError) as error:
        raise UnreadableMessageError(f"no message for alerts ({type(error).__name__})") from None


def _job(fields: Mapping[str, Any]) -> Job:
    if fields["what"] == "watchdog":
        return WatchdogJob(fields["sent_at"], fields.get("way", "alerts"))
    owner = fields["owner"]
    if fields["what"] == "flips":
        return FlipsJob(owner, fields["lane"], [Entry.from_json(one) for one in fields["entries"]])
    if fields["what"] == "flush":
        return FlushJob(owner, fields["lane"])
    if fields["what"] == "arrange":
        return SkipRulesJob(owner)
    if fields["what"] == "deliver":
        again, is_chat = fields.get("again", False), fields.get("chat", False)
        return DeliverJob(owner, fields["key"], again, is_chat)
    raise ValueError("unknown")


def _message(what: str, **fields: object) -> str:
    return json.dumps(
        {"v": _VERSION, "what": what, **fields}, separators=(",", ":"), ensure_ascii=False
    )
