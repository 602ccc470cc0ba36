"""Quotas of one user, and the limit on checks of one host by all users together."""

import random
import time
from collections.abc import Mapping
from typing import Final

from chalicelib.access.usage import UsageChange, host_checks
from chalicelib.aws.tenancy import acting_for
from chalicelib.common.errors import Fault, HostBudgetError, QuotaError
from chalicelib.common.limits import Limits

ATTEMPTS: Final = 30
_MINUTES: Final = 1_440


def host_limit(limits: Limits) -> int:
    """The limit of one host in checks a day."""
    return limits.host_checks_per_minute * _MINUTES


def raise_if_exceeded(usage: UsageChange, used: Mapping[str, int]) -> None:
    """Raise QuotaError or HostBudgetError if a limit made the transaction of `usage` fail."""
    if usage.change > 0 and used.get(usage.noun, 0) + usage.change > usage.limit:
        text = f"the quota of {usage.limit} {usage.noun} is used up"
        raise QuotaError(text, (Fault(("quota", usage.noun), text),))
    for name, more in usage.hosts.items():
        with acting_for(*usage.system_keys):
            current = host_checks(name)
        if more > 0 and current + more > usage.host_limit:
            limit = usage.host_limit // _MINUTES
            text = f"all users together may check a host at most {limit} times a minute"
            raise HostBudgetError(f"{name} is checked too often", (Fault(("body",), text),))


def back_off(attempt: int) -> None:
    """Sleep for a random time that grows with the attempts, to spread concurrent writers."""
    time.sleep(random.random() * 0.01 * attempt)  # noqa: S311 - no secret
