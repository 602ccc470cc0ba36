"""What is watched, and where it sits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from chalicelib.monitoring.check_spec import CheckSpec
from chalicelib.monitoring.secrets import SecretNames

LANE_SIZE = 50
MOST_PAST_TAGS = 20
"""Changes of tags that are remembered."""
SPEC_BYTES = 5_000
"""The most a spec may take as JSON: fifty of them fit into one message of 256 KiB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One target of one owner. Times are epoch seconds; `version` grows with every change.

    `shard` is its lane's: which run of the schedule looks after it. `past_tags` are those that it
    had before, each with the time until which it had them, oldest first.
    """

    owner: str
    spec: CheckSpec
    lane: int
    shard: int = 0
    name: str
    tags: tuple[str, ...] = ()
    past_tags: tuple[tuple[int, tuple[str, ...]], ...] = ()
    channel_ids: tuple[str, ...] = ()
    secret_names: SecretNames = field(default_factory=SecretNames)
    enabled: bool = True
    version: int = 1
    created_at: int
    updated_at: int

    def tagged(self, tags: Sequence[str], now: int, kept_s: int) -> "Target":
        """With other tags from now on; what it had more than `kept_s` ago is forgotten."""
        if set(tags) == set(self.tags):
            return replace(self, tags=tuple(tags))
        before = [one for one in self.past_tags if one[0] > now - kept_s]
        past = (*before, (now, self.tags))[-MOST_PAST_TAGS:]
        return replace(self, tags=tuple(tags), past_tags=past)

    @property
    def id(self) -> str:
        return self.spec.target_id

    @property
    def url(self) -> str:
        """What of it a person would search for: its URL, or its host."""
        config: Mapping[str, Any] = self.spec.config
        return str(config.get("url") or config.get("host") or "")
