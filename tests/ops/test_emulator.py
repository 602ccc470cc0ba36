"""The local stack's process: ports in use, stale process files, environment."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ops.console import Failure
from ops.local import emulator


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("MONITUM_LOCAL", str(tmp_path))
    return tmp_path


@pytest.fixture
def used_port(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        monkeypatch.setenv("MONITUM_PORT", str(port))
        monkeypatch.setattr("ops.stages.responds", lambda *_: False)
        yield port


def test_a_port_in_use_is_reported_with_an_alternative(home: Path, used_port: int) -> None:
    with pytest.raises(
        Failure, match=rf"port {used_port} is in use by another program.*MONITUM_PORT="
    ):
        emulator.start()


def test_the_process_file_of_a_killed_emulator_is_ignored(
    home: Path, used_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(emulator, "FREE_TIMEOUT_S", 0)
    (home / "ministack.pid").write_text(f"{exited_process()} {used_port}", encoding="utf-8")

    with pytest.raises(Failure, match="is in use"):
        emulator.start()
    assert not (home / "ministack.pid").exists()


def test_a_process_id_reused_by_another_program_is_not_stopped(home: Path) -> None:
    (home / "ministack.pid").write_text(f"{os.getpid()} 4566", encoding="utf-8")

    assert emulator.stop() is False
    assert not (home / "ministack.pid").exists()


@pytest.mark.parametrize("content", ["", "no number", "-1"])
def test_an_invalid_process_file_is_not_an_error(home: Path, content: str) -> None:
    (home / "ministack.pid").write_text(content, encoding="utf-8")

    assert emulator.stop() is False


@pytest.mark.parametrize("port", ["0", "x", "65536", "-1"])
def test_an_invalid_port_is_rejected(
    monkeypatch: pytest.MonkeyPatch, home: Path, port: str
) -> None:
    monkeypatch.setenv("MONITUM_PORT", port)

    with pytest.raises(Failure, match="MONITUM_PORT"):
        emulator.start()


def test_functions_do_not_inherit_the_caller_s_environment(
    monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "the user's own")
    monkeypatch.setenv("PYTHONPATH", "/somewhere")

    environment = emulator._environment(4566)

    assert environment["BIND_HOST"] == "127.0.0.1"
    assert environment["AUTH"] == "true"
    assert not {"AWS_SECRET_ACCESS_KEY", "PYTHONPATH"} & set(environment)


def exited_process() -> int:
    """The id of a process that has exited."""
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    return process.pid
