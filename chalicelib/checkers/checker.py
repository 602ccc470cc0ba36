"""One check from beginning to end: tries, confirmation, verdict. Never raises."""

import time
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from chalicelib.checkers.clock import Attempt
from chalicelib.checkers.dialer import Dialer
from chalicelib.checkers.dns_check import check_dns
from chalicelib.checkers.errors import CheckFailure
from chalicelib.checkers.http_check import check_http
from chalicelib.checkers.judge import judge
from chalicelib.checkers.observation import Observation
from chalicelib.checkers.tcp_check import check_tcp
from chalicelib.checkers.text import clean
from chalicelib.checkers.tls_check import check_tls
from chalicelib.domain.expectations import read_expectations
from chalicelib.domain.results import CheckResult, Reason, Verdict
from chalicelib.domain.specs import CheckSpec

Kind = Callable[[CheckSpec, Dialer, Attempt], Observation]
KINDS: Final[Mapping[str, Kind]] = MappingProxyType(
    {"http": check_http, "tcp": check_tcp, "tls": check_tls, "dns": check_dns}
)
# A moment before the second try, so that it does not meet the very same instant.
PAUSE_S: Final = 0.2
PAUSE_SHARE: Final = 0.05
_SAFE_TO_REPEAT: Final = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})


def run_check(
    spec: CheckSpec, dialer: Dialer, deadline: float, on_connected: Callable[[], None]
) -> CheckResult:
    """Check one target; a failure of the connection is tried once more if there is time left."""
    try:
        return _run(spec, dialer, deadline, on_connected)
    except Exception as error:  # noqa: BLE001 - a bug of ours must not stop the other checks
        text = clean(f"Monitum could not check this: {type(error).__name__}", {})
        return CheckResult(Verdict.UNKNOWN, Reason.INTERNAL, error=text)


def _run(
    spec: CheckSpec, dialer: Dialer, deadline: float, on_connected: Callable[[], None]
) -> CheckResult:
    read_expectations(spec.expect)
    first = Attempt(deadline, leave_time=True, on_connected=on_connected)
    try:
        return _try(spec, dialer, first, attempts=1)
    except CheckFailure as failure:
        if not (failure.worth_a_second_try and _may_repeat(spec, first)):
            return _failed(spec, first, failure, attempts=1)
        earlier = failure
    left = deadline - time.monotonic()
    if left <= 0:
        return _failed(spec, first, earlier, attempts=1)
    time.sleep(min(PAUSE_S, left * PAUSE_SHARE))
    second = Attempt(deadline)
    try:
        return _try(spec, dialer, second, attempts=2)
    except CheckFailure as failure:
        return _confirmed(spec, second, failure, earlier)


def _may_repeat(spec: CheckSpec, attempt: Attempt) -> bool:
    """A request that changes something is not sent twice (RFC 9110, 9.2.2)."""
    method = str(spec.config.get("method") or "GET")
    return not attempt.request_sent or method in _SAFE_TO_REPEAT


def _try(spec: CheckSpec, dialer: Dialer, attempt: Attempt, *, attempts: int) -> CheckResult:
    seen = KINDS[spec.kind](spec, dialer, attempt)
    timings = attempt.watch.timings()
    judgement = judge(
        read_expectations(spec.expect),
        seen,
        follows=spec.config.get("follow_redirects") is not False,
        response_ms=timings.total,
        tls_days_left=attempt.tls_days_left,
    )
    verdict, reason = (Verdict.UP, None)
    if judgement.broken:
        verdict, reason, _ = judgement.broken[0]
    return CheckResult(
        verdict,
        reason,
        status_code=seen.status_code,
        timings=timings,
        error=clean(judgement.text, spec.secrets) if judgement.text else None,
        tls_days_left=attempt.tls_days_left,
        attempts=attempts,
    )


def _failed(
    spec: CheckSpec, attempt: Attempt, failure: CheckFailure, *, attempts: int, text: str = ""
) -> CheckResult:
    attempt.book(attempt.phase)
    return CheckResult(
        failure.verdict,
        failure.reason,
        status_code=attempt.status_code,
        timings=attempt.watch.timings(),
        error=clean(text or failure.text, spec.secrets),
        tls_days_left=attempt.tls_days_left,
        attempts=attempts,
    )


def _confirmed(
    spec: CheckSpec, second: Attempt, failure: CheckFailure, earlier: CheckFailure
) -> CheckResult:
    """Return the result of two failed tries; evidence of either stands against our own failure."""
    told, other = (earlier, failure) if failure.ours and not earlier.ours else (failure, earlier)
    text = f"{told.text} (twice)" if told.text == other.text else f"{told.text}; {other.text}"
    return _failed(spec, second, told, attempts=2, text=text)
