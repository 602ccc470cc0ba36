"""What a worker needs to know to check one target: the part of a target that travels."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class CheckSpec:
    """One target as the checkers see it.

    `config` holds what the kind needs (for `http`: url, method, body, follow_redirects,
    verify_tls), `expect` the expectations, both as in the API; `secrets` what never travels in a
    message and is read from the lane: `{"headers": {name: value}, "userinfo": "user:password"}`.
    """

    target_id: str
    place: int
    kind: str
    interval_s: int
    timeout_s: int
    failure_threshold: int
    recovery_threshold: int
    config: Mapping[str, Any]
    expect: Mapping[str, Any] = field(default_factory=dict)
    secrets: Mapping[str, Any] = field(default_factory=dict)
