"""Bytes in and out: how many pieces, how much of TLS without data, and until when."""

import ssl
import time

import pytest

from chalicelib.monitoring.result import Reason
from chalicelib.probes.deadline import Attempt
from chalicelib.probes.errors import CheckFailure, OutOfTime
from chalicelib.probes.net.stream import MAX_PIECES, Stream
from chalicelib.probes.net.tls_stream import Overlong, TlsStream


class Crumbs:
    """A connection over which a byte comes at a time, as many as are asked for."""

    taken = b""
    timeout = 0.0

    def settimeout(self, seconds: float) -> None:
        self.timeout = seconds

    def send(self, data: memoryview) -> int:
        self.taken += bytes(data[:1])
        return 1

    def recv(self, size: int) -> bytes:
        return b"x"

    def close(self) -> None:
        """Nothing to do."""


def attempt(within_s: float = 60) -> Attempt:
    return Attempt(time.monotonic() + within_s)


def test_an_answer_may_come_in_so_many_pieces() -> None:
    wire = Stream(Crumbs(), attempt())
    for _ in range(MAX_PIECES):
        assert wire.receive("the body") == b"x"
    with pytest.raises(CheckFailure, match="more than 20000 pieces") as caught:
        wire.receive("the body")
    assert caught.value.reason is Reason.PROTOCOL


def test_what_is_not_taken_at_once_is_sent_again() -> None:
    crumbs = Crumbs()
    Stream(crumbs, attempt()).send(b"request")
    assert crumbs.taken == b"request"


def test_every_wait_ends_at_the_deadline() -> None:
    crumbs = Crumbs()
    Stream(crumbs, attempt(7)).receive("the body")
    assert 6 < crumbs.timeout <= 7
    late = Stream(crumbs, attempt(-1))
    with pytest.raises(OutOfTime, match="the body"):
        late.receive("the body")
    with pytest.raises(OutOfTime, match="the request"):
        late.send(b"x")


class Hello(Crumbs):
    """A server that asks for a handshake again and again, and takes all that is said."""

    received = 0

    def send(self, data: memoryview) -> int:
        return len(data)

    def recv(self, size: int) -> bytes:
        self.received += size
        return (b"\x16\x03\x03\x00\x04" + bytes(4)) * (size // 9)


@pytest.mark.parametrize(("within_s", "error"), [(60, Overlong), (-1, TimeoutError)])
def test_tls_without_data_ends(within_s: float, error: type[Exception]) -> None:
    hello = Hello()
    stream = TlsStream(hello, ssl.create_default_context(), "localhost")  # type: ignore[arg-type]
    stream.settimeout(within_s)
    with pytest.raises(error):
        stream.do_handshake()
    assert hello.received <= 300 * 1024
