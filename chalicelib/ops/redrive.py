"""Gives dead letters another chance: alerts that were given up are tried for another day."""

from typing import Any

from chalicelib.ops.stages import Stage

QUEUES = ("alerts", "checks")
_BATCH = 10


def redrive(stage: Stage, names: tuple[str, ...] = QUEUES) -> dict[str, int]:
    """Move every dead letter back to its queue; returns how many, by queue.

    A letter is deleted after it was sent: one that is moved twice is told once.
    """
    client = stage.client("sqs")
    return {name: _move(client, f"{stage.stack_name}-{name}") for name in names}


def _move(client: Any, queue: str) -> int:
    alive = client.get_queue_url(QueueName=queue)["QueueUrl"]
    dead = client.get_queue_url(QueueName=f"{queue}-dead")["QueueUrl"]
    moved = 0
    while True:
        letters = client.receive_message(
            QueueUrl=dead, MaxNumberOfMessages=_BATCH, WaitTimeSeconds=1
        ).get("Messages", [])
        if not letters:
            return moved
        for letter in letters:
            client.send_message(QueueUrl=alive, MessageBody=letter["Body"])
            client.delete_message(QueueUrl=dead, ReceiptHandle=letter["ReceiptHandle"])
        moved += len(letters)
