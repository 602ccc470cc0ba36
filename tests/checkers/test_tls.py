"""TLS: what a handshake that fails is called, and the days that a certificate has left."""

import ssl
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from tests.checkers.conftest import Watch
from tests.checkers.hostile import (
    OK,
    Behaviour,
    Peer,
    Server,
    answers,
    drips,
    floods,
    resets_after,
    serving,
    with_tls,
)
from tests.checkers.pki import Authority

Make = Callable[[Authority, Path], Path]
ALERT = bytes.fromhex("1503030002") + b"\x02"


Issued = Callable[..., Path]


@pytest.fixture
def issued(authority: Authority, tmp_path: Path) -> Issued:
    """Issue a certificate as `Authority.issue` does, to a file of the test's own."""
    return partial(authority.issue, tmp_path / "it.pem")


def context(certificate: Path) -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(certificate)
    return made


def incomplete(authority: Authority, path: Path) -> Path:
    return Authority.make("middle", authority).issue(path)


def complete(authority: Authority, path: Path) -> Path:
    middle = Authority.make("middle", authority)
    return middle.issue(path, chain=[middle])


# A certificate, the reason, and what the error says.
CERTIFICATES: dict[str, tuple[Make, str | None, str]] = {
    "good": (lambda ca, path: ca.issue(path), None, ""),
    "good, over an intermediate": (complete, None, ""),
    "expired": (lambda ca, path: ca.issue(path, days=-2), "tls", "expired"),
    "not valid yet": (lambda ca, path: ca.issue(path, starts=2), "tls", "not valid yet"),
    "for another name": (lambda ca, path: ca.issue(path, ["other.example"]), "tls", "another"),
    "for no name": (lambda ca, path: ca.issue(path, []), "tls", "another"),
    "self-signed": (lambda ca, path: ca.issue(path, own_key=True), "tls", "self-signed"),
    "of an unknown CA": (lambda _, path: Authority.make("x").issue(path), "tls", "not trusted"),
    "without its intermediate": (incomplete, "tls", "incomplete"),
}


@pytest.mark.parametrize("name", CERTIFICATES)
@pytest.mark.parametrize("kind", ["http", "tls"])
def test_certificates(
    watch: Watch, authority: Authority, tmp_path: Path, kind: str, name: str
) -> None:
    make, reason, says = CERTIFICATES[name]
    server_context = context(make(authority, tmp_path / "it.pem"))
    with serving(with_tls(server_context)) as server:
        result = watch(kind, **address(kind, server))
    assert result.reason == reason, result
    assert result.verdict == ("DOWN" if reason else "UP")
    assert says in (result.error or "")
    assert result.attempts == (2 if reason else 1)


def address(kind: str, server: Server, host: str = "127.0.0.1") -> dict[str, object]:
    if kind == "http":
        return {"url": f"https://{host}:{server.port}/"}
    return {"host": host, "port": server.port}


@pytest.mark.parametrize("kind", ["http", "tls"])
def test_names_are_verified_as_well_as_addresses(
    watch: Watch, authority: Authority, tmp_path: Path, kind: str
) -> None:
    server_context = context(authority.issue(tmp_path / "it.pem", ["localhost"]))
    with serving(with_tls(server_context)) as server:
        by_name = watch(kind, **address(kind, server, "localhost"))
        by_address = watch(kind, **address(kind, server))
    assert (by_name.verdict, by_address.reason) == ("UP", "tls")


@pytest.mark.parametrize(
    ("days", "verdict", "says"),
    [
        (20.5, "UP", ""),
        (14.5, "UP", ""),
        (13.5, "DEGRADED", "expires in 13 days"),
        (1.5, "DEGRADED", "expires in 1 day"),
        (0.5, "DEGRADED", "expires in 0 days"),
    ],
)
@pytest.mark.parametrize("kind", ["http", "tls"])
def test_days_left(
    watch: Watch,
    authority: Authority,
    tmp_path: Path,
    kind: str,
    *,
    days: float,
    verdict: str,
    says: str,
) -> None:
    server_context = context(authority.issue(tmp_path / "it.pem", days=days))
    with serving(with_tls(server_context)) as server:
        result = watch(kind, expect={"tls_days_left": 14}, **address(kind, server))
    assert (result.verdict, result.tls_days_left) == (verdict, int(days))
    assert result.reason == ("tls_expiring" if verdict == "DEGRADED" else None)
    assert says in (result.error or "")


@pytest.mark.parametrize("kind", ["http", "tls"])
def test_a_target_may_skip_verification_and_still_hear_of_expiry(
    watch: Watch, authority: Authority, tmp_path: Path, kind: str
) -> None:
    server_context = context(authority.issue(tmp_path / "it.pem", ["x"], days=-2.5, own_key=True))
    with serving(with_tls(server_context)) as server:
        config = {**address(kind, server), "verify_tls": False}
        assert watch(kind, **config).verdict == "UP"
        late = watch(kind, expect={"tls_days_left": 1}, **config)
    assert (late.verdict, late.reason, late.tls_days_left) == ("DEGRADED", "tls_expiring", -3)
    assert late.error == "the certificate has expired"


def _silent(peer: Peer) -> None:
    peer.wait()


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


def _endless_warnings(peer: Peer) -> None:
    peer.sock.recv(65536)
    peer.flood(bytes.fromhex("15030300020100") * 99)


# What a server does before or within the handshake, the reason, and what the error says.
HANDSHAKES: dict[str, tuple[Behaviour, str, str]] = {
    "silence": (_silent, "timeout", "TLS handshake"),
    "silence after the hello": (_silent_after_hello, "timeout", "TLS handshake"),
    "RST": (Peer.reset, "connect", ""),
    "RST after the hello": (_reset_after_hello, "connect", "TLS handshake"),
    "closed after the hello": (_after_hello(), "tls", "closed"),
    "HTTP after the hello": (_after_hello(OK), "tls", "does not speak TLS"),
    "nonsense": (_after_hello(b"\xff" * 99), "tls", "TLS"),
    "a fatal alert": (_after_hello(ALERT + b"\x28"), "tls", "refused the TLS handshake"),
    "an unknown name": (_after_hello(ALERT + b"\x70"), "tls", "no such name"),
    "an old version": (_after_hello(ALERT + b"\x46"), "tls", "version"),
    "an internal error": (_after_hello(ALERT + b"\x50"), "tls", "INTERNAL_ERROR"),
    "endless warnings": (_endless_warnings, "tls", "TLS"),
    "a byte at a time": (_drip_after_hello, "timeout", "TLS handshake"),
}


@pytest.mark.parametrize("name", HANDSHAKES)
@pytest.mark.parametrize("kind", ["http", "tls"])
def test_broken_handshakes(watch: Watch, kind: str, name: str) -> None:
    behave, reason, says = HANDSHAKES[name]
    with serving(behave) as server:
        result = watch(kind, within_s=0.6, **address(kind, server))
    assert (result.verdict, result.reason) == ("DOWN", reason), result
    assert says in (result.error or ""), result
    assert result.response_ms < 850


# What a server does once TLS stands.
AFTER: dict[str, tuple[Behaviour, str | None]] = {
    "a good answer": (answers(OK), None),
    "closed at once": (lambda _: None, "protocol"),
    "closed without an answer": (answers(), "protocol"),
    "silence": (_silent, "timeout"),
    # OpenSSL may tell of an RST as of an end without goodbye.
    "RST after the request": (resets_after(b""), "connect or protocol"),
    "an endless body": (floods(b"x" * 9999, first=b"HTTP/1.1 200 OK\r\n\r\n"), None),
    "headers at a byte at a time": (drips(OK), "timeout"),
    "a body cut off": (answers(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx"), "protocol"),
    "bytes that are no TLS": (lambda peer: _raw(peer, b"x" * 999), "tls"),
}


def _raw(peer: Peer, data: bytes) -> None:
    peer.read_request()
    import socket  # noqa: PLC0415 - the plain socket under the TLS

    plain = socket.socket(fileno=peer.sock.detach())
    plain.sendall(data)
    plain.close()


@pytest.mark.parametrize("name", AFTER)
def test_broken_answers_over_tls(
    watch: Watch, authority: Authority, tmp_path: Path, name: str
) -> None:
    behave, reason = AFTER[name]
    server_context = context(authority.issue(tmp_path / "it.pem"))
    with serving(with_tls(server_context, behave)) as server:
        result = watch("http", within_s=0.6, **address("http", server))
    assert result.reason is None if reason is None else result.reason in reason.split(), result


def test_an_old_server_is_told_apart(watch: Watch, authority: Authority, tmp_path: Path) -> None:
    old = context(authority.issue(tmp_path / "it.pem"))
    old.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1 "):
        old.minimum_version = ssl.TLSVersion.TLSv1
    with pytest.warns(DeprecationWarning, match="TLSv1_1 "):
        old.maximum_version = ssl.TLSVersion.TLSv1_1
    with serving(with_tls(old)) as server:
        result = watch("tls", **address("tls", server))
    assert (result.reason, result.verdict) == ("tls", "DOWN"), result
    assert "version" in (result.error or "")


def test_renegotiation_and_compression_are_off(watch: Watch) -> None:
    from chalicelib.checkers.tls import TlsContexts  # noqa: PLC0415

    for verify in (True, False):
        options = TlsContexts().get(verify=verify, http=True).options
        assert options & ssl.OP_NO_RENEGOTIATION
        assert options & ssl.OP_NO_COMPRESSION
