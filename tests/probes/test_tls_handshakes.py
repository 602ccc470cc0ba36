"""TLS: what a handshake that fails is called, and what a server may do once it stands."""

import ssl
import time
from pathlib import Path

import pytest

from chalicelib.probes.net.tls_context import HTTP_1, TlsContexts
from tests.probes.conftest import Watch
from tests.probes.hostile import Behaviour, Peer, Server, serving, with_tls
from tests.probes.misbehaviours.case import Case
from tests.probes.misbehaviours.handshakes import (
    HANDSHAKES,
    OVER_TLS,
    RENEGOTIATIONS,
    renegotiating,
)
from tests.probes.pki import Authority, server_context
from tests.probes.test_hostile_servers import DEADLINE_S, GRACE_S, assert_true


def check_case(watch: Watch, behave: Behaviour, case: Case, kind: str = "http") -> Server:
    """Check a server that behaves so, and hold verdict, reason and time against the case."""
    with serving(behave) as server:
        where: dict[str, object] = {"host": "127.0.0.1", "port": server.port}
        if kind == "http":
            where = {"url": f"https://127.0.0.1:{server.port}/"}
        started = time.monotonic()
        result = watch(kind, within_s=DEADLINE_S, **where)
        took = time.monotonic() - started
    assert_true(result, case)
    assert took < DEADLINE_S + GRACE_S
    return server


@pytest.mark.parametrize("case", HANDSHAKES, ids=lambda case: case.name)
@pytest.mark.parametrize("kind", ["http", "tls"])
def test_broken_handshakes(watch: Watch, kind: str, case: Case) -> None:
    check_case(watch, case.behave, case, kind)


@pytest.mark.parametrize("case", OVER_TLS, ids=lambda case: case.name)
def test_broken_answers_over_tls(
    watch: Watch, authority: Authority, tmp_path: Path, case: Case
) -> None:
    context = server_context(authority.issue(tmp_path / "it.pem"))
    check_case(watch, with_tls(context, case.behave), case)


@pytest.mark.parametrize("then", RENEGOTIATIONS)
def test_a_server_that_renegotiates(
    watch: Watch, authority: Authority, tmp_path: Path, then: str
) -> None:
    data, reason, says = RENEGOTIATIONS[then]
    behave = renegotiating(authority.issue(tmp_path / "it.pem"), data)
    server = check_case(watch, behave, Case(then, behave, reason, says))
    assert len(server.requests) == (2 if reason else 1)


def test_endless_tickets_end(watch: Watch, authority: Authority, tmp_path: Path) -> None:
    """Records without data, which OpenSSL reads past: in TLS 1.3 tickets for another session."""
    context = server_context(authority.issue(tmp_path / "it.pem"))
    context.num_tickets = 1_000_000
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    case = Case("tickets", Peer.wait, "tls", "endless TLS records")
    check_case(watch, with_tls(context, Peer.wait), case)


def test_an_old_server_is_told_apart(watch: Watch, authority: Authority, tmp_path: Path) -> None:
    old = server_context(authority.issue(tmp_path / "it.pem"))
    old.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1 "):
        old.minimum_version = ssl.TLSVersion.TLSv1
    with pytest.warns(DeprecationWarning, match="TLSv1_1 "):
        old.maximum_version = ssl.TLSVersion.TLSv1_1
    with serving(with_tls(old)) as server:
        result = watch("tls", host="127.0.0.1", port=server.port)
    assert (result.reason, result.verdict) == ("tls", "DOWN"), result
    assert "version" in (result.error or "")


def test_what_is_slow_or_unsafe_is_not_offered() -> None:
    for verify in (True, False):
        context = TlsContexts().get(verify=verify, protocols=HTTP_1)
        assert context.options & ssl.OP_NO_RENEGOTIATION
        assert context.options & ssl.OP_NO_COMPRESSION
        names = [cipher["name"] for cipher in context.get_ciphers()]
        assert any(name.startswith("ECDHE") for name in names)
        assert not any(name.startswith("DHE") or "NULL" in name for name in names)
