"""How it is watched and how it gets there: alarms that cost less than they watch, and the role."""

import json
from typing import Any

import pytest
from cfnlint.api import lint_all

from chalicelib.common.settings import STAGES
from ops import ROOT
from ops.deployment.deploy import PARAMETERS

Resources = dict[str, dict[str, Any]]
ALARM_USD = 0.10
"""A month of one metric in an alarm."""


@pytest.fixture
def alarms(resources: Resources) -> Resources:
    return {
        name: resource
        for name, resource in resources.items()
        if resource["Type"] == "AWS::CloudWatch::Alarm"
    }


def watched(alarm: dict[str, Any]) -> int:
    """How many metrics an alarm is paid for."""
    return len([one for one in alarm["Properties"].get("Metrics", [{}]) if "Expression" not in one])


def test_alarms_cost_less_than_what_they_watch(alarms: Resources) -> None:
    cost = {
        condition: sum(watched(one) for one in alarms.values() if one["Condition"] in group)
        * ALARM_USD
        for condition, group in {
            "few": {"FewAlarms"},
            "all": {"FewAlarms", "AllAlarms"},
        }.items()
    }

    assert cost == {"few": pytest.approx(0.60), "all": pytest.approx(1.10)}


def test_every_alarm_tells_the_topic_and_says_what_it_means(alarms: Resources) -> None:
    for alarm in alarms.values():
        properties = alarm["Properties"]
        assert properties["AlarmActions"] == properties["OKActions"] == [{"Ref": "AlarmTopic"}]
        assert len(properties["AlarmDescription"]) > 10
        assert properties["AlarmName"]["Fn::Sub"].startswith("${AWS::StackName}-")


def test_every_alarm_is_in_the_handbook(alarms: Resources) -> None:
    handbook = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")

    assert [name for name in alarms if f"`{name.removesuffix('Alarm')}`" not in handbook] == []


def test_anything_dead_anywhere_is_alarmed(alarms: Resources, resources: Resources) -> None:
    dead = {
        properties["QueueName"]["Fn::Sub"]
        for resource in resources.values()
        if resource["Type"] == "AWS::SQS::Queue"
        for properties in [resource["Properties"]]
        if "RedrivePolicy" not in properties
    }

    assert {text for text in dead if text in json.dumps(alarms["DeadLettersAlarm"])} == dead


def test_how_many_alarms_follows_from_the_stage(templates: dict[str, dict[str, Any]]) -> None:
    found = {name: one["Parameters"]["Alarms"]["Default"] for name, one in templates.items()}

    assert found == {name: stage.alarms for name, stage in STAGES.items()}


def test_every_parameter_can_be_given_to_a_deployment(
    templates: dict[str, dict[str, Any]],
) -> None:
    handbook = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")

    assert set(templates["prod"]["Parameters"]) == {"Stage", *PARAMETERS}
    assert [name for name in PARAMETERS.values() if f"`{name}`" not in handbook] == []


def test_the_role_that_deploys_is_one_that_cloudformation_takes() -> None:
    text = (ROOT / "docs" / "deploy-role.json").read_text(encoding="utf-8")

    told = [f"{finding.rule.id} {finding.message}" for finding in lint_all(text)]

    assert [line for line in told if not line.startswith("I")] == []


def test_the_role_is_for_one_environment_of_one_repository_and_for_one_stage() -> None:
    role = json.loads((ROOT / "docs" / "deploy-role.json").read_text(encoding="utf-8"))
    properties = role["Resources"]["Deploy"]["Properties"]
    (trust,) = properties["AssumeRolePolicyDocument"]["Statement"]
    (policy,) = properties["Policies"]
    open_ = {
        statement["Sid"]
        for statement in policy["PolicyDocument"]["Statement"]
        if "monitum-${Stage}" not in json.dumps(statement["Resource"])
    }

    who = trust["Condition"]["StringEquals"]["token.actions.githubusercontent.com:sub"]
    assert who == {"Fn::Sub": "repo:${Repository}:environment:${Stage}"}
    assert open_ == {"Mappings", "Api"}, "neither of these can be named by the stage"
