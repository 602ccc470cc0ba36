"""Dead letters go back to the queue or function that they came from."""

import json
from typing import Any

import boto3
import pytest

from ops import resources
from ops.data import redrive
from ops.deployment import regions
from ops.stages import Stage

STAGE = Stage("test")


class Lambda:
    """Records invocations."""

    def __init__(self) -> None:
        self.invoked: list[tuple[str, str, bytes]] = []

    def invoke(self, *, FunctionName: str, InvocationType: str, Payload: bytes) -> None:  # noqa: N803 - AWS's
        self.invoked.append((FunctionName, InvocationType, Payload))


@pytest.fixture
def functions(aws: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Lambda:
    fake = Lambda()

    def client(stage: Stage, service: str) -> Any:
        if service == "lambda":
            return fake
        return boto3.client(service, region_name=stage.region or resources.REGION)

    monkeypatch.setattr(Stage, "client", client)
    monkeypatch.setattr(regions, "of", lambda _: [])
    return fake


def sqs(region: str = resources.REGION) -> Any:
    return boto3.client("sqs", region_name=region)


def count(url: str, region: str = resources.REGION) -> int:
    name = "ApproximateNumberOfMessages"
    found = sqs(region).get_queue_attributes(QueueUrl=url, AttributeNames=[name])
    return int(found["Attributes"][name])


def test_dead_letters_are_moved_back_once(aws: dict[str, str], functions: Lambda) -> None:
    for number in range(12):
        sqs().send_message(QueueUrl=aws["ALERTS_DEAD_QUEUE_URL"], MessageBody=str(number))

    assert redrive.redrive(STAGE) == {"alerts": 12, "checks": 0, "rollups": 0}
    assert redrive.redrive(STAGE) == {"alerts": 0, "checks": 0, "rollups": 0}
    assert count(aws["ALERTS_QUEUE_URL"]) == 12


def test_rollup_events_go_back_to_their_function(functions: Lambda) -> None:
    event = {"folds": ["one"], "erase": ["two"]}
    dead = sqs().get_queue_url(QueueName="monitum-test-rollups-dead")["QueueUrl"]
    sqs().send_message(QueueUrl=dead, MessageBody=json.dumps(event))

    assert redrive.redrive(STAGE)["rollups"] == 1
    ((function, kind, payload),) = functions.invoked
    assert (function, kind, json.loads(payload)) == ("monitum-test-rollup", "Event", event)
    assert count(dead) == 0


def test_checks_of_an_additional_region_go_back_to_that_region(
    functions: Lambda, monkeypatch: pytest.MonkeyPatch
) -> None:
    region = "eu-west-1"
    monkeypatch.setattr(regions, "of", lambda _: [region])
    queue, dead = (
        sqs(region).create_queue(QueueName=f"monitum-test-{name}")["QueueUrl"]
        for name in ("checks", "checks-dead")
    )
    sqs(region).send_message(QueueUrl=dead, MessageBody="{}")

    assert redrive.redrive(STAGE)[f"checks of {region}"] == 1
    assert (count(queue, region), count(dead, region)) == (1, 0)
