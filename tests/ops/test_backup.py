"""Backup and restore of a stage: nothing is silent afterwards, and nothing is told twice."""

import gzip
import stat
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from ops import resources
from ops.__main__ import main
from ops.console import Failure
from ops.data import backup, first_checks, restore
from ops.stages import Stage
from tests.support import alerts
from tests.support.stages import stored
from tests.support.world import Person, World

pytestmark = pytest.mark.moto
Restore = Callable[[], list[str]]


class TestStage(Stage):
    __test__ = False

    @property
    def stack_name(self) -> str:
        return "monitum-test"


STAGE = TestStage("dev")


def delete_all_data(world: World) -> None:
    client = STAGE.client("dynamodb")
    for name in resources.table_names("monitum-test-"):
        client.delete_table(TableName=name)
    resources.create_tables("monitum-test-")
    world.queue.waiting.clear()
    world.alerts.waiting.clear()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "backup.gz"


@pytest.fixture
def restored(
    world: World,
    file: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Restore:
    """Runs the command; returns what it says about the checks, or raises what it fails with."""
    wait = partial(first_checks.wait_for_checks, sleep=live(world))
    monkeypatch.setattr("ops.stages.stage", lambda _name: STAGE)
    monkeypatch.setattr("ops.deployment.deploy.enter_runtime", lambda _stage: world.runtime)
    monkeypatch.setattr("ops.data.first_checks.wait_for_checks", wait)

    def restored() -> list[str]:
        capsys.readouterr()
        code = main(["restore", "--stage", "dev", "--file", str(file)])
        output, errors = capsys.readouterr()
        if code:
            raise Failure(errors)
        return output.partition("waiting for the next check of each target")[2].splitlines()[1:]

    return restored


def live(world: World) -> Callable[[float], None]:
    """Passes the time with everything that runs in a stage."""

    def live(seconds: float) -> None:
        world.run(int(seconds))
        world.run_alerts()

    return live


def checks(person: Person, target_id: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = person.get(f"/v1/targets/{target_id}/checks").json["items"]
    return found


@pytest.mark.parametrize("with_results", [True, False])
def test_an_empty_stage_continues_after_a_restore(
    world: World, file: Path, restored: Restore, with_results: bool
) -> None:
    alice = world.user()
    target = alice.make_target(headers={"X-Key": "s3cret"}, tags=["prod"], interval_s=30)
    path = f"/v1/targets/{target['id']}"
    world.tick()
    world.run(130)
    before, seen = alice.get(path).json, checks(alice, target["id"])
    assert backup.backup(STAGE, file, with_results=with_results) > 3
    delete_all_data(world)
    assert alice.get(path).status == 401, "nothing is left, not even the token"
    # A new stage is running already, without intervals.
    world.tick()
    world.checker.seen.clear()
    start = world.runtime.now

    assert restored() == ["1 of 1 targets have been checked"]

    after = alice.get(path).json
    assert {**after, "state": None} == {**before, "state": None}
    assert after["state"]["status"] == "UP"
    assert world.runtime.now - start < first_checks.WAIT_S
    new = [one for one in checks(alice, target["id"]) if one not in seen]
    assert len(checks(alice, target["id"])) == len(new) + (len(seen) if with_results else 0)
    assert world.checker.seen[-1].secrets["headers"] == {"X-Key": "s3cret"}
    count = len(new)
    live(world)(600)
    assert len(checks(alice, target["id"])) - (len(seen) if with_results else 0) == count + 20


def test_a_restore_names_the_targets_that_are_not_checked(
    world: World, file: Path, restored: Restore, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice = world.user()
    target = alice.make_target(name="Shop")
    backup.backup(STAGE, file)
    delete_all_data(world)
    monkeypatch.setattr(world, "tick", lambda: None)

    with pytest.raises(Failure, match=f"1 of 1 targets .* not checked .*\n.*{target['id']} 'Shop'"):
        restored()


def test_a_restore_says_when_the_other_targets_are_due(
    world: World, file: Path, restored: Restore
) -> None:
    alice = world.user()
    alice.make_target(interval_s=86_400, name="Daily")
    alice.make_target(enabled=False)
    backup.backup(STAGE, file)
    delete_all_data(world)

    first, second, third = restored()

    assert (first, second) == ("0 of 1 targets have been checked", "1 are due later:")
    assert "'Daily': due at 2026-11-" in third


def test_a_restore_adds_what_a_living_stage_lacks(
    world: World, file: Path, restored: Restore, lowest_place: None
) -> None:
    alice = world.user()
    kept, gone = (alice.make_target(headers={"X-Key": f"{n}"})["id"] for n in range(2))
    world.tick()
    world.run(60)
    backup.backup(STAGE, file)
    alice.patch(f"/v1/targets/{kept}", {"name": "Renamed", "headers": {"X-Key": "new"}})
    new = alice.make_target(headers={"X-Key": "third"})["id"]
    alice.delete(f"/v1/targets/{gone}")
    world.checker.seen.clear()

    restored()

    assert alice.get(f"/v1/targets/{kept}").json["name"] == "Renamed"
    assert len(alice.get("/v1/targets").json["items"]) == 3
    assert alice.get("/v1/me").json["limits"]["targets"]["used"] == 3
    headers = {one.target_id: one.secrets["headers"]["X-Key"] for one in world.checker.seen}
    assert headers == {kept: "new", gone: "1", new: "third"}
    for target_id in (kept, gone, new):
        assert alice.patch(f"/v1/targets/{target_id}", {"enabled": False}).status == 200
        assert alice.delete(f"/v1/targets/{target_id}").status == 204
    assert alice.get("/v1/me").json["limits"]["targets"]["used"] == 0


def test_a_stage_whose_places_are_taken_refuses_a_restore(
    world: World, file: Path, lowest_place: None
) -> None:
    alice = world.user()
    gone = alice.make_target()["id"]
    backup.backup(STAGE, file)
    alice.delete(f"/v1/targets/{gone}")
    alice.make_target()
    before = stored()

    with pytest.raises(Failure, match="places of 1 deleted targets"):
        restore.restore(STAGE, file, world.runtime.now)

    assert stored() == before


@pytest.mark.parametrize("calls", [0, 5, 10, 11])
def test_an_interrupted_restore_is_completed_by_the_next(
    world: World,
    file: Path,
    restored: Restore,
    lowest_place: None,
    monkeypatch: pytest.MonkeyPatch,
    calls: int,
) -> None:
    alice = world.user()
    kept, gone = (alice.make_target(headers={"X-Key": f"{n}"})["id"] for n in range(2))
    backup.backup(STAGE, file)
    alice.delete(f"/v1/targets/{gone}")
    attempt, left = restore._attempt, [calls]

    def die(*arguments: Any, **request: Any) -> bool:
        left[0] -= 1
        if left[0] < 0:
            raise RuntimeError("died")
        return attempt(*arguments, **request)

    with monkeypatch.context() as patch:
        patch.setattr(restore, "_attempt", die)
        patch.setattr(restore, "_PARALLEL", 1)
        with pytest.raises(RuntimeError):
            restore.restore(STAGE, file, world.runtime.now)
    world.checker.seen.clear()
    world.queue.waiting.clear()

    restored()

    headers = {one.target_id: one.secrets["headers"]["X-Key"] for one in world.checker.seen}
    assert headers == {kept: "0", gone: "1"}
    assert not any("erase:" in item for item in stored("lanes")["lanes"])


def test_restoring_twice_changes_nothing(world: World, file: Path) -> None:
    alice = world.user()
    alice.make_target(headers={"X-Key": "s3cret"})
    count = backup.backup(STAGE, file)
    before = stored()

    assert restore.restore(STAGE, file, world.runtime.now) == (0, count - 1)
    assert stored() == before, "the schedule is rebuilt, not restored"


def test_an_incident_that_has_ended_since_is_not_told_again(
    world: World, file: Path, restored: Restore
) -> None:
    alice = world.user()
    alerts.channel(alice)
    target = alerts.target(alice)
    alerts.fail(world, target, seconds=30)
    world.run_alerts(10)
    backup.backup(STAGE, file)
    alerts.heal(world, target, seconds=30)
    world.run_alerts(10)
    assert alerts.types(world) == ["down", "recovered"]

    restored()
    live(world)(120)

    assert alerts.types(world) == ["down", "recovered"]
    (incident,) = alerts.incidents(alice)
    assert incident["closed_at"]


def test_waiting_alerts_are_sent_after_a_restore(
    world: World, file: Path, restored: Restore
) -> None:
    alice = world.user()
    alerts.channel(alice)
    target = alerts.target(alice)
    world.outbound.script[alerts.HOOK] = 500
    alerts.fail(world, target, seconds=30)
    world.run_alerts(10)
    backup.backup(STAGE, file)
    delete_all_data(world)
    world.outbound.script.clear()
    before = len(alerts.types(world))
    world.clock.time += 3_600

    restored()
    alerts.heal(world, target, seconds=120)
    world.run_alerts(120)

    assert alerts.types(world)[before:] == ["down", "recovered"]


def test_the_file_is_readable_by_its_owner_only(world: World, file: Path) -> None:
    world.user()
    backup.backup(STAGE, file)

    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.parametrize("content", [b"{}\n", b"no JSON\n", b"\xff\n", b"[]\n"])
def test_an_invalid_file_is_rejected(world: World, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "plain").write_bytes(content)
    (tmp_path / "zipped").write_bytes(gzip.compress(content))

    for name in ("plain", "zipped"):
        with pytest.raises(Failure, match="not a backup"):
            restore.restore(STAGE, tmp_path / name, world.runtime.now)


def test_a_truncated_file_restores_nothing(world: World, file: Path) -> None:
    world.user().make_target()
    backup.backup(STAGE, file)
    delete_all_data(world)
    file.write_bytes(file.read_bytes()[:-20])

    with pytest.raises(Failure, match="not a backup"):
        restore.restore(STAGE, file, world.runtime.now)

    assert not any(stored().values())
