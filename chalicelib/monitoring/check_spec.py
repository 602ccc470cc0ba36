"""The part of a target that is sent to the worker: how to check it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckSpec:
    """One target as the probes see it.

    `place` is its position in the lane, `version` that of its definition (see `lane.Definition`),
    `secrets_version` the one that changed its secrets. `config` holds the fields of its kind (for
    `http`: url, method, body, follow_redirects, verify_tls), `expect` the expectations, both as in
    the API.
    `secrets` is never part of a message; with `has_secrets` the worker reads it from the lane:
    `{"headers": {name: value}, "userinfo": "user:password", "send": text}`, all optional.
    """

    target_id: str
    place: int
    version: int = 0
    kind: str
    interval_s: int
    timeout_s: int
    failure_threshold: int
    recovery_threshold: int
    config: Mapping[str, Any]
    expect: Mapping[str, Any] = field(default_factory=dict)
    has_secrets: bool = False
    secrets_version: int = 0
    secrets: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def secrets_tag(self) -> str:
        """Tells the secrets of this spec from those of other versions, and of other targets."""
        return f"{self.target_id[-8:]}:{self.secrets_version}"

    def to_message(self) -> dict[str, Any]:
        """The stored and sent JSON: everything but the id, which is kept next to it."""
        message = {
            "place": self.place,
            "kind": self.kind,
            "interval_s": self.interval_s,
            "timeout_s": self.timeout_s,
            "failure_threshold": self.failure_threshold,
            "recovery_threshold": self.recovery_threshold,
            "config": dict(self.config),
        }
        if self.expect:
            message["expect"] = dict(self.expect)
        if self.has_secrets:
            message["has_secrets"] = True
        if self.version:
            message["version"] = self.version
        if self.secrets_version:
            message["secrets_version"] = self.secrets_version
        return message

    @classmethod
    def from_message(cls, target_id: str, message: Mapping[str, Any]) -> "CheckSpec":
        """Read what `to_message` wrote; fields of a later version are ignored."""
        return cls(
            target_id=target_id,
            place=message["place"],
            version=message.get("version", 0),
            kind=message["kind"],
            interval_s=message["interval_s"],
            timeout_s=message["timeout_s"],
            failure_threshold=message["failure_threshold"],
            recovery_threshold=message["recovery_threshold"],
            config=message["config"],
            expect=message.get("expect", {}),
            has_secrets=message.get("has_secrets", False),
            secrets_version=message.get("secrets_version", 0),
        )
