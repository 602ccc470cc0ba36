"""The `tcp` kind: connect and, if configured, send a text and read the response."""

from typing import Final

from chalicelib.monitoring.check_spec import CheckSpec
from chalicelib.monitoring.expectations import Expectations, read_expectations
from chalicelib.probes.assertions.keywords import contains
from chalicelib.probes.assertions.response import Observation, body_text
from chalicelib.probes.assertions.safe_regex import search
from chalicelib.probes.deadline import Attempt
from chalicelib.probes.errors import OutOfTime
from chalicelib.probes.net.dialer import Dialer
from chalicelib.probes.net.stream import Stream
from chalicelib.probes.net.urls import endpoint

MAX_RESPONSE: Final = 64 * 1024
_MAX_SEARCHES: Final = 8  # pieces after which the pattern is only tried on the complete response


def check_tcp(spec: CheckSpec, dialer: Dialer, attempt: Attempt) -> Observation:
    """Check a `tcp` target; raise CheckFailure.

    `spec.config`: host, port; `spec.secrets`: send (text). The response is read only if an
    expectation needs it: until the expectation is met, the server closes the connection, 64 KiB
    have arrived, or time is up.
    """
    host, port = endpoint(spec.config)
    expected = read_expectations(spec.expect)
    sock = dialer.connect(host, port, attempt)
    with sock:
        attempt.on_connected()
        attempt.phase = "first_byte"
        stream = Stream(sock, attempt)
        if send := spec.secrets.get("send"):
            attempt.request_sent = True
            stream.send(str(send).encode())
        body = _read_response(stream, attempt, expected) if expected.want_body else b""
        attempt.record(attempt.phase)
    return Observation(body=body, truncated=len(body) >= MAX_RESPONSE)


def _read_response(stream: Stream, attempt: Attempt, expected: Expectations) -> bytes:
    body = stream.receive("a response")
    attempt.record("first_byte")
    attempt.phase = "body"
    pieces = 1
    try:
        while not _fulfilled(body, expected, pieces, attempt.deadline) and len(body) < MAX_RESPONSE:
            piece = stream.receive("the rest of the response", MAX_RESPONSE - len(body))
            if not piece:
                break
            body += piece
            pieces += 1
    except OutOfTime:
        pass  # the target did respond: the expectations decide on what arrived
    return body


def _fulfilled(body: bytes, expected: Expectations, pieces: int, deadline: float) -> bool:
    text = body_text(Observation(body=body, truncated=True))
    wanted = expected.body_contains
    if wanted is not None and not contains(text, wanted, entities=True):
        return False
    if expected.body_matches is None:
        return True
    return pieces <= _MAX_SEARCHES and search(expected.body_matches, text, deadline)[0]
