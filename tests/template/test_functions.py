"""What the functions may do, what they are told and where they log."""

from collections import Counter
from typing import Any

import pytest

from chalicelib.domain.channels import ChannelKind
from chalicelib.domain.deliveries import lease_s

Resources = dict[str, dict[str, Any]]
FUNCTIONS = {
    "APIHandler": "api",
    "Tick": "tick",
    "Check": "check",
    "FanOut": "fan-out",
    "Rollup": "rollup",
    "Alert": "alert",
    "Notify": "notify",
}


def statements(resources: Resources, function: dict[str, Any]) -> list[dict[str, Any]]:
    role = resources[function["Role"]["Fn::GetAtt"][0]]["Properties"]
    assert "ManagedPolicyArns" not in role
    return [
        statement
        for policy in role["Policies"]
        for statement in policy["PolicyDocument"]["Statement"]
    ]


def test_there_are_these_functions_and_no_others(functions: Resources) -> None:
    names = {name: properties["FunctionName"] for name, properties in functions.items()}

    assert names == {
        name: {"Fn::Sub": f"${{AWS::StackName}}-{short}"} for name, short in FUNCTIONS.items()
    }


def test_every_function_has_a_role_of_its_own(functions: Resources) -> None:
    roles = Counter(function["Role"]["Fn::GetAtt"][0] for function in functions.values())

    assert set(roles.values()) == {1}


def test_no_permission_reaches_beyond_this_stack(
    resources: Resources, functions: Resources
) -> None:
    for function in functions.values():
        for statement in statements(resources, function):
            found = statement["Resource"]
            for resource in found if isinstance(found, list) else [found]:
                queue, attribute = resource.get("Fn::GetAtt", ["", ""])
                own_queue = resources.get(queue, {}).get("Type") == "AWS::SQS::Queue"
                own_mail = statement["Action"] == ["ses:SendEmail"]
                assert (
                    own_mail
                    or (own_queue and attribute == "Arn")
                    or "${AWS::StackName}-" in resource["Fn::Sub"]
                )


def test_nobody_may_scan_or_change_tables_themselves(
    resources: Resources, functions: Resources
) -> None:
    allowed = {
        action
        for function in functions.values()
        for statement in statements(resources, function)
        for action in statement["Action"]
    }

    assert allowed <= {
        "dynamodb:BatchGetItem",
        "dynamodb:ConditionCheckItem",
        "dynamodb:DeleteItem",
        "dynamodb:GetItem",
        "dynamodb:PutItem",
        "dynamodb:Query",
        "dynamodb:UpdateItem",
        "lambda:InvokeFunction",
        "logs:CreateLogStream",
        "logs:PutLogEvents",
        "sqs:DeleteMessage",
        "sqs:GetQueueAttributes",
        "sqs:ReceiveMessage",
        "sqs:SendMessage*",
        "ses:SendEmail",
    }


@pytest.mark.parametrize(
    ("function", "table"),
    [
        ("Tick", "users"),
        ("Tick", "lanes"),
        ("Tick", "results"),
        ("Check", "users"),
        ("Check", "rollups"),
        ("FanOut", "results"),
        ("FanOut", "targets"),
        ("Rollup", "users"),
        ("Rollup", "targets"),
        ("Rollup", "lanes"),
        ("Alert", "users"),
        ("Alert", "results"),
        ("Notify", "users"),
        ("Notify", "lanes"),
        ("Notify", "targets"),
    ],
)
def test_workers_do_not_see_what_they_do_not_need(
    resources: Resources, functions: Resources, function: str, table: str
) -> None:
    text = str(statements(resources, functions[function]))

    assert f"table/${{AWS::StackName}}-{table}" not in text


def test_every_function_logs_to_a_group_that_forgets(
    resources: Resources, functions: Resources
) -> None:
    for function in functions.values():
        group = resources[function["LoggingConfig"]["LogGroup"]["Ref"]]
        assert group["Type"] == "AWS::Logs::LogGroup"
        assert group["Properties"]["RetentionInDays"] == 14
        name = function["FunctionName"]["Fn::Sub"]
        assert group["Properties"]["LogGroupName"] == {"Fn::Sub": f"/aws/lambda/{name}"}


def test_the_stage_decides_whether_private_addresses_are_checked(
    templates: dict[str, dict[str, Any]],
) -> None:
    variables = templates["prod"]["Globals"]["Function"]["Environment"]["Variables"]

    assert variables["ALLOW_PRIVATE_TARGETS"] == {"Fn::If": ["Production", "false", "true"]}
    assert variables["TABLE_PREFIX"] == {"Fn::Sub": "${AWS::StackName}-"}
    assert variables["CHECKS_QUEUE_URL"] == {"Ref": "ChecksQueue"}
    assert variables["STAGE"] == {"Ref": "Stage"}
    assert templates["prod"]["Conditions"]["Production"] == {
        "Fn::Equals": [{"Ref": "Stage"}, "prod"]
    }
    stages = {name: found["Parameters"]["Stage"]["Default"] for name, found in templates.items()}
    assert stages == {"local": "local", "localstack": "localstack", "prod": "prod"}


def test_the_stage_decides_how_long_history_is_kept(templates: dict[str, dict[str, Any]]) -> None:
    days = {
        stage: [
            {
                **found["Globals"]["Function"]["Environment"]["Variables"],
                **found["Resources"]["Check"]["Properties"]
                .get("Environment", {})
                .get("Variables", {}),
            }[f"{name}_RETENTION_DAYS"]
            for name in ("RESULTS", "HOURLY", "DAILY")
        ]
        for stage, found in templates.items()
    }
    assert days["prod"] == ["90", "400", "1827"]
    assert days["local"] == days["localstack"] == ["30", "400", "1827"]


def test_hours_are_given_out_every_hour(functions: Resources) -> None:
    (event,) = functions["FanOut"]["Events"].values()

    assert event["Properties"]["Schedule"] == "rate(1 hour)"


def test_production_runs_on_arm(templates: dict[str, dict[str, Any]]) -> None:
    for name in FUNCTIONS:
        properties = templates["prod"]["Resources"][name]["Properties"]
        assert properties["Architectures"] == ["arm64"]


@pytest.mark.parametrize(
    ("function", "name"),
    [("Check", "checks"), ("Alert", "alerts"), ("Notify", "notices"), ("Rollup", "rollups")],
)
def test_a_failed_message_is_repeated_alone_and_not_for_ever(
    resources: Resources, functions: Resources, function: str, name: str
) -> None:
    (event,) = functions[function]["Events"].values()
    logical = f"{name.capitalize()}Queue"

    assert event["Properties"]["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert event["Properties"]["Queue"] == {"Fn::Sub": f"${{{logical}.Arn}}"}
    queue = resources[logical]["Properties"]
    dead = queue["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"][0]
    assert resources[dead]["Properties"]["QueueName"] == {
        "Fn::Sub": f"${{AWS::StackName}}-{name}-dead"
    }
    assert queue["VisibilityTimeout"] >= functions[function]["Timeout"]


@pytest.mark.parametrize(
    ("function", "queue", "kind"),
    [
        ("Alert", "AlertsQueue", ChannelKind.WEBHOOK),
        ("Alert", "AlertsQueue", ChannelKind.EMAIL),
        ("Notify", "NoticesQueue", ChannelKind.APPRISE),
    ],
)
def test_what_dies_while_it_sends_is_free_again_when_its_message_comes_again(
    resources: Resources, functions: Resources, function: str, queue: str, kind: ChannelKind
) -> None:
    lives_s = functions[function]["Timeout"]
    hidden_s = resources[queue]["Properties"]["VisibilityTimeout"]
    assert lives_s < lease_s(kind) < hidden_s <= lives_s + 10


def test_the_schedule_is_every_minute_and_a_tick_ends_before_the_next(
    functions: Resources,
) -> None:
    (event,) = functions["Tick"]["Events"].values()

    assert event["Properties"]["Schedule"] == "rate(1 minute)"
    assert functions["Tick"]["Timeout"] < 60
