"""What a further region gets: queue and worker of the same template, which write at home."""

import json
from typing import Any

import pytest
from cfnlint.api import lint_all

from ops.deployment.regions import Home, regional
from tests.template.test_validity import with_uploaded_code

Template = dict[str, Any]
HOME = Home(
    "monitum-prod",
    "us-east-1",
    "a1b2c3",
    "https://sqs.us-east-1.amazonaws.com/1/monitum-prod-alerts",
)


def statements(template: Template) -> list[dict[str, Any]]:
    (policy,) = template["Resources"]["CheckRole"]["Properties"]["Policies"]
    found: list[dict[str, Any]] = policy["PolicyDocument"]["Statement"]
    return found


@pytest.mark.parametrize("template", ["prod"], indirect=True)
def test_cfn_lint_finds_nothing(template: Template) -> None:
    findings = lint_all(json.dumps(with_uploaded_code(regional(template, HOME))))
    told = [f"{finding.rule.id} {finding.message}" for finding in findings]
    assert [text for text in told if not text.startswith("I")] == []


def test_the_worker_may_do_there_what_it_may_do_at_home(template: Template) -> None:
    here, there = statements(template), statements(regional(template, HOME))
    assert [one["Action"] for one in there] == [one["Action"] for one in here]
    for statement in there:
        said = json.dumps(statement["Resource"])
        is_home = "us-east-1" in said
        assert is_home == any(name in said for name in (":dynamodb:", ":lambda:", "-alerts")), said
        assert is_home != ("${AWS::Region}" in said or "ChecksQueue" in said), said


def test_it_knows_where_home_is_and_what_things_are_called_there(template: Template) -> None:
    part = regional(template, HOME)
    variables = part["Globals"]["Function"]["Environment"]["Variables"]
    assert variables["HOME_REGION"] == "us-east-1"
    assert variables["TABLE_PREFIX"] == {"Fn::Sub": "monitum-prod-"}
    assert variables["ALERTS_QUEUE_URL"] == HOME.alerts_queue_url
    assert variables["FORBIDDEN_PORTS"] == {"Ref": "ForbiddenPorts"}
    assert part["Resources"]["Check"]["Properties"]["Environment"]["Variables"] == {
        "API_ID": "a1b2c3"
    }
    assert part["Resources"]["ChecksQueue"]["Properties"]["QueueName"] == {
        "Fn::Sub": "monitum-prod-checks"
    }
    assert "AWS::StackName" not in json.dumps(part)


def test_nothing_is_kept_there(template: Template) -> None:
    kinds = {one["Type"] for one in regional(template, HOME)["Resources"].values()}
    assert kinds == {
        "AWS::SQS::Queue", "AWS::Logs::LogGroup", "AWS::IAM::Role", "AWS::Serverless::Function",
        "AWS::IAM::Policy",
    }  # fmt: skip
