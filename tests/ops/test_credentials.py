"""The local stack's credentials file."""

import stat
from pathlib import Path

import pytest

from ops import credentials
from ops.console import Failure
from ops.stages import Stage


def test_credentials_are_random_and_readable_by_their_owner_only(tmp_path: Path) -> None:
    first, second = (credentials.ensure(tmp_path / name) for name in ("a", "b"))

    assert first != second
    assert len(first.secret_access_key) == 40
    assert stat.S_IMODE((tmp_path / "a" / credentials.FILE).stat().st_mode) == 0o600


def test_credentials_stay_the_same(tmp_path: Path) -> None:
    assert (
        credentials.ensure(tmp_path) == credentials.ensure(tmp_path) == credentials.read(tmp_path)
    )


def test_the_local_stage_uses_them_and_other_emulators_the_usual_ones(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MONITUM_LOCAL", str(tmp_path))
    key, secret = credentials.ensure(tmp_path)

    local = Stage("local", "http://127.0.0.1:4566")
    assert local.session().get_credentials().secret_key == secret
    assert local.environment()["AWS_ACCESS_KEY_ID"] == key
    other = Stage("localstack", "http://127.0.0.1:4566")
    assert other.session().get_credentials().secret_key == "test"


def test_missing_credentials_are_reported_with_the_command_to_start(tmp_path: Path) -> None:
    with pytest.raises(Failure, match="run make up first"):
        credentials.read(tmp_path)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"access_key_id": "x"}'])
def test_a_damaged_file_is_reported_with_what_to_do(tmp_path: Path, content: str) -> None:
    (tmp_path / credentials.FILE).write_text(content)

    with pytest.raises(Failure, match=r"credentials.json.*Delete it"):
        credentials.ensure(tmp_path)
