"""The `tcp` kind: connect, and where the target says so, send a text and look at the answer."""

from typing import Final

from chalicelib.monitoring.check_spec import CheckSpec
from chalicelib.monitoring.expectations import Expectations, read_expectations
from chalicelib.probes.assertions.response import Observation
from chalicelib.probes.assertions.safe_regex import search
from chalicelib.probes.deadline import Attempt
from chalicelib.probes.errors import OutOfTime
from chalicelib.probes.net.dialer import Dialer
from chalicelib.probes.net.endpoint import endpoint
from chalicelib.probes.net.stream import Stream

MAX_ANSWER: Final = 64 * 1024
_LOOK_AGAIN: Final = 8  # pieces after which a pattern is only tried at the end


def check_tcp(spec: CheckSpec, dialer: Dialer, attempt: Attempt) -> Observation:
    """Connect to a `tcp` target; raise CheckFailure.

    `spec.config`: host, port; `spec.secrets`: send (text). An answer is read only where an
    expectation looks at it: until it is fulfilled, the connection is closed, 64 KiB are there, or
    time is up.
    """
    host, port = endpoint(spec.config)
    expected = read_expectations(spec.expect)
    sock = dialer.connect(host, port, attempt)
    with sock:
        attempt.on_connected()
        attempt.enter("first_byte")
        wire = Stream(sock, attempt)
        if send := spec.secrets.get("send"):
            attempt.request_sent = True
            wire.send(str(send).encode())
        body = _answer(wire, attempt, expected) if expected.want_body else b""
        attempt.book(attempt.phase)
    return Observation(body=body, truncated=len(body) >= MAX_ANSWER)


def _answer(wire: Stream, attempt: Attempt, expected: Expectations) -> bytes:
    body = wire.receive("an answer")
    attempt.book("first_byte")
    attempt.enter("body")
    pieces = 1
    try:
        while not _fulfilled(body, expected, pieces, attempt.deadline) and len(body) < MAX_ANSWER:
            piece = wire.receive("the rest of the answer", MAX_ANSWER - len(body))
            if not piece:
                break
            body += piece
            pieces += 1
    except OutOfTime:
        pass  # the target has answered: what it said is the evidence
    return body


def _fulfilled(body: bytes, expected: Expectations, pieces: int, deadline: float) -> bool:
    text = body.decode("utf-8", "replace")
    if expected.body_contains is not None and expected.body_contains not in text:
        return False
    if expected.body_matches is None:
        return True
    return pieces <= _LOOK_AGAIN and search(expected.body_matches, text, deadline)[0]
