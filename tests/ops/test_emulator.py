"""The local stack's process: what is said when the port or the process is not as expected."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ops import emulator
from ops.console import Failure


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("MONITUM_LOCAL", str(tmp_path))
    return tmp_path


@pytest.fixture
def taken_port(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        monkeypatch.setenv("MONITUM_PORT", str(port))
        monkeypatch.setattr("ops.stages.answers", lambda *_: False)
        yield port


def test_a_taken_port_is_named_with_a_way_out(home: Path, taken_port: int) -> None:
    with pytest.raises(
        Failure, match=rf"port {taken_port} is taken by another program.*MONITUM_PORT="
    ):
        emulator.start()


def test_a_process_file_left_by_a_killed_emulator_is_not_believed(
    home: Path, taken_port: int
) -> None:
    (home / "ministack.pid").write_text(f"{ended_process()} {taken_port}", encoding="utf-8")

    with pytest.raises(Failure, match="is taken"):
        emulator.start()
    assert not (home / "ministack.pid").exists()


def test_a_process_number_that_is_another_program_s_now_is_left_alone(home: Path) -> None:
    (home / "ministack.pid").write_text(f"{os.getpid()} 4566", encoding="utf-8")

    assert emulator.stop() is False
    assert not (home / "ministack.pid").exists()


@pytest.mark.parametrize("content", ["", "no number", "-1"])
def test_a_broken_process_file_is_not_an_error(home: Path, content: str) -> None:
    (home / "ministack.pid").write_text(content, encoding="utf-8")

    assert emulator.stop() is False


@pytest.mark.parametrize("port", ["0", "x", "65536", "-1"])
def test_a_port_that_is_none_is_refused(
    monkeypatch: pytest.MonkeyPatch, home: Path, port: str
) -> None:
    monkeypatch.setenv("MONITUM_PORT", port)

    with pytest.raises(Failure, match="MONITUM_PORT"):
        emulator.start()


def test_functions_get_nothing_of_the_caller_s_environment(
    monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "the user's own")
    monkeypatch.setenv("PYTHONPATH", "/somewhere")

    environment = emulator._environment(4566)

    assert environment["BIND_HOST"] == "127.0.0.1"
    assert environment["AUTH"] == "true"
    assert not {"AWS_SECRET_ACCESS_KEY", "PYTHONPATH"} & set(environment)


def ended_process() -> int:
    """The number of a process that is no more."""
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    return process.pid
