"""The addresses of a name: how many are tried, in which order, and for how long each."""

import errno
import os
import socket
import time

import pytest

from chalicelib.monitoring.result import CheckResult
from chalicelib.probes.checker import Checker
from chalicelib.probes.net.ssrf_guard import Guard
from chalicelib.probes.net.ssrf_guard import Guard as Rule
from chalicelib.probes.net.urls import BadUrl, parse_host
from tests.probes.fake_resolver import FakeNames
from tests.probes.specs import spec

V4 = ["1.0.0.1", "1.0.0.2", "1.0.0.3", "1.0.0.4"]
V6 = ["2606::1", "2606::2", "2606::3"]


class Connects:
    """Stands in for connecting: keeps what was tried, and fails with the address's errno."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, **numbers: int) -> None:
        self.tried: list[str] = []
        self.timeouts: list[float] = []
        self._numbers = numbers
        monkeypatch.setattr(socket.socket, "connect", lambda sock, to: self._connect(sock, to[0]))

    def _connect(self, sock: socket.socket, address: str) -> None:
        self.tried.append(address)
        self.timeouts.append(sock.gettimeout() or 0)
        number = self._numbers.get("v6" if ":" in address else "v4", errno.ECONNREFUSED)
        raise OSError(number, os.strerror(number))


def check(addresses: list[str], within_s: float = 8) -> CheckResult:
    checker = Checker(Guard(), resolver=FakeNames(a_example=[" ".join(addresses)]), pause_s=0)
    try:
        return checker.check(spec(url="http://a.example/"), time.monotonic() + within_s)
    finally:
        checker.close()


def test_the_families_take_turns_and_four_addresses_are_enough(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    connects = Connects(monkeypatch)
    result = check([*V6, *V4, *V4])
    assert (result.reason, result.attempts) == ("refused", 2)
    assert connects.tried == ["1.0.0.1", "2606::1", "1.0.0.2", "2606::2"] * 2


def test_each_address_gets_its_share_of_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    connects = Connects(monkeypatch)
    check(V4[:2], within_s=8)
    assert connects.timeouts == pytest.approx([2, 4, 4, 8], abs=0.4)


@pytest.mark.parametrize(
    "numbers",
    [
        {"v4": errno.ENETUNREACH, "v6": errno.ECONNREFUSED},
        {"v4": errno.ECONNREFUSED, "v6": errno.ENETUNREACH},
    ],
)
def test_what_says_something_of_the_target_counts_wherever_it_stands(
    monkeypatch: pytest.MonkeyPatch, numbers: dict[str, int]
) -> None:
    Connects(monkeypatch, **numbers)
    result = check([V4[0], V6[0]])
    assert (result.verdict, result.reason) == ("DOWN", "refused")


@pytest.mark.parametrize("name", ["shop.notinternal", "localhost.example", "internal.example"])
def test_names_that_only_look_like_inner_ones(name: str) -> None:
    assert Rule().validate_host(name, 443).name == name


@pytest.mark.parametrize("text", ["2606:4700::1%eth0", "[2606:4700::1%25eth0]", "fe80::1%1"])
def test_an_address_with_a_zone_is_none(text: str) -> None:
    with pytest.raises(BadUrl):
        parse_host(text)
