"""A connection read and written under the deadline of one attempt."""

import ssl
from typing import Final, Protocol

from chalicelib.monitoring.result import Reason
from chalicelib.probes.deadline import Attempt
from chalicelib.probes.errors import CheckFailure, OutOfTime
from chalicelib.probes.net.tls_stream import Overlong

_PIECE: Final = 16384  # what one TLS record may hold
MAX_PIECES: Final = 20_000  # of a few bytes each, they would cost more CPU than they carry


class Connection(Protocol):
    """What is needed of a socket, or of TLS over one."""

    def settimeout(self, seconds: float, /) -> None: ...

    def send(self, data: memoryview, /) -> int: ...

    def recv(self, size: int, /) -> bytes: ...

    def close(self) -> None: ...


class Stream:
    """Bytes in and out of a socket; every wait ends at the deadline, whatever trickles in."""

    __slots__ = ("_attempt", "_pieces", "_sock")

    def __init__(self, sock: Connection, attempt: Attempt) -> None:
        self._sock = sock
        self._attempt = attempt
        self._pieces = 0

    def send(self, data: bytes) -> None:
        """Send everything; raise CheckFailure."""
        view = memoryview(data)
        try:
            while view:
                self._sock.settimeout(self._attempt.remaining("the request to be taken"))
                view = view[self._sock.send(view) :]
        except OSError as error:
            raise failure(error, "the request to be taken") from None

    def receive(self, what: str, size: int = _PIECE) -> bytes:
        """Return some bytes, b"" at the end; raise CheckFailure, which names `what`."""
        self._pieces += 1
        if self._pieces > MAX_PIECES:
            raise CheckFailure(Reason.PROTOCOL, f"the answer came in more than {MAX_PIECES} pieces")
        try:
            self._sock.settimeout(self._attempt.remaining(what))
            return self._sock.recv(size)
        except OSError as error:
            raise failure(error, what) from None

    def close(self) -> None:
        self._sock.close()


def failure(error: OSError, what: str) -> CheckFailure:
    """Return what an exception of a socket in use means."""
    if isinstance(error, TimeoutError):
        return OutOfTime(what)
    if isinstance(error, Overlong):
        return CheckFailure(Reason.TLS, f"TLS records without end while waiting for {what}")
    if isinstance(error, ssl.SSLError):
        return CheckFailure(Reason.TLS, f"TLS failed ({error.reason}) while waiting for {what}")
    return CheckFailure(Reason.CONNECT, f"the connection was reset while waiting for {what}")
