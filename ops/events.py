"""The events that AWS sends to the functions, for those who invoke them by hand."""

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

REGION, ACCOUNT = "us-east-1", "123456789012"


def schedule_event() -> dict[str, Any]:
    """What EventBridge's schedule sends, with the present time."""
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": ACCOUNT,
        "time": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": REGION,
        "resources": [],
        "detail": {},
    }


def sqs_event(queue: str, messages: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """What Lambda's poller hands on of messages as ReceiveMessage returned them."""
    return {
        "Records": [
            {
                "messageId": message["MessageId"],
                "receiptHandle": message["ReceiptHandle"],
                "body": message["Body"],
                "attributes": message.get("Attributes", {}),
                "messageAttributes": message.get("MessageAttributes", {}),
                "md5OfBody": message["MD5OfBody"],
                "eventSource": "aws:sqs",
                "eventSourceARN": f"arn:aws:sqs:{REGION}:{ACCOUNT}:{queue}",
                "awsRegion": REGION,
            }
            for message in messages
        ]
    }
