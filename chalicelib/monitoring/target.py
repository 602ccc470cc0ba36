"""A monitored target, and its place in a lane."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from chalicelib.monitoring.check_spec import CheckSpec
from chalicelib.monitoring.secrets import SecretNames

LANE_SIZE = 50
MAX_PAST_TAGS = 20
"""Past changes of tags that are kept."""
SPEC_BYTES = 5_000
"""The maximum size of a spec as JSON: fifty of them fit into one message of 256 KiB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetOutline:
    """The fields of a target that its current status depends on."""

    owner: str
    id: str
    lane: int
    shard: int
    place: int
    interval_s: int
    timeout_s: int
    tags: Sequence[str]
    created_at: int
    updated_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One target of one owner. Times are epoch seconds; `version` grows with every change.

    `shard` is its lane's: the run of the scheduler that plans it. `past_tags` are its previous
    tags, each with the time until which they applied, oldest first.
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
        """The target with new tags from now on; tags dropped over `kept_s` ago are forgotten."""
        if set(tags) == set(self.tags):
            return replace(self, tags=tuple(tags))
        before = [one for one in self.past_tags if one[0] > now - kept_s]
        past = (*before, (now, self.tags))[-MAX_PAST_TAGS:]
        return replace(self, tags=tuple(tags), past_tags=past)

    @property
    def id(self) -> str:
        return self.spec.target_id

    @property
    def outline(self) -> TargetOutline:
        return TargetOutline(
            owner=self.owner,
            id=self.id,
            lane=self.lane,
            shard=self.shard,
            place=self.spec.place,
            interval_s=self.spec.interval_s,
            timeout_s=self.spec.timeout_s,
            tags=self.tags,
            created_at=self.created_at,
            updated_at=self.updated_at,
        )

    @property
    def url(self) -> str:
        """The URL or host, which people search for."""
        config: Mapping[str, Any] = self.spec.config
        return str(config.get("url") or config.get("host") or "")
