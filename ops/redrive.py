"""Gives dead letters another chance, for what was given up while something was broken."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ops import regions
from ops.stages import Stage

_BATCH = 10


def redrive(stage: Stage) -> dict[str, int]:
    """Have every dead letter tried again; returns how many there were, by what they are of.

    Alerts and checks go back to their queues, checks in the region that they were of; the events of
    rollups go to their function, which has no queue. A letter is deleted after it was handed on:
    doing what it asks for twice does no harm.
    """
    moved = {name: _to_queue(stage, name) for name in ("alerts", "checks")}
    moved["rollups"] = _to_function(stage, "rollups", "rollup")
    for region in regions.of(stage):
        moved[f"checks of {region}"] = _to_queue(replace(stage, region=region), "checks")
    return moved


def _to_queue(stage: Stage, name: str) -> int:
    client = stage.client("sqs")
    # Further regions have stacks of other names, but queues of the same.
    alive = client.get_queue_url(QueueName=f"{stage.name_prefix}-{name}")["QueueUrl"]
    return _each(stage, name, lambda body: client.send_message(QueueUrl=alive, MessageBody=body))


def _to_function(stage: Stage, name: str, function: str) -> int:
    client = stage.client("lambda")
    asked = {"FunctionName": f"{stage.name_prefix}-{function}", "InvocationType": "Event"}
    return _each(stage, name, lambda body: client.invoke(**asked, Payload=body.encode()))


def _each(stage: Stage, name: str, hand_on: Callable[[str], Any]) -> int:
    client = stage.client("sqs")
    dead = client.get_queue_url(QueueName=f"{stage.name_prefix}-{name}-dead")["QueueUrl"]
    moved = 0
    while letters := client.receive_message(
        QueueUrl=dead, MaxNumberOfMessages=_BATCH, WaitTimeSeconds=1
    ).get("Messages"):
        for letter in letters:
            hand_on(letter["Body"])
            client.delete_message(QueueUrl=dead, ReceiptHandle=letter["ReceiptHandle"])
        moved += len(letters)
    return moved
