"""What the functions may do, what they are told and where they log."""

from collections import Counter
from typing import Any

import pytest

from chalicelib.alerting.delivery import LEASE_S
from chalicelib.aws.lambda_client import CALL_TIMEOUT_S
from chalicelib.common.settings import STAGES

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
        "sqs:ChangeMessageVisibility",
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
        ("Rollup", "channels"),
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


def test_functions_are_told_the_stage_and_the_rest_follows_from_it(
    templates: dict[str, dict[str, Any]],
) -> None:
    variables = templates["prod"]["Globals"]["Function"]["Environment"]["Variables"]

    assert variables["TABLE_PREFIX"] == {"Fn::Sub": "${AWS::StackName}-"}
    assert variables["CHECKS_QUEUE_URL"] == {"Ref": "ChecksQueue"}
    assert variables["STAGE"] == {"Ref": "Stage"}
    stages = {name: found["Parameters"]["Stage"]["Default"] for name, found in templates.items()}
    assert stages == {name: name for name in STAGES}
    assert set(templates["prod"]["Parameters"]["Stage"]["AllowedValues"]) == set(STAGES)


@pytest.mark.parametrize(
    ("condition", "wanted"),
    [
        ("OnAws", {name for name, stage in STAGES.items() if stage.on_aws}),
        ("Production", {name for name, stage in STAGES.items() if stage.guards_data}),
    ],
)
def test_the_template_s_conditions_are_those_of_the_settings(
    templates: dict[str, dict[str, Any]], condition: str, wanted: set[str]
) -> None:
    conditions = templates["prod"]["Conditions"]

    def holds(rule: dict[str, Any], stage: str) -> bool:
        if "Condition" in rule:
            return holds(conditions[rule["Condition"]], stage)
        if "Fn::Or" in rule:
            return any(holds(part, stage) for part in rule["Fn::Or"])
        parameter, value = rule["Fn::Equals"]
        assert parameter == {"Ref": "Stage"}
        return bool(value == stage)

    assert {stage for stage in STAGES if holds(conditions[condition], stage)} == wanted


def test_hours_are_given_out_every_hour(functions: Resources) -> None:
    (event,) = functions["FanOut"]["Events"].values()

    assert event["Properties"]["Schedule"] == "rate(1 hour)"


@pytest.mark.parametrize("stage", [name for name, found in STAGES.items() if found.on_aws])
def test_aws_runs_it_on_arm(templates: dict[str, dict[str, Any]], stage: str) -> None:
    for name in FUNCTIONS:
        properties = templates[stage]["Resources"][name]["Properties"]
        assert properties["Architectures"] == ["arm64"]


@pytest.mark.parametrize(
    ("function", "name"),
    [("Check", "checks"), ("Alert", "alerts")],
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


def test_what_dies_while_it_sends_is_free_again_when_its_message_comes_again(
    resources: Resources, functions: Resources
) -> None:
    hidden_s = resources["AlertsQueue"]["Properties"]["VisibilityTimeout"]

    assert functions["Notify"]["Timeout"] < LEASE_S < hidden_s
    assert functions["Alert"]["Timeout"] < hidden_s <= functions["Alert"]["Timeout"] + 10


def test_lambda_polls_no_other_queue(functions: Resources) -> None:
    """Each costs a quarter of a dollar a month, whether or not there is anything in it."""
    polled = [
        event["Properties"]["Queue"]["Fn::Sub"]
        for function in functions.values()
        for event in function.get("Events", {}).values()
        if event["Type"] == "SQS"
    ]

    assert sorted(polled) == ["${AlertsQueue.Arn}", "${ChecksQueue.Arn}"]


def test_a_fold_that_fails_at_every_try_is_kept(resources: Resources, functions: Resources) -> None:
    letters = functions["Rollup"]["DeadLetterQueue"]

    assert letters["Type"] == "SQS"
    dead = resources[letters["TargetArn"]["Fn::GetAtt"][0]]
    assert dead["Properties"]["MessageRetentionPeriod"] == 14 * 86_400


def test_alerts_may_wait_in_their_own_queue_as_often_as_they_must(functions: Resources) -> None:
    """Lambda stops a function whose messages come back to it for the sixteenth time."""
    assert functions["Alert"]["RecursiveLoop"] == "Allow"
    assert functions["Notify"]["RecursiveLoop"] == "Allow"


def test_alert_has_the_time_to_wait_for_notify(functions: Resources) -> None:
    assert functions["Notify"]["Timeout"] < CALL_TIMEOUT_S < functions["Alert"]["Timeout"]


def test_the_schedule_is_every_minute_and_a_tick_ends_before_the_next(
    functions: Resources,
) -> None:
    (event,) = functions["Tick"]["Events"].values()

    assert event["Properties"]["Schedule"] == "rate(1 minute)"
    assert functions["Tick"]["Timeout"] < 60


def test_functions_that_go_out_know_where_the_api_is(functions: Resources) -> None:
    told = {
        name
        for name, properties in functions.items()
        if properties.get("Environment", {}).get("Variables", {}).get("API_ID")
        == {"Ref": "RestAPI"}
    }

    assert told == {"Check", "Alert", "Notify"}, "the API's own would wait for itself"
