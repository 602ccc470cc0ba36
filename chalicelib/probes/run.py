"""Run one check: one or two attempts, then a verdict. Never raises."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from chalicelib.monitoring.check_spec import CheckSpec
from chalicelib.monitoring.expectations import BadExpectation, Expectations, read_expectations
from chalicelib.monitoring.result import CheckResult, Reason, Verdict
from chalicelib.probes.assertions.evaluate import evaluate
from chalicelib.probes.assertions.response import Observation
from chalicelib.probes.assertions.safe_regex import BadPattern
from chalicelib.probes.deadline import Attempt
from chalicelib.probes.dns import check_dns
from chalicelib.probes.errors import BadPath, CheckFailure, OutOfTime
from chalicelib.probes.http import check_http
from chalicelib.probes.net.dialer import Dialer
from chalicelib.probes.redaction import clean
from chalicelib.probes.tcp import check_tcp
from chalicelib.probes.tls import check_tls

Probe = Callable[[CheckSpec, Dialer, Attempt], Observation]
KINDS: Final[Mapping[str, Probe]] = MappingProxyType(
    {"http": check_http, "tcp": check_tcp, "tls": check_tls, "dns": check_dns}
)
# A pause before the second attempt, so that a momentary fault does not hit both.
PAUSE_S: Final = 0.2
_MAX_PAUSE_SHARE: Final = 0.05
_MIN_ATTEMPT_S: Final = 0.01
_SAFE_TO_REPEAT: Final = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})


def run_check(
    spec: CheckSpec,
    dialer: Dialer,
    deadline: float,
    *,
    on_connected: Callable[[], None],
    pause_s: float,
) -> CheckResult:
    """Check one target; retry a failed connection once if there is time left."""
    try:
        probe, expected = KINDS[spec.kind], read_expectations(spec.expect)
        return _Check(spec, probe, expected, dialer, deadline, pause_s).run(on_connected)
    except (BadExpectation, BadPattern, BadPath) as error:
        return _internal_error(f"an expectation is not valid: {error}")
    except Exception as error:  # noqa: BLE001 - a bug of Monitum must not stop the other checks
        return _internal_error(f"Monitum could not check this ({type(error).__name__})")


def _internal_error(text: str) -> CheckResult:
    return CheckResult(Verdict.UNKNOWN, Reason.INTERNAL, error=clean(text, {}))


@dataclass(frozen=True, slots=True)
class _Check:
    """One check: what both attempts share."""

    spec: CheckSpec
    probe: Probe
    expected: Expectations
    dialer: Dialer
    deadline: float
    pause_s: float

    def run(self, on_connected: Callable[[], None]) -> CheckResult:
        attempt = Attempt(self.deadline, leave_time=True, on_connected=on_connected)
        try:
            return self._try(attempt)
        except CheckFailure as failure:
            first = failure
        if not (first.retryable and self._may_repeat(attempt) and self._pause()):
            return self._failed(attempt, first)
        attempt = Attempt(self.deadline)
        try:
            return replace(self._try(attempt), attempts=2, first_error=self._clean(first.text))
        except CheckFailure as second:
            main, other = sorted((second, first), key=_evidence_rank)
            same = main.text == other.text
            text = f"{main.text} (twice)" if same else f"{main.text}; {other.text}"
            return replace(self._failed(attempt, main, text), attempts=2)

    def _may_repeat(self, attempt: Attempt) -> bool:
        """Return False if a request was sent whose method is not idempotent (RFC 9110, 9.2.2)."""
        method = str(self.spec.config.get("method") or "GET")
        return not attempt.request_sent or method in _SAFE_TO_REPEAT

    def _pause(self) -> bool:
        """Wait before the second attempt; return False if there is no time for one."""
        left = self.deadline - time.monotonic()
        if left < _MIN_ATTEMPT_S:
            return False
        time.sleep(min(self.pause_s, left * _MAX_PAUSE_SHARE))
        return True

    def _try(self, attempt: Attempt) -> CheckResult:
        observation = self.probe(self.spec, self.dialer, attempt)
        observation.issuer_expires = attempt.issuer_expires
        timings = attempt.stopwatch.timings()
        evaluation = evaluate(
            self.expected,
            observation,
            follows=self.spec.config.get("follow_redirects") is not False,
            response_ms=timings.total,
            tls_days_left=attempt.tls_days_left,
            deadline=self.deadline,
        )
        return CheckResult(
            evaluation.verdict,
            evaluation.reason,
            status_code=observation.status_code,
            timings=timings,
            error=self._clean(evaluation.text) if evaluation.text else None,
            tls_days_left=attempt.tls_days_left,
        )

    def _failed(self, attempt: Attempt, failure: CheckFailure, text: str = "") -> CheckResult:
        attempt.record(attempt.phase)
        return CheckResult(
            failure.verdict,
            failure.reason,
            status_code=attempt.status_code,
            timings=attempt.stopwatch.timings(),
            error=self._clean(text or failure.text),
            tls_days_left=attempt.tls_days_left,
        )

    def _clean(self, text: str) -> str:
        return clean(text, self.spec.secrets, str(self.spec.config.get("url") or ""))


def _evidence_rank(failure: CheckFailure) -> tuple[bool, bool]:
    """Rank failures: evidence about the target before internal ones, events before timeouts."""
    return failure.internal, isinstance(failure, OutOfTime)
