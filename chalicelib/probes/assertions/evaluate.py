"""Evaluate expectations against an observation: verdict, reason, and the failures as text."""

from dataclasses import dataclass, field

from chalicelib.monitoring.expectations import (
    DEFAULT_STATUS,
    DEFAULT_STATUS_UNFOLLOWED,
    Expectations,
    describe_ranges,
    status_matches,
)
from chalicelib.monitoring.result import Reason, Verdict
from chalicelib.probes.assertions.json_assertions import failed_json_conditions
from chalicelib.probes.assertions.keywords import contains
from chalicelib.probes.assertions.response import Observation, body_charset, body_text
from chalicelib.probes.assertions.safe_regex import search
from chalicelib.probes.redaction import quoted


@dataclass(slots=True)
class Evaluation:
    """The failures, in the order of the API's list; the first one decides verdict and reason."""

    failures: list[tuple[Verdict, Reason, str]] = field(default_factory=list)

    def down(self, reason: Reason, text: str) -> None:
        self.failures.append((Verdict.DOWN, reason, text))

    def degraded(self, reason: Reason, text: str) -> None:
        self.failures.append((Verdict.DEGRADED, reason, text))

    @property
    def verdict(self) -> Verdict:
        return self.failures[0][0] if self.failures else Verdict.UP

    @property
    def reason(self) -> Reason | None:
        return self.failures[0][1] if self.failures else None

    @property
    def text(self) -> str | None:
        return "; ".join(text for _, _, text in self.failures) or None


def evaluate(
    expected: Expectations,
    observation: Observation,
    *,
    follows: bool,
    response_ms: int,
    tls_days_left: int | None,
    deadline: float,
) -> Evaluation:
    """Compare an observation with the expectations; raise BadPattern, BadPath or CheckFailure."""
    result = Evaluation()
    if observation.mismatch is not None:
        result.down(Reason.DNS, observation.mismatch)
    if observation.status_code is not None:
        default = DEFAULT_STATUS if follows else DEFAULT_STATUS_UNFOLLOWED
        ranges = expected.status_codes or default
        if not status_matches(observation.status_code, ranges):
            text = f"expected status {describe_ranges(ranges)}, got {observation.status_code}"
            result.down(Reason.STATUS, text)
    if expected.want_body:
        _evaluate_body(result, expected, observation, deadline)
    _evaluate_headers(result, expected, observation)
    limit = expected.max_response_ms
    if limit is not None and response_ms > limit:
        result.degraded(Reason.SLOW, f"expected at most {limit} ms, took {response_ms} ms")
    days = expected.tls_days_left
    if days is not None and tls_days_left is not None and tls_days_left < days:
        result.degraded(Reason.TLS_EXPIRING, _expiry(tls_days_left, observation))
    for warning in observation.warnings:
        result.degraded(Reason.PROTOCOL, warning)
    return result


def _expiry(days: int, observation: Observation) -> str:
    which = "the certificate of the issuer" if observation.issuer_expires else "the certificate"
    if days < 0:
        return f"{which} has expired"
    return f"{which} expires in {days} day{'' if days == 1 else 's'}"


def _evaluate_body(
    result: Evaluation, expected: Expectations, observation: Observation, deadline: float
) -> None:
    text, size, truncated = body_text(observation), len(observation.body), observation.truncated
    wanted, unwanted = expected.body_contains, expected.body_not_contains
    if wanted is not None and not contains(text, wanted, entities=True):
        if truncated:
            message = f"the first {size} bytes of the body do not contain {quoted(wanted)}"
            result.down(Reason.TOO_LARGE, message)
        else:
            result.down(Reason.BODY, f"the body does not contain {quoted(wanted)}")
    if unwanted is not None and contains(text, unwanted):
        result.down(Reason.BODY, f"the body contains {quoted(unwanted)}")
    if expected.body_matches is not None:
        _evaluate_pattern(result, expected.body_matches, text, observation, deadline)
    if expected.json and truncated:
        message = f"the body is longer than {size} bytes: too large to read as JSON"
        result.down(Reason.TOO_LARGE, message)
    elif expected.json:
        charset = body_charset(observation)
        for failure in failed_json_conditions(observation.body, expected.json, deadline, charset):
            result.down(Reason.JSON, failure)


def _evaluate_pattern(
    result: Evaluation, pattern: str, text: str, observation: Observation, deadline: float
) -> None:
    found, searched = search(pattern, text, deadline)
    if found:
        return
    if searched is None and not observation.truncated:
        result.down(Reason.BODY, f"the body does not match {quoted(pattern)}")
        return
    size = len(observation.body) if searched is None else searched
    message = f"the first {size} bytes of the body do not match {quoted(pattern)}"
    result.down(Reason.TOO_LARGE, message)


def _evaluate_headers(result: Evaluation, expected: Expectations, observation: Observation) -> None:
    for name, wanted in expected.headers:
        value = observation.headers.get(name)
        if value is None:
            result.down(Reason.HEADER, f"the header {quoted(name)} is missing")
        elif wanted.lower() not in value.lower():
            text = f"expected {quoted(wanted)} in the header {quoted(name)}, got {quoted(value)}"
            result.down(Reason.HEADER, text)
