"""Rate limits: per token, and per address where a token is not good.

A limit that cannot be counted does not hold: what is counted on must not fail because of it.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address

from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.exceptions import PynamoDBException

from chalicelib.access.authentication import Principal
from chalicelib.access.rate_limit import WINDOW_S, Rate, Ruling, next_start, rule
from chalicelib.access.rate_limit_repository import count, take_failure
from chalicelib.aws.tenancy import acting_for
from chalicelib.common.errors import RateLimitedError
from chalicelib.common.limits import Limits
from chalicelib.common.metric_events import report
from chalicelib.common.metrics import measured
from chalicelib.common.runtime import BaseRuntime

_LOG = logging.getLogger(__name__)
_DOWN = (BotoCoreError, ClientError, PynamoDBException)


def rates(limits: Limits, caller: Principal) -> dict[str, Rate]:
    """How much a caller's token is allowed."""
    per_minute = caller.limits.get("rate_per_minute") or limits.rate_per_minute
    burst = min(per_minute, caller.limits.get("rate_burst") or limits.rate_burst)
    return {
        "requests": Rate(per_minute, burst),
        "checks": Rate(limits.checks_per_minute, limits.checks_per_minute),
        "tests": Rate(limits.tests_per_minute, limits.tests_per_minute),
    }


@dataclass(frozen=True, slots=True)
class Spent:
    """What counting a request came to: headers that tell what is left, and a refusal or none."""

    headers: Mapping[str, str]
    refusal: RateLimitedError | None = None


def spend(runtime: BaseRuntime, caller: Principal, now: float, also: str | None) -> Spent:
    """Count a request against its token's limits, `also` against a stricter one, in one write."""
    allowed = rates(runtime.settings.limits, caller)
    counted = ["requests", *([also] if also else [])]
    starts = {
        name: next_start(rate, caller.minute_before.get(name)) for name, rate in allowed.items()
    }
    try:
        with acting_for(caller.owner):
            minutes = count(caller.owner, caller.token_id, int(now), starts, counted)
    except _DOWN as error:
        report(runtime, "RateLimitsOpen", "not counted", reason=type(error).__name__)
        return Spent({})
    rulings = {name: rule(allowed[name], minutes[name], int(now) % WINDOW_S) for name in counted}
    headers = _headers(allowed, rulings)
    for name, ruling in rulings.items():
        if not ruling.is_admitted:
            _note(runtime, owner=caller.owner, what=name)
            limit = f"{allowed[name].per_minute} {name} a minute are allowed"
            return Spent(headers, RateLimitedError(limit, ruling.retry_after_s))
    return Spent(headers)


def spend_failure(runtime: BaseRuntime, address: str, now: float) -> None:
    """Count that a token was not good; raises RateLimitedError beyond the limit."""
    most = runtime.settings.limits.failures_per_minute
    try:
        is_admitted = take_failure(_network(address), int(now), most)
    except _DOWN as error:
        report(runtime, "RateLimitsOpen", "not counted", reason=type(error).__name__)
        return
    if not is_admitted:
        _note(runtime, what="wrong tokens")
        limit = f"{most} wrong tokens a minute are allowed"
        raise RateLimitedError(limit, WINDOW_S - int(now) % WINDOW_S)


def _note(runtime: BaseRuntime, **about: str) -> None:
    counted = measured(runtime.settings, runtime.clock(), RateLimited=1)
    _LOG.info("rate limited", extra={**counted, **about})


def _network(address: str) -> str:
    """What one caller has: an address, of IPv6 the 64 bits that are given out together."""
    try:
        found = ip_address(address)
    except ValueError:
        return "unknown"
    if isinstance(found, IPv6Address):
        return str(IPv6Address(int(found) >> 64 << 64))
    return str(found)


def _headers(allowed: Mapping[str, Rate], rulings: Mapping[str, Ruling]) -> dict[str, str]:
    """As draft-ietf-httpapi-ratelimit-headers-10 has them."""
    policy = [f'"{name}";q={allowed[name].burst};w={allowed[name].window_s}' for name in rulings]
    left = [f'"{name}";r={one.remaining};t={one.reset_s}' for name, one in rulings.items()]
    return {"RateLimit-Policy": ", ".join(policy), "RateLimit": ", ".join(left)}
