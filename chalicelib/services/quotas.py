"""How much one user may have, and how much one host may be asked by all users together."""

import random
import time
from collections.abc import Mapping
from typing import Final

from chalicelib.checkers.endpoint import resolver_endpoint
from chalicelib.checkers.urls import parse_host, parse_url
from chalicelib.domain.errors import Fault, HostBudgetError, QuotaError
from chalicelib.domain.specs import CheckSpec
from chalicelib.limits import Limits
from chalicelib.store.ledger import Ledger, asked_of
from chalicelib.store.tripwire import acting_for

ATTEMPTS: Final = 30
_DAY_S: Final = 86_400
_MINUTES: Final = 1_440


def moved(before: CheckSpec | None, after: CheckSpec | None) -> dict[str, int]:
    """By how many checks a day hosts are asked more, where a target becomes another one."""
    hosts: dict[str, int] = {}
    for spec, sign in ((before, -1), (after, 1)):
        if spec is not None:
            name = watched_host(spec)
            hosts[name] = hosts.get(name, 0) + sign * (_DAY_S // spec.interval_s)
    return {name: more for name, more in hosts.items() if more}


def watched_host(spec: CheckSpec) -> str:
    """The host that a target's checks go to, in its one spelling."""
    config = spec.config
    if "url" in config:
        return parse_url(config["url"]).host.name
    if resolver := config.get("resolver"):
        return resolver_endpoint(resolver)[0].name
    return parse_host(config["host"]).name


def hosts_most(limits: Limits) -> int:
    """What a host may be asked, in checks a day."""
    return limits.host_checks_per_minute * _MINUTES


def refuse_overdrawn(ledger: Ledger, used: Mapping[str, int]) -> None:
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
