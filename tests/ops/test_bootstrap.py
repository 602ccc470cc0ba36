"""Creating the environments: when one is kept, and the messages of failures."""

import builtins
import sys
from pathlib import Path

import pytest

from ops import bootstrap
from ops.bootstrap import Environment


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    requirements = tmp_path / "requirements.txt"
    requirements.write_text("monitum-has-no-such-dependency==1\n", encoding="utf-8")
    return Environment(tmp_path / "venv", (requirements,))


def test_an_environment_is_kept_until_its_pins_change(environment: Environment) -> None:
    environment.path.mkdir()
    assert not environment.is_current()

    (environment.path / "stamp").write_text(environment.stamp, encoding="utf-8")
    assert environment.is_current()

    environment.requirements[0].write_text("six==1.17.0\n", encoding="utf-8")
    assert not environment.is_current()


@pytest.mark.parametrize("version", [(3, 10, 1), (3, 15, 0)])
def test_an_unsupported_python_is_reported(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], version: tuple[int, ...]
) -> None:
    monkeypatch.setattr(sys, "version_info", version)

    assert bootstrap.main(["run"]) == 1

    assert "Monitum needs 3.11 to 3.14" in capsys.readouterr().err


def test_a_python_without_venv_gets_an_install_hint(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    real = builtins.__import__

    def without_ensurepip(name: str, *arguments: object) -> object:
        if name == "ensurepip":
            raise ImportError(name)
        return real(name, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(builtins, "__import__", without_ensurepip)

    assert bootstrap.main(["run"]) == 1

    assert "apt install python3-venv" in capsys.readouterr().err


def test_a_missing_network_is_reported_and_no_stamp_written(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], environment: Environment
) -> None:
    # Without an index, pip fails as on a machine without a network.
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setattr(bootstrap, "ENVIRONMENTS", {"run": environment, "dev": environment})

    assert bootstrap.main(["run"]) == 1

    output = capsys.readouterr().err
    assert "Is there a network?" in output
    assert not (environment.path / "stamp").exists()
