"""The template of an additional region: queue and worker, which write to the home region."""

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
    messages = [f"{finding.rule.id} {finding.message}" for finding in findings]
    assert [text for text in messages if not text.startswith("I")] == []


def test_the_worker_has_the_same_permissions_as_at_home(template: Template) -> None:
    here, there = statements(template), statements(regional(template, HOME))
    assert [one["Action"] for one in there] == [one["Action"] for one in here]
    for statement in there:
        text = json.dumps(statement["Resource"])
        is_home = "us-east-1" in text
        assert is_home == any(name in text for name in (":dynamodb:", ":lambda:", "-alerts")), text
        assert is_home != ("${AWS::Region}" in text or "ChecksQueue" in text), text


def test_its_environment_and_names_are_those_of_the_home_stack(template: Template) -> None:
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


def test_it_has_no_tables(template: Template) -> None:
    kinds = {one["Type"] for one in regional(template, HOME)["Resources"].values()}
    assert kinds == {
        "AWS::SQS::Queue", "AWS::Logs::LogGroup", "AWS::IAM::Role", "AWS::Serverless::Function",
        "AWS::IAM::Policy",
    }  # fmt: skip
