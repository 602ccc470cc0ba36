"""TLS over a socket, fed piece by piece so that the deadline is checked between records.

`ssl.SSLSocket` keeps reading inside OpenSSL while records without data arrive, such as session
tickets or renegotiation requests: a server that sends them fast enough blocks it indefinitely.
"""

import _ssl
import socket
import ssl
import time
from contextlib import suppress
from typing import Final

from chalicelib.probes.deadline import seconds_left

_PIECE: Final = 16 * 1024
_MAX_IDLE: Final = 256 * 1024  # four times a long chain of large certificates


class Overlong(OSError):
    """The server sends too many bytes without any application data."""


class TlsStream:
    """A TLS client connection with the methods of `Connection`. Closing it closes the socket."""

    def __init__(self, sock: socket.socket, context: ssl.SSLContext, name: str) -> None:
        self._sock = sock
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=name)
        self._deadline = 0.0
        self._idle = 0

    def settimeout(self, seconds: float) -> None:
        """Set how long the whole next call may take before it raises TimeoutError."""
        self._deadline = time.monotonic() + seconds

    def do_handshake(self) -> None:
        """Perform the handshake; raise OSError."""
        while True:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                self._flush()
                self._feed()
            except ssl.SSLError:
                with suppress(OSError):  # send the alert, so that the server knows the reason too
                    self._flush()
                raise
            else:
                self._flush()
                return

    def certificate(self) -> bytes | None:
        """Return the server's certificate in DER, None if it sent none."""
        return self._tls.getpeercert(binary_form=True)

    def chain(self) -> list[bytes]:
        """Return the certificates in DER, the server's first.

        These are the ones that the verification used, up to the root; without verification only
        the server's.
        """
        # Public from Python 3.13 on, as SSLObject.get_verified_chain.
        verified = self._tls._sslobj.get_verified_chain()  # type: ignore[attr-defined]  # noqa: SLF001
        if self._tls.context.verify_mode is ssl.CERT_NONE or not verified:
            der = self.certificate()
            return [der] if der else []
        return [one.public_bytes(_ssl.ENCODING_DER) for one in verified]

    def protocol(self) -> str | None:
        """Return the protocol that was negotiated (ALPN), None if the server chose none."""
        return self._tls.selected_alpn_protocol()

    def send(self, data: memoryview) -> int:
        """Send everything and return its length; raise OSError."""
        sent = self._tls.write(data)
        self._flush()
        return sent

    def recv(self, size: int) -> bytes:
        """Return some bytes, b"" at the end, even without close_notify; raise OSError."""
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
        """Pass received bytes, or the end of the connection, to OpenSSL."""
        self._sock.settimeout(seconds_left(self._deadline))
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
            self._sock.settimeout(seconds_left(self._deadline))
            data = data[self._sock.send(data) :]
