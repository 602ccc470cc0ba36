"""The `http` kind as a user knows it: what is sent, what is followed, what is told."""

import socket
import time

import pytest

from chalicelib.probes.checker import Checker
from chalicelib.probes.net.ssrf_guard import Guard
from tests.probes.conftest import Watch
from tests.probes.fake_resolver import FakeNames
from tests.probes.hostile import OK, Behaviour, Peer, answers, redirect, response, serving
from tests.probes.specs import spec


def sent(server_requests: list[bytes]) -> tuple[str, dict[str, str], str]:
    """Return the last request's first line, headers and body."""
    head, _, body = server_requests[-1].decode("latin-1").partition("\r\n\r\n")
    first, *lines = head.split("\r\n")
    pairs = [line.split(": ", 1) for line in lines]
    assert len({name.lower() for name, _ in pairs}) == len(pairs), "a header was sent twice"
    return first, {name.lower(): value for name, value in pairs}, body


def reads_all(data: bytes = OK) -> Behaviour:
    """Read headers and body before answering."""

    def behave(peer: Peer) -> None:
        request = peer.sock.recv(65536)
        while b"\r\n\r\n" not in request or not request.endswith((b"\r\n\r\n", b"END")):
            request += peer.sock.recv(65536)
        peer.requests.append(request)
        peer.say(data)

    return behave


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_every_method(watch: Watch, method: str) -> None:
    with serving(answers(OK)) as server:
        result = watch("http", url=f"http://127.0.0.1:{server.port}/x?y=z", method=method)
    assert (result.verdict, result.status_code, result.attempts) == ("UP", 200, 1)
    first, headers, _ = sent(server.requests)
    assert first == f"{method} /x?y=z HTTP/1.1"
    assert headers["host"] == f"127.0.0.1:{server.port}"
    assert headers["connection"] == "close"
    assert headers["user-agent"].startswith("Monitum")
    assert headers.get("content-length", "0") == "0"


def test_a_head_has_no_body(watch: Watch) -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"
    with serving(answers(answer)) as server:
        assert watch("http", url=f"http://127.0.0.1:{server.port}/", method="HEAD").verdict == "UP"


def test_a_body_is_sent(watch: Watch) -> None:
    with serving(reads_all()) as server:
        result = watch(
            "http", url=f"http://127.0.0.1:{server.port}/", method="POST", body='{"ä": 1}END'
        )
    assert result.verdict == "UP"
    _, headers, body = sent(server.requests)
    assert body.encode("latin-1").decode() == '{"ä": 1}END'
    assert headers["content-length"] == str(len(body))


def test_a_large_body_is_sent_whole(watch: Watch) -> None:
    body = "x" * 65_533 + "END"
    with serving(reads_all()) as server:
        result = watch("http", url=f"http://127.0.0.1:{server.port}/", method="PUT", body=body)
    assert (result.verdict, len(sent(server.requests)[2])) == ("UP", 65_536)


def test_headers_of_the_target_take_the_place_of_ours(watch: Watch) -> None:
    secrets = {"headers": {"accept": "text/html", "USER-AGENT": "x", "X-Name": "välue"}}
    with serving(answers(OK)) as server:
        watch("http", url=f"http://127.0.0.1:{server.port}/", secrets=secrets)
    _, headers, _ = sent(server.requests)
    assert (headers["accept"], headers["user-agent"], headers["x-name"]) == (
        "text/html",
        "x",
        "välue",
    )


@pytest.mark.parametrize(
    ("secrets", "authorization"),
    [
        ({"userinfo": "user:password"}, "Basic dXNlcjpwYXNzd29yZA=="),
        ({"userinfo": "us%3Aer:p%40ss"}, "Basic dXM6ZXI6cEBzcw=="),
        ({"headers": {"Authorization": "Bearer abc"}}, "Bearer abc"),
        ({"headers": {"authorization": "Bearer abc"}, "userinfo": "a:b"}, "Bearer abc"),
    ],
)
def test_authentication(watch: Watch, secrets: dict[str, object], authorization: str) -> None:
    with serving(answers(OK)) as server:
        watch("http", url=f"http://127.0.0.1:{server.port}/", secrets=secrets)
    assert sent(server.requests)[1]["authorization"] == authorization


@pytest.mark.parametrize("name", ["X\r\nY", "X Y", "", "X:"])
@pytest.mark.parametrize("where", ["name", "value"])
def test_a_header_cannot_smuggle_another(watch: Watch, name: str, where: str) -> None:
    value = "a\r\nEvil: yes" if where == "value" else "a"
    header = "X" if where == "value" else name
    with serving(answers(OK)) as server:
        url = f"http://127.0.0.1:{server.port}/"
        result = watch("http", url=url, secrets={"headers": {header: value}})
    assert (result.verdict, result.reason) == ("UNKNOWN", "internal")
    assert not any(b"Evil" in request for request in server.requests)


@pytest.mark.parametrize("status", ["301 x", "302 x", "303 x", "307 x", "308 x"])
@pytest.mark.parametrize("method", ["GET", "POST", "HEAD", "PUT"])
def test_redirects_keep_or_change_the_method(watch: Watch, method: str, status: str) -> None:
    def behave(peer: Peer) -> None:
        reads_all(OK if server.requests else redirect("/next", status))(peer)

    with serving(behave) as server:
        url = f"http://127.0.0.1:{server.port}/"
        result = watch("http", url=url, method=method, body="END")
    keeps = status[:3] in {"307", "308"} or method in {"GET", "HEAD"}
    keeps = keeps or (method == "PUT" and status[:3] != "303")
    first, headers, body = sent(server.requests)
    assert result.verdict == "UP"
    assert first == f"{method if keeps else 'GET'} /next HTTP/1.1"
    assert (body, headers.get("content-length")) == (("END", "3") if keeps else ("", None))


def test_redirects_need_not_be_followed(watch: Watch) -> None:
    with serving(answers(redirect("/next"))) as server:
        url = f"http://127.0.0.1:{server.port}/"
        result = watch("http", url=url, follow_redirects=False)
        strict = watch("http", url=url, follow_redirects=False, expect={"status_codes": [200]})
    assert (result.verdict, result.status_code) == ("UP", 302)
    assert (strict.verdict, strict.error) == ("DOWN", "expected status 200, got 302")


def test_no_cookie_is_kept(watch: Watch) -> None:
    def behave(peer: Peer) -> None:
        first = not server.requests
        peer.read_request()
        peer.say(response("Set-Cookie: a=b", "Location: /", status="302 x") if first else OK)

    with serving(behave) as server:
        url = f"http://127.0.0.1:{server.port}/"
        assert watch("http", url=url).verdict == "UP"
        assert watch("http", url=url).verdict == "UP"
    assert not any(b"cookie" in request.lower() for request in server.requests)


def test_connections_are_not_used_again(watch: Watch) -> None:
    with serving(answers(OK)) as server:
        for _ in range(3):
            watch("http", url=f"http://127.0.0.1:{server.port}/")
    assert server.connections == 3


def test_ipv6(watch: Watch) -> None:
    with serving(answers(OK), socket.AF_INET6) as server:
        assert watch("http", url=f"http://[::1]:{server.port}/").verdict == "UP"
    assert sent(server.requests)[1]["host"] == f"[::1]:{server.port}"


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
def test_the_second_address_is_tried_when_the_first_refuses(family: socket.AddressFamily) -> None:
    with serving(answers(OK), family) as server:
        names = FakeNames(two_example=["::1 127.0.0.1"])
        checker = Checker(Guard(allow_private=True), resolver=names, pause_s=0)
        target = spec(url=f"http://two.example:{server.port}/")
        result = checker.check(target, time.monotonic() + 2)
        checker.close()
    assert (result.verdict, result.attempts, server.connections) == ("UP", 1, 1)
