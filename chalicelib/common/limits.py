"""Rate limits, quotas and the limit on checks of one host."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """A stage's limits; each can be set by an environment variable of its name in capitals.

    `rate_per_minute` and `rate_burst` apply to all requests of a token, `checks_per_minute` to its
    checks on demand, `tests_per_minute` to its tests of channels, and `failures_per_minute` to
    invalid tokens from one address. `quota_…` limits the resources of one user,
    `host_checks_per_minute` the checks of one host by all users together.
    """

    rate_per_minute: int = 300
    rate_burst: int = 60
    checks_per_minute: int = 20
    tests_per_minute: int = 10
    failures_per_minute: int = 20
    quota_targets: int = 10_000
    quota_channels: int = 50
    quota_tokens: int = 50
    quota_pages: int = 20
    host_checks_per_minute: int = 600

    def read(self, number: Callable[[str, int], int]) -> "Limits":
        """Read every limit with `number(variable, default)`; the defaults are these limits."""
        return Limits(
            **{one.name: number(one.name.upper(), getattr(self, one.name)) for one in fields(self)}
        )

    def quota(self, noun: str, own: Mapping[str, int]) -> int:
        """The quota of a noun: the user's own, or the stage's."""
        default: int = getattr(self, f"quota_{noun}")
        return own.get(noun, default)


NORMAL = Limits()
WIDE = Limits(
    rate_per_minute=60_000,
    rate_burst=10_000,
    checks_per_minute=6_000,
    tests_per_minute=6_000,
    failures_per_minute=60_000,
    host_checks_per_minute=1_000_000,
)
"""For emulators, where tests send many requests in a short time."""
