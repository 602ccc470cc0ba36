"""Enforcement of rate limits: per token, and per address for invalid tokens.

The limits fail open: if requests cannot be counted, they are admitted and an error is logged.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address

from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.exceptions import PynamoDBException

from chalicelib.access.authentication import Principal
from chalicelib.access.rate_limit import WINDOW_S, Decision, Rate, decide, next_start
from chalicelib.access.rate_limit_repository import count_failure, count_request
from chalicelib.aws.tenancy import acting_for
from chalicelib.common.errors import RateLimitedError
from chalicelib.common.limits import Limits
from chalicelib.common.metrics import metric_fields, report_error
from chalicelib.common.runtime import BaseRuntime

_LOG = logging.getLogger(__name__)
_DOWN = (BotoCoreError, ClientError, PynamoDBException)


def rates(limits: Limits, caller: Principal) -> dict[str, Rate]:
    """The limits of the caller's token by bucket."""
    per_minute = caller.limits.get("rate_per_minute") or limits.rate_per_minute
    burst = min(per_minute, caller.limits.get("rate_burst") or limits.rate_burst)
    return {
        "requests": Rate(per_minute, burst),
        "checks": Rate(limits.checks_per_minute, limits.checks_per_minute),
        "tests": Rate(limits.tests_per_minute, limits.tests_per_minute),
    }


@dataclass(frozen=True, slots=True)
class RateLimitResult:
    """The RateLimit headers of the response, and the error to raise if the limit is exceeded."""

    headers: Mapping[str, str]
    refusal: RateLimitedError | None = None


def limit_request(
    runtime: BaseRuntime, caller: Principal, now: float, bucket: str | None
) -> RateLimitResult:
    """Count a request of the token, and in a stricter `bucket` if there is one, in one write."""
    limits = rates(runtime.settings.limits, caller)
    counted = ["requests", *([bucket] if bucket else [])]
    starts = {
        name: next_start(rate, caller.minute_before.get(name)) for name, rate in limits.items()
    }
    try:
        with acting_for(caller.owner):
            minutes = count_request(caller.owner, caller.token_id, int(now), starts, counted)
    except _DOWN as error:
        report_error(runtime, "RateLimitsOpen", "not counted", reason=type(error).__name__)
        return RateLimitResult({})
    decisions = {name: decide(limits[name], minutes[name], int(now) % WINDOW_S) for name in counted}
    headers = _headers(limits, decisions)
    for name, decision in decisions.items():
        if not decision.is_admitted:
            _log_refusal(runtime, owner=caller.owner, what=name)
            text = f"the limit is {limits[name].per_minute} {name} a minute"
            return RateLimitResult(headers, RateLimitedError(text, decision.retry_after_s))
    return RateLimitResult(headers)


def limit_failure(runtime: BaseRuntime, address: str, now: float) -> None:
    """Count an invalid token of an address; raises RateLimitedError beyond the limit."""
    limit = runtime.settings.limits.failures_per_minute
    try:
        is_admitted = count_failure(_network(address), int(now), limit)
    except _DOWN as error:
        report_error(runtime, "RateLimitsOpen", "not counted", reason=type(error).__name__)
        return
    if not is_admitted:
        _log_refusal(runtime, what="wrong tokens")
        text = f"the limit is {limit} invalid tokens a minute"
        raise RateLimitedError(text, WINDOW_S - int(now) % WINDOW_S)


def _log_refusal(runtime: BaseRuntime, **fields: str) -> None:
    counted = metric_fields(runtime.settings, runtime.clock(), RateLimited=1)
    _LOG.info("rate limited", extra={**counted, **fields})


def _network(address: str) -> str:
    """The address itself, or the /64 network of an IPv6 address, as one customer has all of it."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return "unknown"
    if isinstance(parsed, IPv6Address):
        return str(IPv6Address(int(parsed) >> 64 << 64))
    return str(parsed)


def _headers(limits: Mapping[str, Rate], decisions: Mapping[str, Decision]) -> dict[str, str]:
    """The headers of draft-ietf-httpapi-ratelimit-headers-10."""
    policy = [f'"{name}";q={limits[name].burst};w={limits[name].window_s}' for name in decisions]
    left = [f'"{name}";r={one.remaining};t={one.reset_s}' for name, one in decisions.items()]
    return {"RateLimit-Policy": ", ".join(policy), "RateLimit": ", ".join(left)}
