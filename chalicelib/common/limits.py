"""How much may be asked of an installation: rates, quotas, and what one host is asked."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """A stage's limits; each has a variable of the environment of its name, in capitals.

    `rate_per_minute` and `rate_burst` hold for all requests of a token, `checks_per_minute` and
    `tests_per_minute` for checks that are ordered and tests of channels; `failures_per_minute` is
    how many tokens an address may get wrong. `quota_…` is what one user may have, and
    `host_checks_per_minute` what all users together may have one host asked.
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
        """These, where `number(name, default)` knows nothing else of a variable."""
        return Limits(
            **{one.name: number(one.name.upper(), getattr(self, one.name)) for one in fields(self)}
        )

    def quota(self, noun: str, own: Mapping[str, int]) -> int:
        """How many of a noun a user may have: the user's own number, or the stage's."""
        stages: int = getattr(self, f"quota_{noun}")
        return own.get(noun, stages)


NORMAL = Limits()
WIDE = Limits(
    rate_per_minute=60_000,
    rate_burst=10_000,
    checks_per_minute=6_000,
    tests_per_minute=6_000,
    failures_per_minute=60_000,
    host_checks_per_minute=1_000_000,
)
"""For emulators, which are one's own, and where tests ask for much in a short time."""
