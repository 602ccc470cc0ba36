"""The local stack's description file, and the endpoints of the stages."""

import stat
from pathlib import Path

import pytest

from ops import stages
from ops.console import Failure
from ops.local import stack
from ops.stages import Stage


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("MONITUM_LOCAL", str(tmp_path))
    return tmp_path


def test_the_description_is_readable_by_its_owner_only(home: Path) -> None:
    stack.write_description("http://127.0.0.1:4566", "http://127.0.0.1:4566/api", "mon_token")

    assert stack.description() == {
        "api_url": "http://127.0.0.1:4566/api",
        "token": "mon_token",
        "endpoint_url": "http://127.0.0.1:4566",
        "dashboard_url": "http://127.0.0.1:4566/api/",
    }
    assert stat.S_IMODE((home / "stack.json").stat().st_mode) == 0o600


def test_a_missing_stack_is_reported_with_the_command_to_start_one(home: Path) -> None:
    with pytest.raises(Failure, match="make up"):
        stack.description()


def test_an_unknown_stage_is_rejected_with_the_list_of_stages() -> None:
    with pytest.raises(Failure, match="local, localstack, dev, prod"):
        stages.stage("staging")


def test_emulator_endpoints_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MONITUM_PORT", "4999")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:5000")

    assert stages.stage("local").endpoint_url == "http://127.0.0.1:4999"
    assert stages.stage("localstack").endpoint_url == "http://127.0.0.1:5000"
    assert stages.stage("prod").endpoint_url is None
    assert stages.stage("dev").endpoint_url is None


@pytest.mark.parametrize(
    ("name", "is_ministack", "url"),
    [
        ("local", True, "http://h:1"),
        ("localstack", True, "http://h:1/restapis/abc/api/_user_request_"),
        ("localstack", False, "http://h:1/_aws/execute-api/abc/api"),
    ],
)
def test_the_form_of_the_api_url_depends_on_the_emulator(
    monkeypatch: pytest.MonkeyPatch, name: str, is_ministack: bool, url: str
) -> None:
    monkeypatch.setattr(stages, "responds", lambda *_: is_ministack)

    assert stages.api_base(Stage(name, "http://h:1"), "abc") == url


def test_the_aws_api_url_contains_the_region(monkeypatch: pytest.MonkeyPatch, aws: object) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")

    url = stages.api_base(Stage("prod"), "abc")

    assert url == "https://abc.execute-api.eu-central-1.amazonaws.com/api"


def test_a_missing_aws_region_is_reported(monkeypatch: pytest.MonkeyPatch, aws: object) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    monkeypatch.delenv("AWS_REGION")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")

    with pytest.raises(Failure, match="no AWS region"):
        Stage("prod").session()
