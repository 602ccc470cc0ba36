"""Retries dead letters, after the fault that produced them is fixed."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ops.deployment import regions
from ops.stages import Stage

_BATCH = 10


def redrive(stage: Stage) -> dict[str, int]:
    """Retry every dead letter; returns their number by kind.

    Alerts and checks go back to their queues, checks in the region that they came from. Rollup
    events are sent to their function, which has no queue. A letter is deleted only after it was
    forwarded, so an interruption may process it twice. That does no harm: the work is idempotent.
    """
    moved = {name: _to_queue(stage, name) for name in ("alerts", "checks")}
    moved["rollups"] = _to_function(stage, "rollups", "rollup")
    for region in regions.of(stage):
        moved[f"checks of {region}"] = _to_queue(replace(stage, region=region), "checks")
    return moved


def _to_queue(stage: Stage, name: str) -> int:
    client = stage.client("sqs")
    # Stacks in additional regions have other names, but the same names of queues.
    url = client.get_queue_url(QueueName=f"{stage.name_prefix}-{name}")["QueueUrl"]
    return _each(stage, name, lambda body: client.send_message(QueueUrl=url, MessageBody=body))


def _to_function(stage: Stage, name: str, function: str) -> int:
    client = stage.client("lambda")
    request = {"FunctionName": f"{stage.name_prefix}-{function}", "InvocationType": "Event"}
    return _each(stage, name, lambda body: client.invoke(**request, Payload=body.encode()))


def _each(stage: Stage, name: str, forward: Callable[[str], Any]) -> int:
    client = stage.client("sqs")
    dead = client.get_queue_url(QueueName=f"{stage.name_prefix}-{name}-dead")["QueueUrl"]
    moved = 0
    while letters := client.receive_message(
        QueueUrl=dead, MaxNumberOfMessages=_BATCH, WaitTimeSeconds=1
    ).get("Messages"):
        for letter in letters:
            forward(letter["Body"])
            client.delete_message(QueueUrl=dead, ReceiptHandle=letter["ReceiptHandle"])
        moved += len(letters)
    return moved
