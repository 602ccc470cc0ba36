"""Nothing goes where it must not: not by a spelling, an address, a redirect or a new answer."""

import ipaddress
import socket
import time

import pytest

from chalicelib.monitoring.result import CheckResult
from chalicelib.probes.checker import Checker
from chalicelib.probes.errors import Blocked
from chalicelib.probes.net.ssrf_guard import Guard
from chalicelib.probes.net.urls import BadUrl
from tests.probes.fake_resolver import FakeNames
from tests.probes.hostile import OK, Behaviour, Server, answers, redirect, serving
from tests.probes.specs import spec
from tests.probes.url_spellings import ALLOWED, FORBIDDEN, OWN_HOSTS

GUARD = Guard(forbidden_hosts=OWN_HOSTS)


def test_there_are_many_spellings() -> None:
    assert len(set(FORBIDDEN)) == len(FORBIDDEN) >= 250


@pytest.mark.parametrize("url", FORBIDDEN, ids=ascii)
def test_what_must_not_be_watched_is_refused_before_any_look_up(url: str) -> None:
    with pytest.raises(BadUrl) as refused:
        GUARD.validate_url(url)
    assert str(refused.value).isprintable()
    assert len(str(refused.value)) < 120


@pytest.mark.parametrize("url", FORBIDDEN, ids=ascii)
def test_a_check_of_it_says_so_and_connects_to_nothing(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def connect(*_: object) -> None:
        raise AssertionError("connected")

    monkeypatch.setattr(socket.socket, "connect", connect)
    checker = Checker(GUARD, resolver=FakeNames(), pause_s=0)
    result = checker.check(spec(url=url), time.monotonic() + 1)
    checker.close()
    assert (result.verdict, result.reason) == ("DOWN", "blocked"), result


@pytest.mark.parametrize("url", ALLOWED, ids=ascii)
def test_what_may_be_watched_has_one_spelling(url: str) -> None:
    assert str(GUARD.validate_url(url)) == ALLOWED[url]
    assert str(GUARD.validate_url(ALLOWED[url])) == ALLOWED[url]


PRIVATE = ["127.0.0.1", "::1", "10.1.2.3", "172.20.0.1", "192.168.1.1", "100.64.0.1", "fd12::1"]
NEVER = ["169.254.169.254", "fe80::1", "fd00:ec2::254", "0.0.0.0", "::ffff:127.0.0.1", "224.0.0.1"]


@pytest.mark.parametrize("text", PRIVATE)
def test_private_targets_open_private_networks(text: str) -> None:
    address = ipaddress.ip_address(text)
    Guard(allow_private=True).admit([address], 80)
    with pytest.raises(Blocked):
        Guard().admit([address], 80)


@pytest.mark.parametrize("text", NEVER)
def test_private_targets_do_not_open_everything(text: str) -> None:
    with pytest.raises(Blocked):
        Guard(allow_private=True).admit([ipaddress.ip_address(text)], 80)


@pytest.mark.parametrize("text", ["127.0.0.1", "127.9.9.9", "::1"])
def test_the_port_of_the_lambda_runtime_stays_shut(text: str) -> None:
    with pytest.raises(Blocked, match="9001"):
        Guard(allow_private=True).admit([ipaddress.ip_address(text)], 9001)


def test_ports_are_configurable() -> None:
    assert Guard(forbidden_ports=frozenset()).validate_url("http://example.com:25/").port == 25
    with pytest.raises(BadUrl, match="port 8080"):
        Guard(forbidden_ports=frozenset({8080})).validate_url("http://example.com:8080/")
    assert Guard(allow_private=True).validate_host("localhost", 5432).name == "localhost"
    with pytest.raises(BadUrl, match="port 5432"):
        Guard().validate_host("db.example", 5432)


def checked(guard: Guard, names: FakeNames, url: str) -> CheckResult:
    checker = Checker(guard, resolver=names, pause_s=0)
    try:
        return checker.check(spec(url=url), time.monotonic() + 1)
    finally:
        checker.close()


@pytest.mark.parametrize("answer", [*PRIVATE, *NEVER, "8.8.8.8 127.0.0.1", "8.8.8.8 ::1"])
def test_one_forbidden_address_of_a_name_is_enough(answer: str) -> None:
    result = checked(Guard(), FakeNames(evil_example=[answer]), "http://evil.example/")
    assert (result.verdict, result.reason, result.attempts) == ("DOWN", "blocked", 1)


def test_a_name_that_changes_its_address_is_asked_once() -> None:
    """DNS rebinding: the address that was judged is the one that is connected to."""
    with serving(answers(OK)) as server:
        names = FakeNames(rebind_example=["127.0.0.1", "169.254.169.254"])
        url = f"http://rebind.example:{server.port}/"
        result = checked(Guard(allow_private=True), names, url)
        assert (result.verdict, names.asked) == ("UP", ["rebind.example"])
        assert checked(Guard(allow_private=True), names, url).reason == "blocked"
    assert server.connections == 1


def test_every_redirect_is_judged_anew() -> None:
    with serving(answers(redirect("/again"))) as server:
        names = FakeNames(rebind_example=["127.0.0.1", "10.0.0.1 169.254.0.1"])
        result = checked(Guard(allow_private=True), names, f"http://rebind.example:{server.port}/")
    assert (result.reason, server.connections) == ("blocked", 1)


def test_monitums_own_address_is_refused_behind_any_name() -> None:
    with serving(answers(OK)) as server:
        own = Guard(allow_private=True, forbidden_hosts=frozenset({f"127.0.0.1:{server.port}"}))
        names = FakeNames(alias_example=["127.0.0.1"])
        result = checked(own, names, f"http://alias.example:{server.port}/")
    assert (result.reason, server.connections) == ("blocked", 0)


def test_a_host_header_does_not_lead_to_monitum() -> None:
    with serving(answers(OK)) as server:
        guard = Guard(allow_private=True, forbidden_hosts=OWN_HOSTS)
        checker = Checker(guard, pause_s=0)
        target = spec(
            url=f"http://127.0.0.1:{server.port}/",
            secrets={"headers": {"host": "Monitum.example"}},
        )
        result = checker.check(target, time.monotonic() + 1)
        checker.close()
    assert (result.reason, server.connections) == ("blocked", 0)


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"])
def test_proxies_of_the_environment_are_not_used(
    variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(answers(OK)) as server, serving(answers(OK)) as proxy:
        monkeypatch.setenv(variable, f"http://127.0.0.1:{proxy.port}")
        names = FakeNames(a_example=["127.0.0.1"])
        result = checked(Guard(allow_private=True), names, f"http://a.example:{server.port}/")
    assert (result.verdict, server.connections, proxy.connections) == ("UP", 1, 0)


SECRETS = {
    "headers": {"Authorization": "Bearer abcdef", "Cookie": "a=b", "X-Api-Key": "key-12345"},
}


def redirected(first: Behaviour, url: str) -> CheckResult:
    with serving(first) as server:
        names = FakeNames(here_example=["127.0.0.1"], there_example=["127.0.0.1"])
        checker = Checker(Guard(allow_private=True), resolver=names, pause_s=0)
        target = spec(url=url.format(port=server.port), secrets=SECRETS)
        result = checker.check(target, time.monotonic() + 2)
        checker.close()
    return result


def headers(server: Server) -> str:
    return server.requests[-1].decode().lower()


def test_secrets_stay_on_their_host() -> None:
    with serving(answers(OK)) as other:
        there = f"http://there.example:{other.port}/"
        result = redirected(answers(redirect(there)), "http://here.example:{port}/")
    assert result.verdict == "UP"
    for secret in ("authorization", "cookie", "x-api-key", "abcdef", "key-12345"):
        assert secret not in headers(other)
    assert f"host: there.example:{other.port}" in headers(other)


def test_secrets_follow_a_redirect_on_their_host() -> None:
    def behave(peer: object) -> None:
        answers(OK if server.requests else redirect("/next"))(peer)  # type: ignore[arg-type]

    with serving(behave) as server:
        names = FakeNames(here_example=["127.0.0.1"])
        checker = Checker(Guard(allow_private=True), resolver=names, pause_s=0)
        target = spec(url=f"http://here.example:{server.port}/", secrets=SECRETS)
        assert checker.check(target, time.monotonic() + 2).verdict == "UP"
        checker.close()
    assert "authorization: bearer abcdef" in headers(server)
    assert "get /next " in headers(server)
