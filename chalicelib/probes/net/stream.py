"""Reading from and writing to a connection under the deadline of one attempt."""

import ssl
from typing import Final, Protocol

from chalicelib.monitoring.result import Reason
from chalicelib.probes.deadline import Attempt
from chalicelib.probes.errors import CheckFailure, OutOfTime
from chalicelib.probes.net.tls_stream import Overlong

_PIECE: Final = 16384  # the size of a TLS record
MAX_PIECES: Final = 20_000  # limits the CPU time spent on a response sent in tiny pieces


class Connection(Protocol):
    """The methods of a socket that Stream uses; TlsStream has them too."""

    def settimeout(self, seconds: float, /) -> None: ...

    def send(self, data: memoryview, /) -> int: ...

    def recv(self, size: int, /) -> bytes: ...

    def close(self) -> None: ...


class ResponseStream(Protocol):
    """What a body is received from: a Stream, or a stream of HTTP/2."""

    @property
    def deadline(self) -> float: ...

    def receive(self, what: str, size: int = ..., /) -> bytes: ...

    def close(self) -> None: ...


class Stream:
    """Sends and receives bytes; every wait ends at the deadline, even if data trickles in."""

    __slots__ = ("_attempt", "_pieces", "_sock")

    def __init__(self, sock: Connection, attempt: Attempt) -> None:
        self._sock = sock
        self._attempt = attempt
        self._pieces = 0

    @property
    def deadline(self) -> float:
        """The end of the attempt (monotonic)."""
        return self._attempt.deadline

    def send(self, data: bytes) -> None:
        """Send everything; raise CheckFailure."""
        view = memoryview(data)
        try:
            while view:
                self._sock.settimeout(self._attempt.remaining("the request to be sent"))
                view = view[self._sock.send(view) :]
        except OSError as error:
            raise failure(error, "the request to be sent") from None

    def receive(self, what: str, size: int = _PIECE) -> bytes:
        """Return some bytes, b"" at the end; raise CheckFailure with a text naming `what`."""
        self._pieces += 1
        if self._pieces > MAX_PIECES:
            raise CheckFailure(
                Reason.PROTOCOL, f"the response came in more than {MAX_PIECES} pieces"
            )
        try:
            self._sock.settimeout(self._attempt.remaining(what))
            return self._sock.recv(size)
        except OSError as error:
            raise failure(error, what) from None

    def close(self) -> None:
        self._sock.close()


def failure(error: OSError, what: str) -> CheckFailure:
    """Translate an exception of a connected socket."""
    if isinstance(error, TimeoutError):
        return OutOfTime(what)
    if isinstance(error, Overlong):
        return CheckFailure(Reason.TLS, f"endless TLS records while waiting for {what}")
    if isinstance(error, ssl.SSLError):
        return CheckFailure(Reason.TLS, f"TLS failed ({error.reason}) while waiting for {what}")
    return CheckFailure(Reason.CONNECT, f"the connection was reset while waiting for {what}")
