"""The template's tables and queues, created without CloudFormation."""

import json

import boto3

from ops import resources

PREFIX = "monitum-test-"


def test_tables_and_queues_are_created_as_declared(aws: dict[str, str]) -> None:
    tables = boto3.client("dynamodb").list_tables()["TableNames"]

    assert aws["TABLE_PREFIX"] == PREFIX
    assert {"monitum-test-users", "monitum-test-targets", "monitum-test-results"} <= set(tables)
    queue = boto3.client("sqs").get_queue_attributes(
        QueueUrl=aws["CHECKS_QUEUE_URL"], AttributeNames=["All"]
    )["Attributes"]
    assert queue["VisibilityTimeout"] == "180"
    redrive = json.loads(queue["RedrivePolicy"])
    assert redrive["maxReceiveCount"] == 5
    assert redrive["deadLetterTargetArn"].endswith(":monitum-test-checks-dead")


def test_expiry_is_enabled(aws: dict[str, str]) -> None:
    client = boto3.client("dynamodb")

    state = client.describe_time_to_live(TableName=f"{aws['TABLE_PREFIX']}results")

    assert state["TimeToLiveDescription"]["TimeToLiveStatus"] == "ENABLED"


def test_creating_them_twice_changes_nothing(aws: dict[str, str]) -> None:
    again = resources.create(PREFIX)

    assert again["CHECKS_QUEUE_URL"] == aws["CHECKS_QUEUE_URL"]
    tables = boto3.client("dynamodb").list_tables()["TableNames"]
    assert sorted(tables) == sorted(resources.create_tables(PREFIX))
