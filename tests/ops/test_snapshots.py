"""Saved states of the local stack: complete or not there, whatever happens while saving."""

import hashlib
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from ops.local.snapshots import Damaged, Snapshots

CODE = b"the code of a function"
BLOBS = {hashlib.sha256(CODE).hexdigest(): CODE}


def saved(directory: Path, count: int) -> Snapshots:
    """States whose file `dynamodb.json` contains their number."""
    snapshots = Snapshots(directory)
    for number in range(1, count + 1):
        snapshots.save({"dynamodb.json": b"%d" % number, "iam.json": b"{}"}, BLOBS)
    return snapshots


def loaded(snapshots: Snapshots) -> bytes | None:
    path, _ = snapshots.newest_intact()
    return (path / "dynamodb.json").read_bytes() if path else None


def newest(directory: Path) -> Path:
    return max(directory.glob("state-*"))


def test_nothing_is_loaded_before_the_first_save(tmp_path: Path) -> None:
    assert Snapshots(tmp_path).newest_intact() == (None, [])


def test_the_newest_state_is_loaded_and_the_previous_one_kept(tmp_path: Path) -> None:
    assert loaded(saved(tmp_path, 12)) == b"12"
    assert len(list(tmp_path.glob("state-*"))) == 2


def test_files_are_readable_by_their_owner_only(tmp_path: Path) -> None:
    saved(tmp_path, 1)

    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.rglob("*")}

    assert {mode & 0o077 for mode in modes.values()} == {0}


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(path.read_bytes()[:-1]),
        lambda path: path.write_bytes(b"\0" * path.stat().st_size),
        lambda path: path.unlink(),
    ],
    ids=["empty", "cut", "zeros", "missing"],
)
@pytest.mark.parametrize("name", ["dynamodb.json", "iam.json", "manifest.json"])
def test_a_damaged_state_is_named_and_the_previous_one_loaded(
    tmp_path: Path, name: str, damage: Callable[[Path], object]
) -> None:
    snapshots = saved(tmp_path, 3)
    damage(newest(tmp_path) / name)

    path, problems = snapshots.newest_intact()

    assert path
    assert (path / "dynamodb.json").read_bytes() == b"2"
    assert len(problems) == 1
    assert newest(tmp_path).name in problems[0]


def test_a_damaged_blob_is_noticed_and_written_again(tmp_path: Path) -> None:
    snapshots = saved(tmp_path, 1)
    next(snapshots.blobs.iterdir()).write_bytes(b"")

    with pytest.raises(Damaged, match="has changed"):
        snapshots.newest_intact()
    snapshots.save({"dynamodb.json": b"2"}, BLOBS)
    assert loaded(snapshots) == b"2"


def test_if_all_states_are_damaged_nothing_is_loaded(tmp_path: Path) -> None:
    snapshots = saved(tmp_path, 2)
    for state in tmp_path.glob("state-*"):
        (state / "manifest.json").unlink()

    with pytest.raises(Damaged, match=r"state-0000000002 is damaged.*state-0000000001"):
        snapshots.newest_intact()


@pytest.mark.parametrize("call", ["write", "fsync", "rename", "mkdir"])
def test_a_failed_save_leaves_the_states_from_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    snapshots = saved(tmp_path, 2)

    def fail(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        if call == "write":
            patch.setattr("ops.local.snapshots._write", fail)
        elif call == "fsync":
            patch.setattr(os, "fsync", fail)
        else:
            patch.setattr(Path, call, fail)
        with pytest.raises(OSError, match="No space left"):
            snapshots.save({"dynamodb.json": b"3"}, BLOBS)

    assert loaded(snapshots) == b"2"
    assert not list(tmp_path.glob("unfinished-*"))
    snapshots.save({"dynamodb.json": b"4"}, BLOBS)
    assert loaded(snapshots) == b"4"


def test_what_a_killed_save_left_behind_is_ignored_and_removed(tmp_path: Path) -> None:
    snapshots = saved(tmp_path, 1)
    left = tmp_path / "unfinished-1"
    left.mkdir()
    (left / "dynamodb.json").write_bytes(b"half")
    (snapshots.blobs / "x.17").write_bytes(b"half")

    assert loaded(snapshots) == b"1"
    snapshots.save({"dynamodb.json": b"2"}, BLOBS)
    assert not left.exists()
    assert [path.stem for path in snapshots.blobs.iterdir()] == [*BLOBS]


def test_blobs_that_no_kept_state_uses_are_removed(tmp_path: Path) -> None:
    snapshots = saved(tmp_path, 1)

    snapshots.save({"dynamodb.json": b"2"}, {})
    assert len(list(snapshots.blobs.iterdir())) == 1
    snapshots.save({"dynamodb.json": b"3"}, {})
    assert not list(snapshots.blobs.iterdir())


def test_the_state_of_an_older_version_is_taken_over(tmp_path: Path) -> None:
    (tmp_path / "dynamodb.json").write_bytes(b"old")
    snapshots = Snapshots(tmp_path)

    assert loaded(snapshots) == b"old"
    snapshots.save({"dynamodb.json": b"new"}, {})
    assert loaded(snapshots) == b"new"
    assert not (tmp_path / "dynamodb.json").exists()
