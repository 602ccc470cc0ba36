"""What goes to webhooks and chat services passes the same guard."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from chalicelib.probes.checker import Checker
from chalicelib.probes.net.outbound import Outbound, OutboundError
from chalicelib.probes.net.ssrf_guard import Guard
from tests.probes.hostile import (
    Peer,
    answers,
    falls_silent_after,
    floods,
    redirect,
    resets_after,
    response,
    serving,
    with_tls,
)
from tests.probes.pki import Authority, server_context


@pytest.fixture
def outbound(checker: Checker) -> Outbound:
    return Outbound(checker.dialer)


@pytest.fixture
def public() -> Iterator[Outbound]:
    checker = Checker(Guard())
    yield Outbound(checker.dialer)
    checker.close()


def test_a_post_arrives_as_it_was_meant(outbound: Outbound) -> None:
    with serving(answers(response(status="202 x", body=b"thanks"))) as server:
        url = f"http://127.0.0.1:{server.port}/hook?x=y"
        answer = outbound.post(url, b'{"a":1}', {"Content-Type": "application/json", "X-Id": "7"})
    assert (answer.status_code, answer.body) == (202, b"thanks")
    head = server.requests[0].decode()
    assert head.startswith("POST /hook?x=y HTTP/1.1\r\n")
    for line in (f"Host: 127.0.0.1:{server.port}", "Content-Length: 7", "X-Id: 7"):
        assert f"\r\n{line}\r\n" in head


def test_over_tls(outbound: Outbound, authority: Authority, tmp_path: Path) -> None:
    good, bad = (
        server_context(authority.issue(tmp_path / "a")),
        server_context(authority.issue(tmp_path / "b", ["x"])),
    )
    with serving(with_tls(good)) as server:
        assert outbound.post(f"https://127.0.0.1:{server.port}/", b"", {}).status_code == 200
    with serving(with_tls(bad)) as server, pytest.raises(OutboundError, match="another"):
        outbound.post(f"https://127.0.0.1:{server.port}/", b"", {})


def test_redirects_are_told_not_followed(outbound: Outbound) -> None:
    with serving(answers(redirect("http://169.254.169.254/"))) as server:
        assert outbound.post(f"http://127.0.0.1:{server.port}/", b"", {}).status_code == 302


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1/", "http://localhost/", "http://[::1]/", "file:///x", "http://a:b@c/", ""],
)
def test_the_guard_stands_before_it(public: Outbound, url: str) -> None:
    with pytest.raises(OutboundError) as failed:
        public.post(url, b"", {})
    assert (failed.value.reason, failed.value.request_sent) == ("blocked", False)
    with pytest.raises(requests.RequestException):
        public.session().get(url)


def test_whether_the_request_went_out_is_known(outbound: Outbound) -> None:
    with serving(resets_after(b"")) as server, pytest.raises(OutboundError) as failed:
        outbound.post(f"http://127.0.0.1:{server.port}/", b"", {})
    assert (failed.value.reason, failed.value.request_sent) == ("connect", True)
    with pytest.raises(OutboundError) as failed:
        outbound.post(f"http://127.0.0.1:{server.port}/", b"", {})
    assert (failed.value.reason, failed.value.request_sent) == ("refused", False)


@pytest.mark.parametrize(
    "behave", [Peer.wait, falls_silent_after(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n")]
)
def test_it_ends_in_time(outbound: Outbound, behave: object) -> None:
    with serving(behave) as server:  # type: ignore[arg-type]
        started = time.monotonic()
        with pytest.raises(OutboundError) as failed:
            outbound.post(f"http://127.0.0.1:{server.port}/", b"", {}, timeout_s=0.3)
    assert failed.value.reason == "timeout"
    assert time.monotonic() - started < 0.55


def test_an_endless_answer_is_cut(outbound: Outbound) -> None:
    with serving(floods(b"x" * 9999, first=b"HTTP/1.1 200 OK\r\n\r\n")) as server:
        answer = outbound.post(f"http://127.0.0.1:{server.port}/", b"", {})
    assert len(answer.body) == 64 * 1024


def test_errors_hold_no_secrets(outbound: Outbound) -> None:
    with pytest.raises(OutboundError) as failed:
        outbound.post("http://127.0.0.1:1/?key=secret", b"", {"Authorization": "Bearer secret"})
    assert "secret" not in str(failed.value)


def test_a_header_cannot_smuggle_another(outbound: Outbound) -> None:
    with serving(answers()) as server, pytest.raises(OutboundError) as failed:
        outbound.post(f"http://127.0.0.1:{server.port}/", b"", {"X": "a\r\nY: b"})
    assert (failed.value.reason, failed.value.request_sent) == ("internal", False)


def test_a_session_for_libraries_behaves_like_one_of_requests(outbound: Outbound) -> None:
    def behave(peer: Peer) -> None:
        again = bool(peer.requests)
        answers(response(body=b'{"a": 1}') if again else redirect("/there"))(peer)

    with serving(behave) as server, outbound.session() as session:
        found = session.post(f"http://127.0.0.1:{server.port}/", json={"x": "y"}, timeout=2)
        assert (found.status_code, found.json(), len(found.history)) == (200, {"a": 1}, 1)
        assert b'{"x": "y"}' in server.requests[0]
        with pytest.raises(requests.ConnectionError):
            session.get("http://169.254.169.254/", timeout=2)
    with serving(Peer.wait) as server, pytest.raises(requests.Timeout):
        outbound.session().get(f"http://127.0.0.1:{server.port}/", timeout=0.2)
