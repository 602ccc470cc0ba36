"""The state is saved by child processes, while the process itself goes on."""

import asyncio
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ops.local import saver as saver_module
from ops.local.saver import Saver

LONG = 3600.0


async def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)


@contextmanager
def running(saver: Saver) -> Iterator[None]:
    task = asyncio.get_running_loop().create_task(saver.run())
    yield
    task.cancel()


def test_an_urgent_change_is_saved_at_once(tmp_path: Path) -> None:
    async def scenario() -> None:
        saver = Saver((tmp_path / "saved").touch, LONG)
        with running(saver):
            saver.note_change(urgent=True)
            await until((tmp_path / "saved").exists)

    asyncio.run(scenario())
    assert (tmp_path / "saved").exists()


def test_other_changes_are_saved_within_the_interval_and_nothing_without_changes(
    tmp_path: Path,
) -> None:
    def write() -> None:
        with (tmp_path / "saved").open("a") as file:
            file.write("x")

    async def scenario() -> None:
        saver = Saver(write, 0.01)
        with running(saver):
            await asyncio.sleep(0.1)
            assert not (tmp_path / "saved").exists()
            saver.note_change(urgent=False)
            await until((tmp_path / "saved").exists)
            await asyncio.sleep(0.1)

    asyncio.run(scenario())
    assert (tmp_path / "saved").read_text() == "x"


def test_the_child_writes_the_state_at_the_fork_while_the_process_changes_it(
    tmp_path: Path,
) -> None:
    state, go = ["before"], tmp_path / "go"

    def write() -> None:
        while not go.exists():
            time.sleep(0.01)
        (tmp_path / "saved").write_text(state[0])

    async def scenario() -> None:
        saver = Saver(write, LONG)
        with running(saver):
            saver.note_change(urgent=True)
            await until(lambda: saver._child is not None)
            state[0] = "after"
            go.touch()
            await until((tmp_path / "saved").exists)

    asyncio.run(scenario())
    assert (tmp_path / "saved").read_text() == "before"


def test_a_change_during_a_save_is_saved_by_the_next(tmp_path: Path) -> None:
    state, go = ["first"], tmp_path / "go"

    def write() -> None:
        while not go.exists():
            time.sleep(0.01)
        (tmp_path / state[0]).touch()

    async def scenario() -> None:
        saver = Saver(write, LONG)
        with running(saver):
            saver.note_change(urgent=True)
            await until(lambda: saver._child is not None)
            state[0] = "second"
            saver.note_change(urgent=True)
            go.touch()
            await until((tmp_path / "second").exists)

    asyncio.run(scenario())
    assert (tmp_path / "first").exists()


def test_a_failed_save_is_reported_and_repeated(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    def write() -> None:
        if not (tmp_path / "tried").exists():
            (tmp_path / "tried").touch()
            raise OSError(28, "No space left on device")
        (tmp_path / "saved").touch()

    async def scenario() -> None:
        saver = Saver(write, 0.01)
        with running(saver):
            saver.note_change(urgent=False)
            await until((tmp_path / "saved").exists)

    asyncio.run(scenario())
    assert "could not save the state: [Errno 28] No space left on device" in capfd.readouterr().err


def test_a_child_that_hangs_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saver_module, "TIMEOUT_S", 0.1)

    async def scenario() -> bool:
        return await Saver(lambda: time.sleep(LONG))._save()

    assert asyncio.run(scenario()) is False


def test_a_child_keeps_no_connection_or_port_open() -> None:
    read_end, write_end = os.pipe()
    pid = saver_module._fork(lambda: time.sleep(LONG))
    os.close(write_end)
    try:
        # The end of the pipe is seen although the child is still running.
        assert os.read(read_end, 1) == b""
    finally:
        os.kill(pid, 9)
        os.waitpid(pid, 0)
        os.close(read_end)


def test_the_last_save_waits_until_it_is_done(tmp_path: Path) -> None:
    Saver((tmp_path / "saved").touch).finish()

    assert (tmp_path / "saved").exists()


def test_a_last_save_that_fails_is_an_error() -> None:
    def write() -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="could not be saved"):
        Saver(write).finish()
