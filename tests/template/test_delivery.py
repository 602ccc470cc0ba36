"""Alarms, the parameters of a deployment, and the role that deploys."""

import json
from typing import Any

import pytest
from cfnlint.api import lint_all

from chalicelib.common.settings import STAGES
from ops import ROOT
from ops.deployment.deploy import PARAMETERS

Resources = dict[str, dict[str, Any]]
ALARM_USD = 0.10
"""The monthly price of one metric in an alarm."""


@pytest.fixture
def alarms(resources: Resources) -> Resources:
    return {
        name: resource
        for name, resource in resources.items()
        if resource["Type"] == "AWS::CloudWatch::Alarm"
    }


def billed_metrics(alarm: dict[str, Any]) -> int:
    """The number of metrics that an alarm is billed for."""
    return len([one for one in alarm["Properties"].get("Metrics", [{}]) if "Expression" not in one])


def test_the_cost_of_alarms(alarms: Resources) -> None:
    cost = {
        condition: sum(billed_metrics(one) for one in alarms.values() if one["Condition"] in group)
        * ALARM_USD
        for condition, group in {
            "few": {"FewAlarms"},
            "all": {"FewAlarms", "AllAlarms"},
        }.items()
    }

    assert cost == {"few": pytest.approx(0.60), "all": pytest.approx(1.10)}


def test_every_alarm_notifies_the_topic_and_has_a_description(alarms: Resources) -> None:
    for alarm in alarms.values():
        properties = alarm["Properties"]
        assert properties["AlarmActions"] == properties["OKActions"] == [{"Ref": "AlarmTopic"}]
        assert len(properties["AlarmDescription"]) > 10
        assert properties["AlarmName"]["Fn::Sub"].startswith("${AWS::StackName}-")


def test_every_alarm_is_in_the_handbook(alarms: Resources) -> None:
    handbook = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")

    assert [name for name in alarms if f"`{name.removesuffix('Alarm')}`" not in handbook] == []


def test_every_dead_letter_queue_has_an_alarm(alarms: Resources, resources: Resources) -> None:
    dead = {
        properties["QueueName"]["Fn::Sub"]
        for resource in resources.values()
        if resource["Type"] == "AWS::SQS::Queue"
        for properties in [resource["Properties"]]
        if "RedrivePolicy" not in properties
    }

    assert {text for text in dead if text in json.dumps(alarms["DeadLettersAlarm"])} == dead


def test_the_number_of_alarms_depends_on_the_stage(templates: dict[str, dict[str, Any]]) -> None:
    found = {name: one["Parameters"]["Alarms"]["Default"] for name, one in templates.items()}

    assert found == {name: stage.alarms for name, stage in STAGES.items()}


def test_every_parameter_can_be_set_for_a_deployment(
    templates: dict[str, dict[str, Any]],
) -> None:
    handbook = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")

    assert set(templates["prod"]["Parameters"]) == {"Stage", "Concurrency", *PARAMETERS}
    assert [name for name in PARAMETERS.values() if f"`{name}`" not in handbook] == []


def test_the_deploy_role_is_a_valid_template() -> None:
    text = (ROOT / "docs" / "deploy-role.json").read_text(encoding="utf-8")

    messages = [f"{finding.rule.id} {finding.message}" for finding in lint_all(text)]

    assert [line for line in messages if not line.startswith("I")] == []


def test_the_deploy_role_is_limited_to_one_repository_environment_and_stage() -> None:
    role = json.loads((ROOT / "docs" / "deploy-role.json").read_text(encoding="utf-8"))
    properties = role["Resources"]["Deploy"]["Properties"]
    (trust,) = properties["AssumeRolePolicyDocument"]["Statement"]
    (policy,) = properties["Policies"]
    open_ = {
        statement["Sid"]
        for statement in policy["PolicyDocument"]["Statement"]
        if "monitum-${Stage}" not in json.dumps(statement["Resource"])
    }

    subject = trust["Condition"]["StringEquals"]["token.actions.githubusercontent.com:sub"]
    assert subject == {"Fn::Sub": "repo:${Repository}:environment:${Stage}"}
    assert open_ == {"Mappings", "Api"}, "IAM cannot limit these by name"
