"""Only evidence from the target makes it DOWN; what this machine failed at makes UNKNOWN."""

import errno
import os
import socket
import time
from collections.abc import Sequence

import pytest

from chalicelib.monitoring.result import CheckResult, Reason
from chalicelib.probes.checker import Checker
from chalicelib.probes.errors import CheckFailure, OutOfTime
from chalicelib.probes.net.ip_ranges import Address
from chalicelib.probes.net.ssrf_guard import Guard
from tests.probes.fake_resolver import FakeNames
from tests.probes.specs import spec

# What connecting fails with, and what that says.
FAILURES = [
    (errno.ECONNREFUSED, "DOWN", "refused"),
    (errno.ECONNRESET, "DOWN", "connect"),
    (errno.EHOSTUNREACH, "DOWN", "connect"),
    (errno.ETIMEDOUT, "DOWN", "timeout"),
    (errno.ENETUNREACH, "UNKNOWN", "internal"),
    (errno.EADDRNOTAVAIL, "UNKNOWN", "internal"),
    (errno.EACCES, "UNKNOWN", "internal"),
    (errno.EPERM, "UNKNOWN", "internal"),
    (errno.EMFILE, "UNKNOWN", "internal"),
    (errno.ENOMEM, "UNKNOWN", "internal"),
]


def fail_to_connect(monkeypatch: pytest.MonkeyPatch, numbers: dict[str, int]) -> None:
    def connect(_: socket.socket, address: tuple[str, int]) -> None:
        number = numbers[address[0]]
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(socket.socket, "connect", connect)


def check(names: object, within_s: float = 1.0) -> CheckResult:
    checker = Checker(Guard(), resolver=names, pause_s=0)  # type: ignore[arg-type]
    try:
        return checker.check(spec(url="http://a.example/"), time.monotonic() + within_s)
    finally:
        checker.close()


@pytest.mark.parametrize(("number", "verdict", "reason"), FAILURES)
def test_failures_to_connect(
    monkeypatch: pytest.MonkeyPatch, number: int, verdict: str, reason: str
) -> None:
    fail_to_connect(monkeypatch, {"8.8.8.8": number})
    result = check(FakeNames(a_example=["8.8.8.8"]))
    assert (result.verdict, result.reason, result.attempts) == (verdict, reason, 2)


@pytest.mark.parametrize("answer", ["8.8.8.8 2606:4700::1", "2606:4700::1 8.8.8.8"])
def test_a_failure_of_one_address_outranks_internal_failures(
    monkeypatch: pytest.MonkeyPatch, answer: str
) -> None:
    """A machine without IPv6 still sees that IPv4 is refused."""
    numbers = {"8.8.8.8": errno.ECONNREFUSED, "2606:4700::1": errno.ENETUNREACH}
    fail_to_connect(monkeypatch, numbers)
    result = check(FakeNames(a_example=[answer]))
    assert (result.verdict, result.reason) == ("DOWN", "refused")


def test_a_failure_of_one_attempt_outranks_internal_failures(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    numbers = {"8.8.8.8": errno.ECONNREFUSED, "9.9.9.9": errno.ENETUNREACH}
    fail_to_connect(monkeypatch, numbers)
    result = check(FakeNames(a_example=["8.8.8.8", "9.9.9.9"]))
    assert (result.verdict, result.reason, result.attempts) == ("DOWN", "refused", 2)
    assert "ENETUNREACH" in (result.error or "")


class SlowNames(FakeNames):
    """Takes all the time that it is given, and finds nothing."""

    def resolve(self, name: str, deadline: float) -> Sequence[Address]:
        left = deadline - time.monotonic()
        self.asked.append(f"{left:.2f}")
        time.sleep(left)
        raise OutOfTime("the name")


def test_the_first_try_leaves_time_for_a_second() -> None:
    names = SlowNames()
    started = time.monotonic()
    result = check(names, within_s=0.8)
    assert (result.reason, result.attempts) == ("timeout", 2)
    first, second = map(float, names.asked)
    assert first == pytest.approx(0.4, abs=0.05)
    assert second == pytest.approx(0.4, abs=0.1)
    assert time.monotonic() - started < 1.0


class BrokenNames(FakeNames):
    def resolve(self, name: str, deadline: float) -> Sequence[Address]:
        raise RuntimeError("a bug, with a secret")


def test_a_bug_of_ours_is_unknown_and_says_little() -> None:
    result = check(BrokenNames())
    assert (result.verdict, result.reason) == ("UNKNOWN", "internal")
    assert result.error == "Monitum could not check this (RuntimeError)"


def test_final_failures_are_not_retried() -> None:
    failure = CheckFailure(Reason.DNS, "x", final=True)
    assert not failure.retryable
