"""Sending to SQS in batches, and having messages come again."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.config import Config
from botocore.session import get_session

_BATCH = 10
_BATCH_BYTES = 256 * 1024


class SendError(Exception):
    """Some messages were refused; those before them were sent."""


@dataclass(frozen=True, slots=True)
class Message:
    """A body, and how long it stays hidden after it was sent (0 to 900 s)."""

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
        """Send all, ten to a request as far as they fit; raises SendError."""
        for batch in _batches(messages):
            answer = self._client.send_message_batch(
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
            if answer.get("Failed"):
                codes = {failure["Code"] for failure in answer["Failed"]}
                raise SendError(f"{len(answer['Failed'])} messages refused: {sorted(codes)}")

    def hide(self, receipts: Mapping[str, int]) -> None:
        """Have messages that were taken come again after so many seconds, by receipt handle.

        Those that are not there any more are left out. At most ten, as in a batch of a function.
        """
        entries = [
            {"Id": str(number), "ReceiptHandle": receipt, "VisibilityTimeout": seconds}
            for number, (receipt, seconds) in enumerate(receipts.items())
        ]
        self._client.change_message_visibility_batch(QueueUrl=self._url, Entries=entries)


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
