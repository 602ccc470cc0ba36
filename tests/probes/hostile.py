"""A server on loopback that does whatever a test tells it to, byte by byte."""

import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nOK"
_PATIENCE_S = 10.0


@dataclass
class Peer:
    """One connection, from the server's side. Every method ends when the test does."""

    sock: socket.socket
    closing: threading.Event
    requests: list[bytes] = field(default_factory=list)

    def read_request(self) -> bytes:
        """Read a request to the end of its headers."""
        data = b""
        while b"\r\n\r\n" not in data:
            piece = self.sock.recv(65536)
            if not piece:
                break
            data += piece
        self.requests.append(data)
        return data

    def say(self, data: bytes) -> None:
        self.sock.sendall(data)

    def drip(self, data: bytes, every_s: float = 0.1) -> None:
        """Send a byte at a time."""
        for place in range(len(data)):
            self.sock.sendall(data[place : place + 1])
            if self.closing.wait(every_s):
                return

    def flood(self, data: bytes, most: int = 1 << 30) -> None:
        """Send the same again and again."""
        sent = 0
        while sent < most and not self.closing.is_set():
            self.sock.sendall(data)
            sent += len(data)

    def wait(self) -> None:
        """Say nothing, and keep the connection."""
        self.closing.wait(_PATIENCE_S)

    def reset(self) -> None:
        """Close with RST instead of FIN."""
        linger = struct.pack("ii", 1, 0)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.sock.close()

    def start_tls(self, context: ssl.SSLContext) -> None:
        self.sock = context.wrap_socket(self.sock, server_side=True)


Behaviour = Callable[[Peer], None]


class Server:
    """Listens on loopback and gives every connection to a behaviour, in a thread of its own."""

    def __init__(self, behave: Behaviour, family: socket.AddressFamily = socket.AF_INET) -> None:
        self._behave = behave
        host = "127.0.0.1" if family == socket.AF_INET else "::1"
        self._listener = socket.create_server((host, 0), family=family, backlog=64)
        self.port: int = self._listener.getsockname()[1]
        self.requests: list[bytes] = []
        self.connections = 0
        self._closing = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while not self._closing.is_set():
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            sock.settimeout(_PATIENCE_S)
            peer = Peer(sock, self._closing, self.requests)
            threading.Thread(target=self._serve, args=(peer,), daemon=True).start()

    def _serve(self, peer: Peer) -> None:
        with suppress(OSError, ValueError, LookupError):
            self._behave(peer)
        with suppress(OSError):
            peer.sock.shutdown(socket.SHUT_RDWR)
        with suppress(OSError):
            peer.sock.close()

    def close(self) -> None:
        self._closing.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


@contextmanager
def serving(behave: Behaviour, family: socket.AddressFamily = socket.AF_INET) -> Iterator[Server]:
    """Run a server for as long as a test needs it."""
    server = Server(behave, family)
    try:
        yield server
    finally:
        server.close()


def answers(*data: bytes) -> Behaviour:
    """Read the request, send the pieces, close."""

    def behave(peer: Peer) -> None:
        peer.read_request()
        for piece in data:
            peer.say(piece)

    return behave


def resets_after(data: bytes) -> Behaviour:
    """Read the request, send some bytes, close with RST."""

    def behave(peer: Peer) -> None:
        peer.read_request()
        peer.say(data)
        peer.closing.wait(0.05)
        peer.reset()

    return behave


def falls_silent_after(data: bytes) -> Behaviour:
    """Read the request, send some bytes, and nothing more."""

    def behave(peer: Peer) -> None:
        peer.read_request()
        peer.say(data)
        peer.wait()

    return behave


def drips(data: bytes, *, first: bytes = b"") -> Behaviour:
    """Read the request and send the rest of the answer a byte at a time."""

    def behave(peer: Peer) -> None:
        peer.read_request()
        peer.say(first)
        peer.drip(data)

    return behave


def floods(data: bytes, *, first: bytes = b"") -> Behaviour:
    """Read the request and send the same bytes for ever."""

    def behave(peer: Peer) -> None:
        peer.read_request()
        peer.say(first)
        peer.flood(data)

    return behave


def with_tls(context: ssl.SSLContext, then: Behaviour | None = None) -> Behaviour:
    """Do the handshake first."""

    def behave(peer: Peer) -> None:
        peer.start_tls(context)
        (then or answers(OK))(peer)

    return behave


def response(*headers: str, status: str = "200 OK", body: bytes = b"OK") -> bytes:
    """Return a response with a right Content-Length and some more headers."""
    last = ("Connection: close", f"Content-Length: {len(body)}")
    lines = [f"HTTP/1.1 {status}", *headers, *last]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def redirect(location: str, status: str = "302 Found") -> bytes:
    """Return a redirect."""
    return response(f"Location: {location}", status=status, body=b"")
