"""The command that recomputes rollups."""

import pytest

from chalicelib.aws.tenancy import acting_for
from chalicelib.history.rollups.repository import Period, Rollups
from chalicelib.monitoring.storage.result_repository import CheckKey, write_results
from chalicelib.runtime import Runtime
from ops.__main__ import main
from ops.console import Failure
from ops.data import rollups
from ops.deployment import deploy
from tests.support.world import START, UP, World

HOUR = START // 3_600 * 3_600 - 48 * 3_600


def test_a_range_is_in_utc_by_default() -> None:
    start, end = rollups.parse_range("2026-11-01", "2026-11-02T06:00+02:00")
    assert end - start == 28 * 3_600


@pytest.mark.parametrize(
    ("start", "end", "message"),
    [
        ("yesterday", "2026-11-02", "--from must be like"),
        ("2026-11-01", "2026-02-30", "--to must be like"),
        ("2026-11-02", "2026-11-02", "--from must be before --to"),
    ],
)
def test_an_invalid_range_is_rejected(start: str, end: str, message: str) -> None:
    with pytest.raises(Failure, match=message):
        rollups.parse_range(start, end)


def test_all_lanes_are_rolled_up_again(
    aws: dict[str, str],
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    alice = world.user()
    alice.make_target()
    with acting_for(alice.owner):
        key = CheckKey(alice.owner, 0, HOUR + 10, "us-east-1")
        write_results(key, {0: UP}, retention_days=90)
    monkeypatch.setattr(deploy, "function_environment", lambda _: aws)
    monkeypatch.setattr(Runtime, "now", START)
    assert main(["rollup", "--stage", "prod", "--from", "2026-11-16", "--to", "2026-11-18"]) == 0
    assert "recomputed 1 hours of 1 lanes" in capsys.readouterr().out
    with acting_for(alice.owner):
        found = list(Rollups(alice.owner).between(Period.HOUR, 0, HOUR, HOUR + 1, now=START))
    assert len(found) == 1
