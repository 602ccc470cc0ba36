"""HTTP/2 with servers that demand it: what is sent, what is remembered, and what is bounded."""

import struct
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from chalicelib.monitoring.result import CheckResult
from chalicelib.probes.checker import Checker
from chalicelib.probes.net.ssrf_guard import Guard
from tests.probes.hostile import Behaviour, Peer, Server, serving, with_tls
from tests.probes.pki import Authority, server_context
from tests.probes.quirks.http2 import PAGE, shows, speaks
from tests.probes.specs import spec

Run = Callable[..., tuple[CheckResult, Server]]
SETTINGS = bytes.fromhex("000000040000000000")


@pytest.fixture
def run(authority: Authority, ca_file: Path, tmp_path: Path) -> Iterator[Run]:
    """Check a server that speaks only HTTP/2, so many times."""
    context = server_context(authority.issue(tmp_path / "it.pem"), ("h2",))
    checker = Checker(Guard(allow_private=True), ca_file=str(ca_file), pause_s=0)

    def check(
        behave: Behaviour, times: int = 1, within_s: float = 2.0, **config: Any
    ) -> tuple[CheckResult, Server]:
        with serving(with_tls(context, behave)) as server:
            target = spec(url=f"https://127.0.0.1:{server.port}/x?y", **config)
            results = [checker.check(target, time.monotonic() + within_s) for _ in range(times)]
        return results[-1], server

    yield check
    checker.close()


def test_a_server_is_remembered(run: Run) -> None:
    result, server = run(speaks(shows(PAGE)), times=3)
    assert (result.verdict, result.attempts, result.tls_days_left) == ("UP", 1, 29)
    assert server.connections == 4


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE"])
def test_what_is_sent(run: Run, method: str) -> None:
    seen: list[dict[str, str]] = []

    def answer(connection: object, stream: int, request: dict[str, str]) -> None:
        seen.append(request)
        page = b"" if method == "HEAD" else b"OK"
        shows(PAGE, page)(connection, stream, request)  # type: ignore[arg-type]

    body = None if method in {"GET", "HEAD"} else "ä" * 2000
    secrets = {"headers": {"X-Name": "välue", "Connection": "x", "Host": "shop.test"}}
    result, _ = run(speaks(answer), method=method, body=body, secrets=secrets)
    assert result.verdict == "UP", result
    (request,) = seen
    assert request[":method"] == method
    assert (request[":path"], request[":scheme"]) == ("/x?y", "https")
    assert request[":authority"] == "shop.test"
    assert request.get("content-length") == (None if body is None else "4000")
    assert not {"connection", "host"} & request.keys()


def raw(*frames: bytes, again: bytes = b"") -> Behaviour:
    """Answer with frames, and with the same ones again and again."""

    def behave(peer: Peer) -> None:
        if peer.sock.recv(65536)[:3] == b"PRI":
            peer.say(SETTINGS + b"".join(frames))
            if again:
                peer.flood(again * 999)
            peer.wait()

    return behave


def frame(kind: int, flags: int, payload: bytes, stream: int = 1) -> bytes:
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


STATUS_200 = frame(1, 4, b"\x88")
DATA = frame(0, 0, b"x" * 16_000)
HOSTILE = {
    "pings": (raw(again=frame(6, 0, bytes(8), 0)), "protocol", "frames"),
    "settings": (raw(again=SETTINGS), "protocol", "frames"),
    "empty data": (raw(STATUS_200, again=frame(0, 0, b"")), "protocol", "frames"),
    "window updates": (raw(again=frame(8, 0, b"\0\0\0\1", 0)), "protocol", ""),
    "unknown frames": (raw(again=frame(99, 0, b"x", 0)), "protocol", "frames"),
    "data": (raw(STATUS_200, again=DATA), None, ""),
    "continuations": (raw(frame(1, 0, b"\x88"), again=frame(9, 0, b"\x88" * 999)), "protocol", ""),
    "headers": (raw(again=STATUS_200), "protocol", ""),
    "a header bomb": (
        raw(frame(1, 4, b"\x88\x40\x01a\x7f\xa1\x1e" + b"y" * 4000 + b"\xbe" * 9000)),
        "too_large",
        "",
    ),
    "a broken header block": (raw(frame(1, 4, b"\xff" * 50)), "protocol", "violates"),
    "a header of capitals": (raw(frame(1, 4, b"\x88\x40\x01A\x01b")), "protocol", "violates"),
    "no status": (raw(frame(1, 4, b"\x40\x01a\x01b")), "protocol", ""),
    "a frame of 16 MB": (
        raw(b"\xff\xff\xff" + frame(0, 0, b"")[3:], again=b"x"),
        "protocol",
        "",
    ),
    "a push": (raw(frame(5, 4, b"\0\0\0\2\x88")), "protocol", "violates"),
    "silence": (raw(), "timeout", "first byte"),
    "silence in the body": (raw(STATUS_200), "timeout", "body"),
    "nonsense": (raw(again=b"x" * 99), "protocol", ""),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_server(run: Run, name: str) -> None:
    behave, reason, says = HOSTILE[name]
    started = time.monotonic()
    result, _ = run(behave, within_s=1.0)
    assert result.reason == reason, result
    assert says in (result.error or ""), result
    assert time.monotonic() - started < 1.3
