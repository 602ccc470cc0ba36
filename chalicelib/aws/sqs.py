"""Send SQS messages in batches, and change when received messages become visible again."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.config import Config
from botocore.session import get_session

Record = Mapping[str, Any]
"""A message as an event source passes it to a function."""
_BATCH = 10
_BATCH_BYTES = 256 * 1024


class SendError(Exception):
    """SQS rejected some messages; earlier batches were sent."""


@dataclass(frozen=True, slots=True)
class Message:
    """A message body, and its delivery delay (0 to 900 s)."""

    body: str
    delay_s: int = 0


class Queue:
    """One SQS queue."""

    def __init__(self, client: Any, url: str) -> None:
        self._client = client
        self._url = url

    @classmethod
    def connect(cls, url: str, region: str) -> "Queue":
        config = Config(connect_timeout=2, read_timeout=5, retries={"total_max_attempts": 4})
        return cls(get_session().create_client("sqs", region_name=region, config=config), url)

    def send(self, messages: Iterable[Message]) -> None:
        """Send all messages, up to ten per request; raises SendError."""
        for batch in _batches(messages):
            response = self._client.send_message_batch(
                QueueUrl=self._url,
                Entries=[
                    {
                        "Id": str(number),
                        "MessageBody": message.body,
                        "DelaySeconds": message.delay_s,
                    }
                    for number, message in enumerate(batch)
                ],
            )
            if response.get("Failed"):
                codes = {failure["Code"] for failure in response["Failed"]}
                raise SendError(f"{len(response['Failed'])} messages rejected: {sorted(codes)}")

    def sibling(self, url: str) -> "Queue":
        """Another queue in the same region, through the same client."""
        return Queue(self._client, url)

    def count(self) -> int:
        """The number of messages that wait, approximately."""
        name = "ApproximateNumberOfMessages"
        found = self._client.get_queue_attributes(QueueUrl=self._url, AttributeNames=[name])
        return int(found["Attributes"][name])

    def hide(self, receipts: Mapping[str, int]) -> None:
        """Make received messages visible again after the given seconds, by receipt handle.

        Messages that no longer exist are ignored. At most ten, the batch size of a function.
        """
        entries = [
            {"Id": str(number), "ReceiptHandle": receipt, "VisibilityTimeout": seconds}
            for number, (receipt, seconds) in enumerate(receipts.items())
        ]
        self._client.change_message_visibility_batch(QueueUrl=self._url, Entries=entries)


def sent_at(record: Record) -> float | None:
    """When a received message was sent, in epoch seconds on the clock of SQS."""
    return _timestamp(record, "SentTimestamp")


def first_received_at(record: Record) -> float | None:
    """When a message was received for the first time, in epoch seconds on the clock of SQS."""
    return _timestamp(record, "ApproximateFirstReceiveTimestamp")


def _timestamp(record: Record, name: str) -> float | None:
    text = record.get("attributes", {}).get(name)
    return None if text is None else int(text) / 1_000


def _batches(messages: Iterable[Message]) -> Iterator[list[Message]]:
    batch: list[Message] = []
    size = 0
    for message in messages:
        length = len(message.body.encode())
        if batch and (len(batch) == _BATCH or size + length > _BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(message)
        size += length
    if batch:
        yield batch
