"""What opens in the clients that people use is not DOWN: the table of quirks."""

import json
import time
from pathlib import Path

import pytest

from chalicelib.monitoring.result import Verdict
from chalicelib.probes.checker import Checker
from tests.probes.hostile import serving
from tests.probes.pki import Authority, server_context
from tests.probes.quirks import QUIRKS
from tests.probes.quirks.record import FILE, SHOWS
from tests.probes.specs import spec

RECORDED = json.loads(FILE.read_text(encoding="utf-8"))


def test_every_quirk_was_shown_to_the_clients() -> None:
    assert list(RECORDED) == list(QUIRKS), "run `make record-clients`"


@pytest.mark.parametrize("name", QUIRKS)
def test_what_browsers_show_is_not_down(name: str) -> None:
    quirk, verdicts = QUIRKS[name], RECORDED[name]
    is_up = quirk.reason is None or quirk.warns
    if verdicts["chromium"] == SHOWS:
        assert is_up or quirk.stricter
    else:
        assert not is_up or quirk.more_lenient


@pytest.fixture(scope="module")
def certificate(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return authority.issue(tmp_path_factory.mktemp("quirks") / "it.pem")


@pytest.mark.parametrize("name", QUIRKS)
def test_a_quirk(checker: Checker, certificate: Path, name: str) -> None:
    quirk = QUIRKS[name]
    scheme = "http" if quirk.tls is None else "https"
    behave = quirk.behaviour(server_context(certificate, quirk.tls or ()))
    with serving(behave) as server:
        target = spec(url=f"{scheme}://127.0.0.1:{server.port}/", expect=quirk.expect)
        result = checker.check(target, time.monotonic() + 5)
    bad = Verdict.DEGRADED if quirk.warns else Verdict.DOWN
    assert result.verdict == (bad if quirk.reason else Verdict.UP), result
    assert result.reason == quirk.reason, result
    assert quirk.says in (result.error or ""), result
