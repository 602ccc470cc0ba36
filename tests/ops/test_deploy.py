"""Deployments on moto's CloudFormation: shown, made, taken back; stages are deleted as was said."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import pytest

from ops import artifacts, cloudformation, deploy, destroy, resources
from ops.console import Failure, confirm
from ops.package import Package
from ops.stages import Stage

STAGE = Stage("dev")
MAIL = "ops@monitum.example"


class SmallPackage(Package):
    """A package with one queue: `seconds` is how long it hides messages."""

    @property
    def template(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.directory / "template.json").read_text())
        return found


def package(place: Path, seconds: int) -> Package:
    directory = place / str(seconds)
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
def _nothing_given(aws: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in deploy.GIVEN.values():
        monkeypatch.delenv(variable, raising=False)
    made = cache(Stage.client)
    monkeypatch.setattr(Stage, "client", made)


def hidden_s() -> int:
    sqs = boto3.client("sqs", region_name=resources.REGION)
    url = sqs.get_queue_url(QueueName="small")["QueueUrl"]
    found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout"])
    return int(found["Attributes"]["VisibilityTimeout"])


def fine() -> None:
    """What proves a deployment that holds."""


def broken() -> None:
    raise Failure("smoke test: nothing is checked")


def test_a_stage_is_made_and_then_changed(tmp_path: Path) -> None:
    deploy.release(STAGE, package(tmp_path, 30), fine)
    assert hidden_s() == 30

    deploy.release(STAGE, package(tmp_path, 60), fine)

    assert hidden_s() == 60


def test_what_changes_is_shown_before(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    deploy.release(STAGE, package(tmp_path, 30), fine)
    assert "+ ChecksQueue (AWS::SQS::Queue)" in capsys.readouterr().out

    changes = deploy.plan(STAGE, package(tmp_path, 60))

    assert [str(change) for change in changes] == ["  ~ ChecksQueue (AWS::SQS::Queue)"]
    assert hidden_s() == 30, "a plan changes nothing"


def test_a_plan_of_a_new_stage_leaves_no_stack(tmp_path: Path) -> None:
    changes = deploy.plan(STAGE, package(tmp_path, 30))

    assert [change.action for change in changes] == ["Add"]
    assert cloudformation.find(STAGE) is None


def test_a_deployment_that_does_not_hold_is_taken_back(tmp_path: Path) -> None:
    deploy.release(STAGE, package(tmp_path, 30), fine)

    with pytest.raises(Failure, match="nothing is checked\nmonitum-dev runs what it ran before"):
        deploy.release(STAGE, package(tmp_path, 60), broken)

    assert hidden_s() == 30


def test_a_first_deployment_that_does_not_hold_is_deleted(tmp_path: Path) -> None:
    with pytest.raises(Failure, match="first deployment"):
        deploy.release(STAGE, package(tmp_path, 30), broken)

    assert cloudformation.find(STAGE) is None


def test_what_was_given_once_stays_until_it_is_given_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAIL_FROM", MAIL)
    deploy.release(STAGE, package(tmp_path, 30), fine)
    monkeypatch.delenv("MAIL_FROM")

    deploy.release(STAGE, package(tmp_path, 60), fine)

    assert cloudformation.parameters(cloudformation.find(STAGE))["MailFrom"] == MAIL
    monkeypatch.setenv("MAIL_FROM", "")
    assert deploy.parameters(STAGE, package(tmp_path, 60).template)["MailFrom"] == ""


def test_a_setting_that_makes_no_sense_is_refused_before_anything_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PUBLIC_URL", "monitum.example")

    with pytest.raises(Failure, match="PUBLIC_URL"):
        deploy.release(STAGE, package(tmp_path, 30), fine)

    assert cloudformation.find(STAGE) is None


def test_old_packages_go_and_the_newest_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(artifacts, "KEPT", 2)
    for seconds in (10, 20, 30):
        deploy.release(STAGE, package(tmp_path, seconds), fine)

    s3 = boto3.client("s3", region_name=resources.REGION)
    bucket = artifacts.bucket_name(STAGE)
    bodies = {
        s3.get_object(Bucket=bucket, Key=item["Key"])["Body"].read()
        for item in s3.list_objects_v2(Bucket=bucket)["Contents"]
    }
    assert len(bodies) == 2
    assert b"code 30" in bodies


def test_the_bucket_is_closed_to_everybody(tmp_path: Path) -> None:
    deploy.release(STAGE, package(tmp_path, 30), fine)

    s3 = boto3.client("s3", region_name=resources.REGION)
    bucket = artifacts.bucket_name(STAGE)
    block = s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
    assert set(block.values()) == {True}


def tables() -> list[str]:
    found: list[str] = boto3.client("dynamodb", region_name=resources.REGION).list_tables()[
        "TableNames"
    ]
    return [name for name in found if name.startswith("monitum-dev-")]


def test_a_stage_that_is_destroyed_leaves_its_tables_unless_they_are_meant_too(
    tmp_path: Path,
) -> None:
    deploy.release(STAGE, package(tmp_path, 30), fine)
    resources.create_tables(None, "monitum-dev-")
    before = tables()

    destroy.destroy(STAGE, data=False)
    assert cloudformation.find(STAGE) is None
    assert tables() == before != []

    destroy.destroy(STAGE, data=True)
    assert tables() == []
    s3 = boto3.client("s3", region_name=resources.REGION)
    assert s3.list_buckets()["Buckets"] == []


def test_what_will_happen_is_said_and_has_to_be_agreed_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert "tables stay, protected" in destroy.what_happens(Stage("prod"), data=False)
    assert "ALL USERS, TARGETS AND HISTORY" in destroy.what_happens(Stage("prod"), data=True)
    assert "with all its data" in destroy.what_happens(Stage("localstack", "http://x"), data=False)
    answers = iter(["yes", "monitum-prod"])
    monkeypatch.setattr("builtins.input", lambda _question: next(answers))

    with pytest.raises(Failure, match="nothing was done"):
        confirm("?", "monitum-prod")
    confirm("?", "monitum-prod")
