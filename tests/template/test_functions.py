"""Permissions, environment, logs and events of the functions."""

from collections import Counter
from typing import Any

import pytest

from chalicelib.access.models import AuditItem, Token, User
from chalicelib.alerting.delivery import LEASE_S
from chalicelib.aws.lambda_client import CALL_TIMEOUT_S
from chalicelib.common.settings import STAGES, Settings
from ops.deployment.concurrency import LEVELS

Resources = dict[str, dict[str, Any]]
FUNCTIONS = {
    "APIHandler": "api", "Tick": "tick", "Check": "check", "FanOut": "fan-out", "Rollup": "rollup",
    "Alert": "alert", "Notify": "notify",
}  # fmt: skip


def statements(resources: Resources, function: dict[str, Any]) -> list[dict[str, Any]]:
    role = resources[function["Role"]["Fn::GetAtt"][0]]["Properties"]
    assert "ManagedPolicyArns" not in role
    return [
        statement
        for policy in role["Policies"]
        for statement in policy["PolicyDocument"]["Statement"]
    ]


def test_the_list_of_functions(functions: Resources) -> None:
    names = {name: properties["FunctionName"] for name, properties in functions.items()}

    assert names == {
        name: {"Fn::Sub": f"${{AWS::StackName}}-{short}"} for name, short in FUNCTIONS.items()
    }


def test_every_function_has_a_separate_role(functions: Resources) -> None:
    roles = Counter(function["Role"]["Fn::GetAtt"][0] for function in functions.values())

    assert set(roles.values()) == {1}


def test_permissions_are_limited_to_this_stack(resources: Resources, functions: Resources) -> None:
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


def test_no_function_may_scan_or_change_tables(resources: Resources, functions: Resources) -> None:
    allowed = {
        action
        for function in functions.values()
        for statement in statements(resources, function)
        for action in statement["Action"]
    }

    assert allowed <= {
        "dynamodb:BatchGetItem", "dynamodb:ConditionCheckItem", "dynamodb:DeleteItem",
        "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:UpdateItem",
        "lambda:InvokeFunction", "logs:CreateLogStream", "logs:PutLogEvents",
        "sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:GetQueueAttributes",
        "sqs:ReceiveMessage", "sqs:SendMessage*", "ses:SendEmail",
        "sns:GetTopicAttributes",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("function", "table"),
    [
        ("Tick", "users"), ("Tick", "lanes"), ("Tick", "results"),
        ("Check", "users"), ("Check", "rollups"),
        ("FanOut", "results"), ("FanOut", "targets"),
        ("Rollup", "users"), ("Rollup", "channels"),
        ("Alert", "results"),
        ("Notify", "users"), ("Notify", "lanes"), ("Notify", "targets"),
    ],
)  # fmt: skip
def test_workers_have_no_access_to_tables_they_do_not_use(
    resources: Resources, functions: Resources, function: str, table: str
) -> None:
    text = str(statements(resources, functions[function]))

    assert f"table/${{AWS::StackName}}-{table}" not in text


def test_alert_can_write_audit_records_but_no_tokens(
    resources: Resources, functions: Resources
) -> None:
    (statement,) = [
        statement
        for statement in statements(resources, functions["Alert"])
        if "${AWS::StackName}-users" in str(statement["Resource"])
    ]
    allowed = statement["Condition"]["ForAllValues:StringEquals"]["dynamodb:Attributes"]

    assert statement["Action"] == ["dynamodb:PutItem"]
    assert set(allowed) == set(AuditItem.get_attributes())
    for item in (Token, User):
        assert not {"hash", "cursor_key"}.intersection(item.get_attributes()) <= set(allowed)


def test_every_function_has_a_log_group_with_retention(
    resources: Resources, functions: Resources
) -> None:
    for function in functions.values():
        group = resources[function["LoggingConfig"]["LogGroup"]["Ref"]]
        assert group["Type"] == "AWS::Logs::LogGroup"
        assert group["Properties"]["RetentionInDays"] == 14
        name = function["FunctionName"]["Fn::Sub"]
        assert group["Properties"]["LogGroupName"] == {"Fn::Sub": f"/aws/lambda/{name}"}


@pytest.mark.parametrize("stage", ["prod"])
def test_every_variable_of_the_environment_is_read(
    templates: dict[str, dict[str, Any]], stage: str
) -> None:
    template = templates[stage]
    given = set(template["Globals"]["Function"]["Environment"]["Variables"])
    read: set[str] = set()

    class Environment(dict[str, str]):
        def get(self, name: str, default: Any = None) -> Any:
            read.add(name)
            return super().get(name, default)

    Settings.from_env(Environment(STAGE=stage, TABLE_PREFIX="monitum-", API_ID="a1"))

    assert given - read == set()


def test_the_environment_contains_the_stage(
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


def test_rollups_are_dispatched_every_hour(functions: Resources) -> None:
    (event,) = functions["FanOut"]["Events"].values()

    assert event["Properties"]["Schedule"] == "rate(1 hour)"


@pytest.mark.parametrize("stage", [name for name, found in STAGES.items() if found.on_aws])
def test_functions_use_arm_on_aws(templates: dict[str, dict[str, Any]], stage: str) -> None:
    for name in FUNCTIONS:
        properties = templates[stage]["Resources"][name]["Properties"]
        assert properties["Architectures"] == ["arm64"]


@pytest.mark.parametrize(
    ("function", "name"),
    [("Check", "checks"), ("Alert", "alerts")],
)
def test_failed_messages_are_retried_individually_and_then_dead_letters(
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


def test_a_delivery_lease_ends_before_its_message_is_visible_again(
    resources: Resources, functions: Resources
) -> None:
    hidden_s = resources["AlertsQueue"]["Properties"]["VisibilityTimeout"]

    assert functions["Notify"]["Timeout"] < LEASE_S < hidden_s
    assert functions["Alert"]["Timeout"] < hidden_s <= functions["Alert"]["Timeout"] + 10


def test_lambda_polls_only_two_queues(functions: Resources) -> None:
    """Polling an empty queue costs a quarter of a dollar a month."""
    polled = [
        event["Properties"]["Queue"]["Fn::Sub"]
        for function in functions.values()
        for event in function.get("Events", {}).values()
        if event["Type"] == "SQS"
    ]

    assert sorted(polled) == ["${AlertsQueue.Arn}", "${ChecksQueue.Arn}"]


@pytest.mark.parametrize("level", ["10", "100", "1000"])
def test_background_work_leaves_concurrency_to_the_rest(
    templates: dict[str, dict[str, Any]], level: str
) -> None:
    """An alert may wait for `notify`, and takes two executions then."""
    template = templates["prod"]
    used = template["Mappings"]["Concurrency"][level]

    assert used["Check"] + 2 * used["Alert"] + int(used["Background"]) < int(level)
    assert int(used["Background"]) <= max(1, int(level) // 20)
    assert min(used["Check"], used["Alert"]) >= 2, "Lambda's minimum"
    assert used["Check"] <= 1_000, "Lambda's maximum"
    assert set(template["Parameters"]["Concurrency"]["AllowedValues"]) == {
        *map(str, LEVELS), "emulator",
    }  # fmt: skip


def test_new_accounts_reserve_no_concurrency(templates: dict[str, dict[str, Any]]) -> None:
    """They have 10 and must leave 10 unreserved; accounts with 1,000 must leave 100."""
    template = templates["prod"]
    reserved = template["Resources"]["Rollup"]["Properties"]["ReservedConcurrentExecutions"]

    assert template["Parameters"]["Concurrency"]["Default"] == "10"
    assert reserved["Fn::If"][0] == "ReservesConcurrency"
    assert reserved["Fn::If"][2] == {"Ref": "AWS::NoValue"}
    condition = template["Conditions"]["ReservesConcurrency"]
    assert condition == {"Fn::Equals": [{"Ref": "Concurrency"}, "1000"]}


def test_failed_rollup_events_are_kept(resources: Resources, functions: Resources) -> None:
    letters = functions["Rollup"]["DeadLetterQueue"]

    assert letters["Type"] == "SQS"
    dead = resources[letters["TargetArn"]["Fn::GetAtt"][0]]
    assert dead["Properties"]["MessageRetentionPeriod"] == 14 * 86_400


def test_alert_messages_may_be_requeued_without_limit(functions: Resources) -> None:
    """By default Lambda stops a function after sixteen rounds through its own queue."""
    assert functions["Alert"]["RecursiveLoop"] == "Allow"
    assert functions["Notify"]["RecursiveLoop"] == "Allow"


def test_the_timeout_of_alert_allows_waiting_for_notify(functions: Resources) -> None:
    assert functions["Notify"]["Timeout"] < CALL_TIMEOUT_S < functions["Alert"]["Timeout"]


def test_the_schedule_is_every_minute_and_a_tick_ends_before_the_next(
    functions: Resources,
) -> None:
    (event,) = functions["Tick"]["Events"].values()

    assert event["Properties"]["Schedule"] == "rate(1 minute)"
    assert functions["Tick"]["Timeout"] < 60


def test_functions_with_outbound_requests_know_the_api(functions: Resources) -> None:
    found = {
        name
        for name, properties in functions.items()
        if properties.get("Environment", {}).get("Variables", {}).get("API_ID")
        == {"Ref": "RestAPI"}
    }

    assert found == {"Check", "Alert", "Notify"}, "a reference from the API would be circular"
