"""What a server does to a TLS handshake, and once it stands: as in the other lists."""

import socket
from contextlib import suppress
from pathlib import Path

from OpenSSL import SSL

from tests.probes.hostile import OK, Behaviour, Peer, answers, drips, floods, resets_after
from tests.probes.misbehaviours.case import LONG, Case

ALERT = bytes.fromhex("1503030002") + b"\x02"
HELLO_REQUESTS = b"\x16\x03\x03\x40\x00" + bytes(16 * 1024)  # four zeros are one


def _silent_after_hello(peer: Peer) -> None:
    peer.sock.recv(65536)
    peer.wait()


def _after_hello(*data: bytes) -> Behaviour:
    def behave(peer: Peer) -> None:
        peer.sock.recv(65536)
        for piece in data:
            peer.say(piece)

    return behave


def _reset_after_hello(peer: Peer) -> None:
    peer.sock.recv(65536)
    peer.reset()


def _drip_after_hello(peer: Peer) -> None:
    peer.sock.recv(65536)
    peer.drip(bytes.fromhex("1603033fff") + bytes(999))


def _flood_after_hello(data: bytes) -> Behaviour:
    def behave(peer: Peer) -> None:
        peer.sock.recv(65536)
        peer.flood(data)

    return behave


HANDSHAKES = [
    Case("silence", Peer.wait, "timeout", "TLS handshake"),
    Case("silence after the hello", _silent_after_hello, "timeout", "TLS handshake"),
    Case("RST", Peer.reset, "connect"),
    Case("RST after the hello", _reset_after_hello, "connect", "TLS handshake"),
    Case("closed after the hello", _after_hello(), "tls", "closed"),
    Case("HTTP after the hello", _after_hello(OK), "tls", "does not speak TLS"),
    Case("nonsense", _after_hello(b"\xff" * 99), "tls", "TLS"),
    Case("a fatal alert", _after_hello(ALERT + b"\x28"), "tls", "refused the TLS handshake"),
    Case("an unknown name", _after_hello(ALERT + b"\x70"), "tls", "does not know this name"),
    Case("an old version", _after_hello(ALERT + b"\x46"), "tls", "version"),
    Case("an internal error", _after_hello(ALERT + b"\x50"), "tls", "INTERNAL_ERROR"),
    Case("endless warnings", _flood_after_hello(bytes.fromhex("15030300020100") * 99), "tls"),
    Case("a byte at a time", _drip_after_hello, "timeout", "TLS handshake"),
    Case("to begin again, endlessly", _flood_after_hello(HELLO_REQUESTS), "tls", "does not end"),
]


def _raw(peer: Peer) -> None:
    peer.read_request()
    plain = socket.socket(fileno=peer.sock.detach())
    plain.sendall(b"x" * 999)
    plain.close()


OVER_TLS = [
    Case("a good answer", answers(OK), None),
    Case("closed at once", lambda _: None, "protocol", "without a response"),
    Case("closed without a response", answers(), "protocol", "without a response"),
    Case("silence", Peer.wait, "timeout", "first byte"),
    Case("RST after the request", resets_after(b""), "connect", "reset"),
    Case("RST within the body", resets_after(LONG), "connect", "reset"),
    Case("an endless body", floods(b"x" * 9999, first=b"HTTP/1.1 200 OK\r\n\r\n"), None),
    Case("headers at a byte at a time", drips(OK), "timeout", "headers"),
    Case("a body cut off", answers(LONG + b"x"), "protocol", "after 1 of"),
    Case("bytes that are no TLS", _raw, "tls", "TLS failed"),
]


def renegotiating(certificate: Path, then: bytes) -> Behaviour:
    """Shake hands by TLS 1.2, read the request, and ask for another handshake."""
    context = SSL.Context(SSL.TLS_SERVER_METHOD)
    context.set_max_proto_version(SSL.TLS1_2_VERSION)
    context.use_certificate_chain_file(str(certificate))
    context.use_privatekey_file(str(certificate))

    def behave(peer: Peer) -> None:
        peer.sock.settimeout(None)  # pyOpenSSL waits by itself, or not at all
        tls = SSL.Connection(context, peer.sock)
        tls.set_accept_state()
        tls.do_handshake()
        peer.requests.append(tls.recv(65536))
        tls.renegotiate()
        tls.do_handshake()
        tls.sendall(then)
        with suppress(SSL.Error):
            tls.recv(1)

    return behave


# What it says after it has asked, and how the check ends: the client says no, as a warning, and the
# server may go on without, or take it badly.
RENEGOTIATIONS: dict[str, tuple[bytes, str | None, str]] = {
    "an answer": (OK, None, ""),
    "half an answer": (OK[:20], "tls", "HANDSHAKE_FAILURE"),
    "nothing": (b"", "tls", "HANDSHAKE_FAILURE"),
}
