"""The `tcp` kind: a connection, and what is said over it."""

from typing import Any

import pytest

from tests.probes.conftest import Watch
from tests.probes.hostile import Behaviour, Peer, serving


def greets(*pieces: bytes, then_waits: bool = False) -> Behaviour:
    def behave(peer: Peer) -> None:
        for piece in pieces:
            peer.say(piece)
            peer.closing.wait(0.03)
        if then_waits:
            peer.wait()

    return behave


def echoes(peer: Peer) -> None:
    peer.say(b"you said " + peer.sock.recv(999))
    peer.wait()


def drips(peer: Peer) -> None:
    peer.drip(b"x" * 999)


SSH = b"SSH-2.0-OpenSSH_9.9\r\n"
# What the server does, what the target says and expects, and the reason.
TABLE: dict[str, tuple[Behaviour, dict[str, Any], str | None]] = {
    "a connection is enough": (Peer.wait, {}, None),
    "a greeting is not waited for": (greets(SSH, then_waits=True), {}, None),
    "a greeting": (greets(SSH, then_waits=True), {"expect": {"body_contains": "SSH-2.0"}}, None),
    "in two pieces": (
        greets(SSH[:5], SSH[5:], then_waits=True),
        {"expect": {"body_contains": "SSH-2.0-O", "body_matches": "^SSH-[0-9.]+-"}},
        None,
    ),
    "another greeting": (greets(SSH), {"expect": {"body_contains": "220 "}}, "body"),
    "another greeting, kept open": (
        greets(SSH, then_waits=True),
        {"expect": {"body_contains": "220 "}},
        "body",
    ),
    "a pattern": (greets(SSH), {"expect": {"body_matches": r"OpenSSH_\d"}}, None),
    "another pattern": (greets(SSH), {"expect": {"body_matches": r"^OpenSSH"}}, "body"),
    "an unwanted word": (greets(SSH), {"expect": {"body_not_contains": "OpenSSH"}}, "body"),
    "a question": (
        echoes,
        {"secrets": {"send": "ping\r\n"}, "expect": {"body_contains": "said ping"}},
        None,
    ),
    "no greeting": (Peer.wait, {"expect": {"body_contains": "x"}}, "timeout"),
    "closed without greeting": (greets(), {"expect": {"body_contains": "x"}}, "body"),
    "a byte at a time": (drips, {"expect": {"body_contains": "y"}}, "body"),
    "an endless greeting": (
        lambda peer: peer.flood(b"x" * 9999),
        {"expect": {"body_contains": "y"}},
        "too_large",
    ),
}


@pytest.mark.parametrize("name", TABLE)
def test_tcp(watch: Watch, name: str) -> None:
    behave, target, reason = TABLE[name]
    with serving(behave) as server:
        result = watch("tcp", within_s=0.6, host="127.0.0.1", port=server.port, **target)
    assert result.reason == reason, result
    assert result.verdict == ("DOWN" if reason else "UP")
    assert result.response_ms < 850


def test_a_closed_port(watch: Watch) -> None:
    with serving(Peer.wait) as server:
        port = server.port
    result = watch("tcp", host="localhost", port=port)
    assert (result.verdict, result.reason, result.attempts) == ("DOWN", "refused", 2)


@pytest.mark.parametrize("host", ["169.254.169.254", "0.0.0.0", "::ffff:127.0.0.1", "a b", ""])
def test_the_guard_stands_before_every_kind(watch: Watch, host: str) -> None:
    for kind in ("tcp", "tls"):
        result = watch(kind, host=host, port=80)
        assert (result.verdict, result.reason) == ("DOWN", "blocked")
    result = watch("dns", host="a.example", record_type="A", resolver=host or "0")
    assert (result.verdict, result.reason) == ("DOWN", "blocked")


def test_errors_do_not_tell_what_was_sent(watch: Watch) -> None:
    with serving(echoes) as server:
        result = watch(
            "tcp",
            host="127.0.0.1",
            port=server.port,
            secrets={"send": "AUTH planted-pass\r\nQUIT\r\n"},
            expect={"body_not_contains": "said AUTH planted-pass", "body_matches": "planted-pass$"},
        )
    assert result.reason == "body"
    assert result.error == 'the body contains "said ***"; the body does not match "***$"'
