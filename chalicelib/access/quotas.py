"""How much one user may have, and how much one host may be asked by all users together."""

import random
import time
from collections.abc import Mapping
from typing import Final

from chalicelib.access.usage import UsageChange, asked_of
from chalicelib.aws.tenancy import acting_for
from chalicelib.common.errors import Fault, HostBudgetError, QuotaError
from chalicelib.common.limits import Limits

ATTEMPTS: Final = 30
_MINUTES: Final = 1_440


def hosts_most(limits: Limits) -> int:
    """What a host may be asked, in checks a day."""
    return limits.host_checks_per_minute * _MINUTES


def refuse_overdrawn(ledger: UsageChange, used: Mapping[str, int]) -> None:
    """Say which limit it is, after a change failed; nothing where it is none."""
    if ledger.change > 0 and used.get(ledger.noun, 0) + ledger.change > ledger.most:
        text = f"{ledger.most} {ledger.noun} are the most that this user may have"
        raise QuotaError(text, (Fault(("quota", ledger.noun), text),))
    for name, more in ledger.hosts.items():
        with acting_for(*ledger.names):
            asked = asked_of(name)
        if more > 0 and asked + more > ledger.hosts_most:
            most = ledger.hosts_most // _MINUTES
            text = f"all users together may have a host checked {most} times a minute"
            raise HostBudgetError(f"{name} is watched too much already", (Fault(("body",), text),))


def wait(attempt: int) -> None:
    """Spread those who write the same over time, the more so the longer they tried."""
    time.sleep(random.random() * 0.01 * attempt)  # noqa: S311 - no secret
