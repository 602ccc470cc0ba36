"""Dead letters go back to their queues."""

import boto3
import pytest

from chalicelib.ops import redrive, resources
from chalicelib.ops.stages import Stage


class TestStage(Stage):
    __test__ = False

    @property
    def stack_name(self) -> str:
        return "monitum-test"


def test_every_dead_letter_is_moved_back_once(
    aws: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    client = boto3.client("sqs", region_name=resources.REGION)
    monkeypatch.setattr(Stage, "client", lambda *_: client)
    for number in range(12):
        client.send_message(QueueUrl=aws["ALERTS_DEAD_QUEUE_URL"], MessageBody=str(number))
    moved = redrive.redrive(TestStage("test"))
    assert moved == {"alerts": 12, "checks": 0}
    assert redrive.redrive(TestStage("test"), ("alerts",)) == {"alerts": 0}
    found = client.get_queue_attributes(
        QueueUrl=aws["ALERTS_QUEUE_URL"], AttributeNames=["ApproximateNumberOfMessages"]
    )
    assert found["Attributes"]["ApproximateNumberOfMessages"] == "12"
