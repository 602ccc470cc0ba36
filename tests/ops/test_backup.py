"""Backup and restore of a stage."""

import gzip
import stat
from pathlib import Path

import pytest

from ops import resources
from ops.console import Failure
from ops.data import backup
from ops.stages import Stage
from tests.support.world import World

pytestmark = pytest.mark.moto


class TestStage(Stage):
    __test__ = False

    @property
    def stack_name(self) -> str:
        return "monitum-test"


STAGE = TestStage("dev")


def delete_all_data() -> None:
    client = STAGE.client("dynamodb")
    for name in resources.table_names("monitum-test-"):
        client.delete_table(TableName=name)
    resources.create_tables("monitum-test-")


@pytest.mark.parametrize("everything", [True, False])
def test_a_restored_stage_continues(world: World, tmp_path: Path, everything: bool) -> None:
    alice = world.user()
    target = alice.make_target(headers={"X-Key": "s3cret"}, tags=["prod"])
    path = f"/v1/targets/{target['id']}"
    world.tick()
    world.run(130)
    before = alice.get(path).json
    checks = alice.get(f"{path}/checks").json["items"]
    file = tmp_path / "backup.gz"
    assert backup.backup(STAGE, file, everything=everything) > 3
    delete_all_data()
    assert alice.get(path).status == 401, "nothing is left, not even the token"

    backup.restore(STAGE, file)

    after = alice.get(path).json
    assert {**after, "state": None} == {**before, "state": None}
    assert after["state"]["status"] == "UP"
    assert alice.get(f"{path}/checks").json["items"] == (checks if everything else [])
    world.checker.seen.clear()
    alice.post(f"{path}/check")
    world.run(1)
    world.clock.time += 120
    world.tick()
    world.run(70)
    assert world.checker.seen, "it is checked again"
    assert world.checker.seen[-1].secrets["headers"] == {"X-Key": "s3cret"}


def test_restoring_twice_changes_nothing(world: World, tmp_path: Path) -> None:
    alice = world.user()
    alice.make_target()
    file = tmp_path / "backup.gz"
    count = backup.backup(STAGE, file)

    assert backup.restore(STAGE, file) == backup.restore(STAGE, file) == count
    assert len(alice.get("/v1/targets").json["items"]) == 1


def test_the_file_is_readable_by_its_owner_only(world: World, tmp_path: Path) -> None:
    world.user()
    backup.backup(STAGE, tmp_path / "backup.gz")

    assert stat.S_IMODE((tmp_path / "backup.gz").stat().st_mode) == 0o600


@pytest.mark.parametrize("content", [b"{}\n", b"no JSON\n", b"\xff\n"])
def test_an_invalid_file_is_rejected(world: World, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "plain").write_bytes(content)
    (tmp_path / "zipped").write_bytes(gzip.compress(content))

    for name in ("plain", "zipped"):
        with pytest.raises(Failure, match="not a backup"):
            backup.restore(STAGE, tmp_path / name)
