"""What EventBridge and Lambda's pollers do in the cloud: call functions by clock and by queue."""

import time
import traceback

import boto3

from ops.console import say
from ops.events import schedule_event, sqs_event
from ops.live import LiveApp

POLL_EVERY_S = 0.25


def run_schedule(live: LiveApp, function: str, every_s: int) -> None:
    """Run the function now and at every full period from then on."""
    while True:
        _invoke(live, function, schedule_event())
        time.sleep(every_s - time.time() % every_s)


def pump_queue(live: LiveApp, function: str, url: str, batch_size: int) -> None:
    """Hand messages to the function in batches; those it does not name as failed are deleted."""
    client = boto3.client("sqs")
    while True:
        received = client.receive_message(
            QueueUrl=url, MaxNumberOfMessages=batch_size, AttributeNames=["All"]
        ).get("Messages", [])
        if not received:
            time.sleep(POLL_EVERY_S)
            continue
        answer = _invoke(live, function, sqs_event(url.rpartition("/")[2], received))
        if answer is None:
            continue
        failed = {item["itemIdentifier"] for item in answer["batchItemFailures"]}
        for message in received:
            if message["MessageId"] not in failed:
                client.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])


def _invoke(
    live: LiveApp, function: str, event: dict[str, object]
) -> dict[str, list[dict[str, str]]] | None:
    """The function's answer, or None when it failed, which is shown and does not end the pump."""
    try:
        answer: dict[str, list[dict[str, str]]] = live.invoke(function, event)
    except Exception:  # noqa: BLE001 - whatever the code raises while it is being edited
        say(traceback.format_exc(limit=-5))
        return None
    return answer
