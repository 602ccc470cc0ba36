"""Deployments on moto's CloudFormation: changes, rollbacks, and deletion of stages."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import pytest

from ops import resources
from ops.console import Failure, confirm
from ops.deployment import artifacts, cloudformation, deploy, destroy
from ops.deployment.release import release
from ops.packaging.package import Package
from ops.stages import Stage

STAGE = Stage("dev")
MAIL = "ops@monitum.example"


class SmallPackage(Package):
    """A package with one queue, whose visibility timeout is `seconds`."""

    @property
    def template(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.directory / "template.json").read_text())
        return found


def package(tmp_path: Path, seconds: int) -> Package:
    directory = tmp_path / str(seconds)
    directory.mkdir(exist_ok=True)
    template = {
        "Parameters": {
            "MailFrom": {"Type": "String", "Default": ""},
            "PublicUrl": {"Type": "String", "Default": ""},
        },
        "Resources": {
            "ChecksQueue": {
                "Type": "AWS::SQS::Queue",
                "Properties": {"QueueName": "small", "VisibilityTimeout": seconds},
            }
        },
    }
    (directory / "template.json").write_text(json.dumps(template))
    (directory / "deployment.zip").write_bytes(b"code %d" % seconds)
    (directory / "digest").write_text(f"digest of {seconds}")
    return SmallPackage(directory)


@pytest.fixture(autouse=True)
def _no_parameters(aws: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in deploy.PARAMETERS.values():
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(Stage, "client", cache(Stage.client))


def visibility_timeout_s() -> int:
    sqs = boto3.client("sqs", region_name=resources.REGION)
    url = sqs.get_queue_url(QueueName="small")["QueueUrl"]
    found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout"])
    return int(found["Attributes"]["VisibilityTimeout"])


def passing() -> None:
    """A smoke test that passes."""


def failing() -> None:
    raise Failure("smoke test: nothing is checked")


def test_a_stage_is_created_and_then_changed(tmp_path: Path) -> None:
    release(STAGE, package(tmp_path, 30), passing)
    assert visibility_timeout_s() == 30

    release(STAGE, package(tmp_path, 60), passing)

    assert visibility_timeout_s() == 60


def test_changes_are_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    release(STAGE, package(tmp_path, 30), passing)
    assert "+ ChecksQueue (AWS::SQS::Queue)" in capsys.readouterr().out

    changes = deploy.plan(STAGE, package(tmp_path, 60))

    assert [str(change) for change in changes] == ["  ~ ChecksQueue (AWS::SQS::Queue)"]
    assert visibility_timeout_s() == 30, "a plan changes nothing"


def test_a_plan_of_a_new_stage_leaves_no_stack(tmp_path: Path) -> None:
    changes = deploy.plan(STAGE, package(tmp_path, 30))

    assert [change.action for change in changes] == ["Add"]
    assert cloudformation.find(STAGE) is None


def test_a_deployment_that_fails_its_test_is_rolled_back(tmp_path: Path) -> None:
    release(STAGE, package(tmp_path, 30), passing)

    with pytest.raises(Failure, match="nothing is checked\nmonitum-dev was rolled back"):
        release(STAGE, package(tmp_path, 60), failing)

    assert visibility_timeout_s() == 30


def test_a_first_deployment_that_fails_its_test_is_deleted(tmp_path: Path) -> None:
    with pytest.raises(Failure, match="first deployment"):
        release(STAGE, package(tmp_path, 30), failing)

    assert cloudformation.find(STAGE) is None


def test_parameters_keep_their_values_until_they_are_set_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAIL_FROM", MAIL)
    release(STAGE, package(tmp_path, 30), passing)
    monkeypatch.delenv("MAIL_FROM")

    release(STAGE, package(tmp_path, 60), passing)

    assert cloudformation.parameters(cloudformation.find(STAGE))["MailFrom"] == MAIL
    monkeypatch.setenv("MAIL_FROM", "")
    assert deploy.parameters(STAGE, package(tmp_path, 60).template)["MailFrom"] == ""


@pytest.mark.parametrize(
    ("stage", "values", "warns"),
    [
        ("prod", {}, True),
        ("prod", {"AlarmEmail": ""}, True),
        ("prod", {"AlarmEmail": "ops@shop.example"}, False),
        ("prod", {"Alarms": "none"}, False),
        ("dev", {}, False),
        ("dev", {"Alarms": "all"}, True),
        ("localstack", {"Alarms": "all"}, False),
    ],
)
def test_alarms_that_nobody_receives_are_pointed_out(
    stage: str, values: dict[str, str], *, warns: bool
) -> None:
    warning = deploy.alarm_warning(Stage(stage), values)

    assert bool(warning) is warns
    assert not warns or "ALARM_EMAIL" in str(warning)


def test_an_invalid_setting_is_rejected_before_anything_is_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PUBLIC_URL", "monitum.example")

    with pytest.raises(Failure, match="PUBLIC_URL"):
        release(STAGE, package(tmp_path, 30), passing)

    assert cloudformation.find(STAGE) is None


def test_old_packages_are_deleted_and_the_newest_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(artifacts, "KEPT", 2)
    for seconds in (10, 20, 30):
        release(STAGE, package(tmp_path, seconds), passing)

    s3 = boto3.client("s3", region_name=resources.REGION)
    bucket = artifacts.bucket_name(STAGE)
    bodies = {
        s3.get_object(Bucket=bucket, Key=item["Key"])["Body"].read()
        for item in s3.list_objects_v2(Bucket=bucket)["Contents"]
    }
    assert len(bodies) == 2
    assert b"code 30" in bodies


def test_the_bucket_is_private(tmp_path: Path) -> None:
    release(STAGE, package(tmp_path, 30), passing)

    s3 = boto3.client("s3", region_name=resources.REGION)
    bucket = artifacts.bucket_name(STAGE)
    block = s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
    assert set(block.values()) == {True}


def tables() -> list[str]:
    found: list[str] = boto3.client("dynamodb", region_name=resources.REGION).list_tables()[
        "TableNames"
    ]
    return [name for name in found if name.startswith("monitum-dev-")]


def test_destroying_a_stage_keeps_its_tables_by_default(
    tmp_path: Path,
) -> None:
    release(STAGE, package(tmp_path, 30), passing)
    resources.create_tables("monitum-dev-")
    before = tables()

    destroy.destroy(STAGE, data=False)
    assert cloudformation.find(STAGE) is None
    assert tables() == before != []

    destroy.destroy(STAGE, data=True)
    assert tables() == []
    s3 = boto3.client("s3", region_name=resources.REGION)
    assert s3.list_buckets()["Buckets"] == []


def test_destruction_is_explained_and_must_be_confirmed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert "tables are kept and stay protected" in destroy.warning(Stage("prod"), data=False)
    assert "ALL USERS, TARGETS AND HISTORY" in destroy.warning(Stage("prod"), data=True)
    assert "with all its data" in destroy.warning(Stage("localstack", "http://x"), data=False)
    inputs = iter(["yes", "monitum-prod"])
    monkeypatch.setattr("builtins.input", lambda _question: next(inputs))

    with pytest.raises(Failure, match="nothing was done"):
        confirm("?", "monitum-prod")
    confirm("?", "monitum-prod")
