"""Expectations against an observation: the verdict, its reason, and every broken one in words."""

from dataclasses import dataclass, field

from chalicelib.monitoring.expectations import (
    DEFAULT_STATUS,
    DEFAULT_STATUS_UNFOLLOWED,
    Expectations,
    describe_ranges,
    status_matches,
)
from chalicelib.monitoring.result import Reason, Verdict
from chalicelib.probes.assertions.charsets import body_text
from chalicelib.probes.assertions.json_assertions import broken_json
from chalicelib.probes.assertions.response import Observation
from chalicelib.probes.assertions.safe_regex import search
from chalicelib.probes.redaction import quoted


@dataclass(slots=True)
class Evaluation:
    """What is broken, in the order of the API's list; the first one gives reason and verdict."""

    broken: list[tuple[Verdict, Reason, str]] = field(default_factory=list)

    def down(self, reason: Reason, text: str) -> None:
        self.broken.append((Verdict.DOWN, reason, text))

    def degraded(self, reason: Reason, text: str) -> None:
        self.broken.append((Verdict.DEGRADED, reason, text))

    @property
    def verdict(self) -> Verdict:
        return self.broken[0][0] if self.broken else Verdict.UP

    @property
    def reason(self) -> Reason | None:
        return self.broken[0][1] if self.broken else None

    @property
    def text(self) -> str | None:
        return "; ".join(text for _, _, text in self.broken) or None


def evaluate(
    expected: Expectations,
    seen: Observation,
    *,
    follows: bool,
    response_ms: int,
    tls_days_left: int | None,
    deadline: float,
) -> Evaluation:
    """Hold what was seen against what is expected; raise BadPattern, BadPath or CheckFailure."""
    found = Evaluation()
    if seen.wrong is not None:
        found.down(Reason.DNS, seen.wrong)
    _judge_status(found, expected, seen, follows=follows)
    if expected.want_body:
        _judge_body(found, expected, seen, deadline)
    _judge_headers(found, expected, seen)
    limit = expected.max_response_ms
    if limit is not None and response_ms > limit:
        found.degraded(Reason.SLOW, f"expected at most {limit} ms, took {response_ms} ms")
    days = expected.tls_days_left
    if days is not None and tls_days_left is not None and tls_days_left < days:
        found.degraded(Reason.TLS_EXPIRING, _expiry(tls_days_left))
    return found


def _expiry(days: int) -> str:
    if days < 0:
        return "the certificate has expired"
    return f"the certificate expires in {days} day{'' if days == 1 else 's'}"


def _judge_status(
    found: Evaluation, expected: Expectations, seen: Observation, *, follows: bool
) -> None:
    if seen.status_code is None:
        return
    default = DEFAULT_STATUS if follows else DEFAULT_STATUS_UNFOLLOWED
    ranges = expected.status_codes or default
    if not status_matches(seen.status_code, ranges):
        text = f"expected status {describe_ranges(ranges)}, got {seen.status_code}"
        found.down(Reason.STATUS, text)


def _judge_body(
    found: Evaluation, expected: Expectations, seen: Observation, deadline: float
) -> None:
    text = body_text(seen)
    wanted, unwanted, pattern = (
        expected.body_contains,
        expected.body_not_contains,
        expected.body_matches,
    )
    reason, does = (Reason.TOO_LARGE, "do") if seen.truncated else (Reason.BODY, "does")
    where = f"the first {len(seen.body)} bytes of the body" if seen.truncated else "the body"
    if wanted is not None and wanted not in text:
        found.down(reason, f"{where} {does} not contain {quoted(wanted)}")
    if unwanted is not None and unwanted in text:
        found.down(Reason.BODY, f"the body contains {quoted(unwanted)}")
    if pattern is not None:
        _judge_pattern(found, pattern, text, seen, deadline)
    if not expected.json:
        return
    if seen.truncated:
        text = f"the body is longer than {len(seen.body)} bytes: too large to read as JSON"
        found.down(Reason.TOO_LARGE, text)
        return
    for broken in broken_json(seen.body, expected.json, deadline):
        found.down(Reason.JSON, broken)


def _judge_pattern(
    found: Evaluation, pattern: str, text: str, seen: Observation, deadline: float
) -> None:
    matched, sought = search(pattern, text, deadline)
    if matched:
        return
    if sought is None and not seen.truncated:
        found.down(Reason.BODY, f"the body does not match {quoted(pattern)}")
        return
    first = len(seen.body) if sought is None else sought
    found.down(
        Reason.TOO_LARGE, f"the first {first} bytes of the body do not match {quoted(pattern)}"
    )


def _judge_headers(found: Evaluation, expected: Expectations, seen: Observation) -> None:
    for name, wanted in expected.headers:
        value = seen.headers.get(name)
        if value is None:
            found.down(Reason.HEADER, f"the header {quoted(name)} is missing")
        elif wanted.lower() not in value.lower():
            text = f"expected {quoted(wanted)} in the header {quoted(name)}, got {quoted(value)}"
            found.down(Reason.HEADER, text)
