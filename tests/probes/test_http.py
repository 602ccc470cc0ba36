"""The `http` kind as a user knows it: what is sent, what is followed, what is told."""

import socket
import time

import pytest

from chalicelib.probes.checker import Checker
from chalicelib.probes.net.cookies import MAX_BYTES, MAX_COOKIES, CookieJar
from chalicelib.probes.net.ssrf_guard import Guard
from chalicelib.probes.net.urls import parse_url
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


def cookies_of(requests: list[bytes]) -> list[str]:
    return [sent([request])[1].get("cookie", "") for request in requests]


def test_cookies_last_for_one_check(watch: Watch) -> None:
    def behave(peer: Peer) -> None:
        first = b"cookie" not in peer.read_request().lower()
        peer.say(response("Set-Cookie: a=b", "Location: /", status="302 x") if first else OK)

    with serving(behave) as server:
        url = f"http://127.0.0.1:{server.port}/"
        assert watch("http", url=url).verdict == "UP"
        assert watch("http", url=url).verdict == "UP"
    assert cookies_of(server.requests) == ["", "a=b", "", "a=b"]


def test_cookies_of_the_target_are_joined_by_those_of_the_server(watch: Watch) -> None:
    def behave(peer: Peer) -> None:
        here = peer.read_request().split()[1] == b"/"
        sets = ("Set-Cookie: theirs=1", "Set-Cookie: both=theirs")
        peer.say(response(*sets, "Location: /x", status="302 x") if here else OK)

    secrets = {"headers": {"cookie": "ours=1; both=ours"}}
    with serving(behave) as server:
        watch("http", url=f"http://127.0.0.1:{server.port}/", secrets=secrets)
    assert cookies_of(server.requests) == ["ours=1; both=ours", "ours=1; theirs=1; both=theirs"]


@pytest.mark.parametrize(
    ("header", "path", "kept"),
    [
        ("a=b", "/x/y", "a=b"),
        ("a=b", "/z", None),
        ("a=b; Path=/z", "/z/y?q", "a=b"),
        ("a=b; Path=/z", "/zoo", None),
        ("a=b; Path=relative", "/x/y", "a=b"),
        ("a=b; Secure", "/x/y", None),
        ("a=b; Domain=example.com", "/x/y", "a=b"),
        ("a=b; Domain=.WWW.example.com", "/x/y", "a=b"),
        ("a=b; Domain=other.example.com", "/x/y", None),
        ("a=b; Domain=ample.com", "/x/y", None),
        ("a=b; Max-Age=0", "/x/y", None),
        ("a=b; Max-Age=-1", "/x/y", None),
        ("a=b; Max-Age=1; Expires=Thu, 01-Jan-1970 00:00:00 GMT", "/x/y", "a=b"),
        ("a=b; Expires=Thu, 01-Jan-1970 00:00:00 GMT", "/x/y", None),
        ("a=b; Expires=nonsense; nonsense", "/x/y", "a=b"),
        ("a=b\x07", "/x/y", None),
        ("=", "/x/y", None),
        (" ; Path=/", "/x/y", None),
        ("a=" + "b" * MAX_BYTES, "/x/y", None),
    ],
)
def test_which_cookies_are_sent_where(header: str, path: str, kept: str | None) -> None:
    jar = CookieJar()
    jar.store(parse_url("http://www.example.com/x/1"), [header])
    assert jar.header(parse_url(f"http://www.example.com{path}")) == kept
    assert jar.header(parse_url(f"http://other.example.com{path}")) is None


def test_secure_cookies_need_https() -> None:
    jar = CookieJar()
    jar.store(parse_url("https://a.test/"), ["a=b; Secure", "c=d"])
    assert jar.header(parse_url("https://a.test/")) == "a=b; c=d"
    assert jar.header(parse_url("http://a.test/")) == "c=d"


def test_so_many_cookies_are_kept() -> None:
    jar, url = CookieJar(), parse_url("http://a.test/")
    jar.store(url, (f"a{n}=b" for n in range(1000)))
    assert (jar.header(url) or "").count("=") == MAX_COOKIES


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
