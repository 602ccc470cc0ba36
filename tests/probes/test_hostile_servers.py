"""Whatever a server does, a check ends in time, takes little memory and tells the true reason."""

import resource
import time

import pytest

from chalicelib.monitoring.result import CheckResult, Verdict
from chalicelib.probes.checker import Checker
from tests.probes.hostile import serving
from tests.probes.misbehaviours import CASES, Case
from tests.probes.specs import spec

DEADLINE_S = 1.0
GRACE_S = 0.25
MEMORY_KIB = 36 * 1024  # a decoder of brotli takes 30 MiB; there is one at a time


def assert_true(result: CheckResult, case: Case) -> None:
    assert result.reason == case.reason, result
    bad = Verdict.DEGRADED if case.warns else Verdict.DOWN
    assert result.verdict == (Verdict.UP if case.reason is None else bad), result
    assert case.says in (result.error or ""), result
    assert_printable(result)


def assert_printable(result: CheckResult) -> None:
    assert (result.error is None) == (result.verdict is Verdict.UP), result
    if result.error is not None:
        assert result.error.isprintable()
        assert 0 < len(result.error) <= 200


def test_there_are_many_misbehaviours() -> None:
    names = [case.name for case in CASES]
    assert len(set(names)) == len(names) >= 100


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_misbehaving_server(checker: Checker, case: Case) -> None:
    with serving(case.behave) as server:
        target = spec(url=f"http://127.0.0.1:{server.port}/", expect=case.expect, **case.config)
        memory, started = _peak_memory_kib(), time.monotonic()
        result = checker.check(target, started + DEADLINE_S)
        took = time.monotonic() - started
    assert_true(result, case)
    assert took < DEADLINE_S + GRACE_S
    assert result.response_ms <= took * 1000 + 2
    assert _peak_memory_kib() - memory < MEMORY_KIB


def _peak_memory_kib() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
