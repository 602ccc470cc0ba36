"""What the tests of the checkers share: a checker that may look at loopback, and certificates."""

import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from chalicelib.monitoring.result import CheckResult
from chalicelib.probes.checker import Checker
from chalicelib.probes.net.ssrf_guard import Guard
from tests.probes.pki import Authority
from tests.probes.specs import spec

Watch = Callable[..., CheckResult]


@pytest.fixture(scope="session")
def authority() -> Authority:
    return Authority.make()


@pytest.fixture(scope="session")
def ca_file(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    path.write_bytes(authority.pem())
    return path


@pytest.fixture(scope="session")
def checker(ca_file: Path) -> Iterator[Checker]:
    """A checker of someone who watches this machine."""
    made = Checker(Guard(allow_private=True), ca_file=str(ca_file), pause_s=0.01)
    yield made
    made.close()


@pytest.fixture
def watch(checker: Checker) -> Watch:
    """Check one target: its kind, its configuration, and `expect`, `secrets`, `within_s`."""

    def run(kind: str, within_s: float = 5.0, **parts: Any) -> CheckResult:
        expect: Mapping[str, Any] = parts.pop("expect", {})
        secrets: Mapping[str, Any] = parts.pop("secrets", {})
        checked = spec(kind, expect=expect, secrets=secrets, **parts)
        return checker.check(checked, time.monotonic() + within_s)

    return run
