"""A connection read and written under the deadline of one attempt."""

import socket
import ssl
from typing import Final

from chalicelib.checkers.clock import Attempt
from chalicelib.checkers.errors import CheckFailure, OutOfTime
from chalicelib.domain.results import Reason

_PIECE: Final = 16384  # what one TLS record may hold


class Wire:
    """Bytes in and out of a socket; every wait ends at the deadline, whatever trickles in."""

    __slots__ = ("_attempt", "_sock")

    def __init__(self, sock: socket.socket, attempt: Attempt) -> None:
        self._sock = sock
        self._attempt = attempt

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
    if isinstance(error, ssl.SSLEOFError):
        return CheckFailure(Reason.CONNECT, f"the connection was cut while waiting for {what}")
    if isinstance(error, ssl.SSLError):
        return CheckFailure(Reason.TLS, f"TLS failed ({error.reason}) while waiting for {what}")
    return CheckFailure(Reason.CONNECT, f"the connection was reset while waiting for {what}")
