"""One check from beginning to end: tries, confirmation, verdict. Never raises."""

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
from chalicelib.probes.assertions.work_budget import BadPath
from chalicelib.probes.deadline import Attempt
from chalicelib.probes.dns import check_dns
from chalicelib.probes.errors import CheckFailure, OutOfTime
from chalicelib.probes.http import check_http
from chalicelib.probes.net.dialer import Dialer
from chalicelib.probes.redaction import clean
from chalicelib.probes.tcp import check_tcp
from chalicelib.probes.tls import check_tls

Kind = Callable[[CheckSpec, Dialer, Attempt], Observation]
KINDS: Final[Mapping[str, Kind]] = MappingProxyType(
    {"http": check_http, "tcp": check_tcp, "tls": check_tls, "dns": check_dns}
)
# A moment before the second try, so that it does not meet the very same instant.
PAUSE_S: Final = 0.2
_PAUSE_SHARE: Final = 0.05
_LEAST_S: Final = 0.01
_SAFE_TO_REPEAT: Final = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})


def run_check(
    spec: CheckSpec,
    dialer: Dialer,
    deadline: float,
    *,
    on_connected: Callable[[], None],
    pause_s: float,
) -> CheckResult:
    """Check one target; a failure of the connection is tried once more if there is time left."""
    try:
        kind, expected = KINDS[spec.kind], read_expectations(spec.expect)
        return _Check(spec, kind, expected, dialer, deadline, pause_s).run(on_connected)
    except (BadExpectation, BadPattern, BadPath) as error:
        return _ours(f"an expectation is not valid: {error}")
    except Exception as error:  # noqa: BLE001 - a bug of ours must not stop the other checks
        return _ours(f"Monitum could not check this ({type(error).__name__})")


def _ours(text: str) -> CheckResult:
    return CheckResult(Verdict.UNKNOWN, Reason.INTERNAL, error=clean(text, {}))


@dataclass(frozen=True, slots=True)
class _Check:
    """What stays the same in both tries."""

    spec: CheckSpec
    kind: Kind
    expected: Expectations
    dialer: Dialer
    deadline: float
    pause_s: float

    def run(self, on_connected: Callable[[], None]) -> CheckResult:
        first = Attempt(self.deadline, leave_time=True, on_connected=on_connected)
        try:
            return self._try(first)
        except CheckFailure as failure:
            earlier = failure
        if not (earlier.worth_a_second_try and self._may_repeat(first) and self._pause()):
            return self._failed(first, earlier)
        second = Attempt(self.deadline)
        try:
            return self._try(second, earlier)
        except CheckFailure as failure:
            told, other = _told_first(failure, earlier)
            same = told.text == other.text
            text = f"{told.text} (twice)" if same else f"{told.text}; {other.text}"
            return replace(self._failed(second, told, text), attempts=2)

    def _may_repeat(self, attempt: Attempt) -> bool:
        """A request that changes something is not sent twice (RFC 9110, 9.2.2)."""
        method = str(self.spec.config.get("method") or "GET")
        return not attempt.request_sent or method in _SAFE_TO_REPEAT

    def _pause(self) -> bool:
        """Wait a moment; False when there is no time for a second try."""
        left = self.deadline - time.monotonic()
        if left < _LEAST_S:
            return False
        time.sleep(min(self.pause_s, left * _PAUSE_SHARE))
        return True

    def _try(self, attempt: Attempt, earlier: CheckFailure | None = None) -> CheckResult:
        seen = self.kind(self.spec, self.dialer, attempt)
        timings = attempt.watch.timings()
        judgement = evaluate(
            self.expected,
            seen,
            follows=self.spec.config.get("follow_redirects") is not False,
            response_ms=timings.total,
            tls_days_left=attempt.tls_days_left,
            deadline=self.deadline,
        )
        return CheckResult(
            judgement.verdict,
            judgement.reason,
            status_code=seen.status_code,
            timings=timings,
            error=self._clean(judgement.text),
            tls_days_left=attempt.tls_days_left,
            attempts=2 if earlier else 1,
            first_error=self._clean(earlier.text) if earlier else None,
        )

    def _failed(self, attempt: Attempt, failure: CheckFailure, text: str = "") -> CheckResult:
        attempt.book(attempt.phase)
        return CheckResult(
            failure.verdict,
            failure.reason,
            status_code=attempt.status_code,
            timings=attempt.watch.timings(),
            error=self._clean(text or failure.text),
            tls_days_left=attempt.tls_days_left,
        )

    def _clean(self, text: str | None) -> str | None:
        return clean(text, self.spec.secrets) if text else None


def _told_first(failure: CheckFailure, earlier: CheckFailure) -> tuple[CheckFailure, CheckFailure]:
    """Order two failures: evidence before our own, an event before a time that ran out."""

    def weight(one: CheckFailure) -> tuple[bool, bool]:
        return one.ours, isinstance(one, OutOfTime)

    return (earlier, failure) if weight(earlier) < weight(failure) else (failure, earlier)
