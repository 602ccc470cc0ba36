"""Certificates: what is wrong with one, for which name it is, and the days that it has left."""

import ssl
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.probes.conftest import Watch
from tests.probes.hostile import Peer, Server, serving, with_tls
from tests.probes.pki import Authority, server_context

Make = Callable[[Authority, Path], Path]


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
    context = server_context(make(authority, tmp_path / "it.pem"))
    with serving(with_tls(context)) as server:
        result = watch(kind, **address(kind, server))
    assert result.reason == reason, result
    assert result.verdict == ("DOWN" if reason else "UP")
    assert says in (result.error or "")
    assert result.attempts == (2 if reason else 1)


def address(kind: str, server: Server, host: str = "127.0.0.1") -> dict[str, object]:
    if kind == "http":
        return {"url": f"https://{host}:{server.port}/"}
    return {"host": host, "port": server.port}


def test_the_server_hears_what_was_wrong_with_its_certificate(
    watch: Watch, authority: Authority, tmp_path: Path
) -> None:
    context = server_context(authority.issue(tmp_path / "it.pem", days=-2))
    context.maximum_version = ssl.TLSVersion.TLSv1_2

    def behave(peer: Peer) -> None:
        try:
            peer.start_tls(context)
        except ssl.SSLError as error:
            peer.requests.append(str(error.reason).encode())

    with serving(behave) as server:
        watch("tls", **address("tls", server))
    assert server.requests[0] == b"SSLV3_ALERT_CERTIFICATE_EXPIRED"


@pytest.mark.parametrize("kind", ["http", "tls"])
def test_names_are_verified_as_well_as_addresses(
    watch: Watch, authority: Authority, tmp_path: Path, kind: str
) -> None:
    context = server_context(authority.issue(tmp_path / "it.pem", ["localhost"]))
    with serving(with_tls(context)) as server:
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
    context = server_context(authority.issue(tmp_path / "it.pem", days=days))
    with serving(with_tls(context)) as server:
        result = watch(kind, expect={"tls_days_left": 14}, **address(kind, server))
    assert (result.verdict, result.tls_days_left) == (verdict, int(days))
    assert result.reason == ("tls_expiring" if verdict == "DEGRADED" else None)
    assert says in (result.error or "")


@pytest.mark.parametrize("kind", ["http", "tls"])
def test_a_target_may_skip_verification_and_still_hear_of_expiry(
    watch: Watch, authority: Authority, tmp_path: Path, kind: str
) -> None:
    context = server_context(authority.issue(tmp_path / "it.pem", ["x"], days=-2.5, own_key=True))
    with serving(with_tls(context)) as server:
        config = {**address(kind, server), "verify_tls": False}
        assert watch(kind, **config).verdict == "UP"
        late = watch(kind, expect={"tls_days_left": 1}, **config)
    assert (late.verdict, late.reason, late.tls_days_left) == ("DEGRADED", "tls_expiring", -3)
    assert late.error == "the certificate has expired"


@pytest.mark.parametrize("kind", ["tls", "http"])
@pytest.mark.parametrize(
    ("leaf", "middle", "left", "error"),
    [
        (25, 20.5, 20, None),
        (25, 5.5, 5, "the certificate of the issuer expires in 5 days"),
        (5.5, 25, 5, "the certificate expires in 5 days"),
    ],
)
def test_the_first_certificate_of_the_chain_to_expire_counts(
    watch: Watch,
    authority: Authority,
    tmp_path: Path,
    kind: str,
    *,
    leaf: float,
    middle: float,
    left: int,
    error: str | None,
) -> None:
    issuer = Authority.make("between", authority, days=middle)
    context = server_context(issuer.issue(tmp_path / "it.pem", days=leaf, chain=[issuer]))
    with serving(with_tls(context)) as server:
        result = watch(kind, **address(kind, server), expect={"tls_days_left": 14})
    assert (result.tls_days_left, result.error) == (left, error)


def test_an_expired_certificate_that_is_not_needed_is_no_alarm(
    watch: Watch, authority: Authority, tmp_path: Path
) -> None:
    """A root that is trusted is also sent in an expired version, signed by another one."""
    other = Authority.make("an old root")
    crossed = Authority.make("Monitum test CA", other, days=-10, key=authority.key)
    context = server_context(authority.issue(tmp_path / "it.pem", days=20.5, chain=[crossed]))
    with serving(with_tls(context)) as server:
        result = watch("tls", **address("tls", server))
    assert (result.verdict, result.tls_days_left) == ("UP", 20)
