"""TLS over a socket, fed by the piece, so that the deadline is looked at whatever the records hold.

An `ssl.SSLSocket` reads on inside of OpenSSL while records come that carry no data, such as tickets
or requests to begin again: a server that sends them fast enough holds it for as long as it likes.
"""

import socket
import ssl
import time
from contextlib import suppress
from typing import Final

_PIECE: Final = 16 * 1024
_MAX_IDLE: Final = 256 * 1024  # a long chain of large certificates is a quarter of that


class Overlong(OSError):
    """The other side sends and sends, and none of it is data."""


class TlsStream:
    """What a check needs of a socket, over TLS. Closing it closes the socket."""

    def __init__(self, sock: socket.socket, context: ssl.SSLContext, name: str) -> None:
        self._sock = sock
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=name)
        self._until = 0.0
        self._idle = 0

    def settimeout(self, seconds: float) -> None:
        """Say how long all of the next call may take; it raises TimeoutError then."""
        self._until = time.monotonic() + seconds

    def do_handshake(self) -> None:
        """Do the handshake; raise OSError."""
        while True:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                self._flush()
                self._feed()
            except ssl.SSLError:
                self._tell()
                raise
            else:
                self._flush()
                return

    def certificate(self) -> bytes | None:
        """Return the other side's certificate in DER, None where it showed none."""
        return self._tls.getpeercert(binary_form=True)

    def send(self, data: memoryview) -> int:
        """Send everything and return its length; raise OSError."""
        sent = self._tls.write(data)
        self._flush()
        return sent

    def recv(self, size: int) -> bytes:
        """Return some bytes, b"" at the end, announced or not; raise OSError."""
        while True:
            try:
                data = self._tls.read(size)
            except ssl.SSLWantReadError:
                self._flush()
                self._feed()
            except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
                return b""
            else:
                self._idle = 0
                return data

    def close(self) -> None:
        self._sock.close()

    def _feed(self) -> None:
        """Take a piece of what the other side sent, or its end."""
        self._sock.settimeout(self._left())
        piece = self._sock.recv(_PIECE)
        if not piece:
            self._incoming.write_eof()
            return
        self._idle += len(piece)
        if self._idle > _MAX_IDLE:
            raise Overlong
        self._incoming.write(piece)

    def _flush(self) -> None:
        if not self._outgoing.pending:
            return
        data = memoryview(self._outgoing.read())
        while data:
            self._sock.settimeout(self._left())
            data = data[self._sock.send(data) :]

    def _tell(self) -> None:
        """Send the alert that a failure left, so that the other side knows as well."""
        with suppress(OSError):
            self._flush()

    def _left(self) -> float:
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left
