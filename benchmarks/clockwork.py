"""A clock that is moved by hand, and a queue on it."""

import heapq
from typing import Any

from benchmarks.metering import Meter

START = 1_795_000_020 // 60 * 60


class SimulatedSqs:
    """The part of an SQS client that the queue uses, on the simulated clock."""

    def __init__(self, clock: "Clock") -> None:
        self.clock = clock
        self.meter: Meter | None = None
        self.alerts = self
        self._waiting: list[tuple[float, int, str]] = []
        self._sent = 0

    def send_message_batch(self, *, QueueUrl: str, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803, ARG002 - the names of botocore
        if self.meter:
            self.meter.sqs("send", [len(entry["MessageBody"]) for entry in Entries])
        for entry in Entries:
            self._sent += 1
            visible = self.clock() + entry["DelaySeconds"]
            heapq.heappush(self._waiting, (visible, self._sent, entry["MessageBody"]))
        return {}

    def forget(self) -> None:
        """Drop what waits."""
        self._waiting.clear()

    def receive(self) -> list[dict[str, Any]]:
        """Up to five visible messages, received and later deleted as Lambda's poller does it."""
        records: list[dict[str, Any]] = []
        while self._waiting and self._waiting[0][0] <= self.clock() and len(records) < 5:
            _, number, body = heapq.heappop(self._waiting)
            records.append({"messageId": str(number), "body": body})
        if records and self.meter:
            self.meter.sqs("receive", [len(record["body"]) for record in records])
            self.meter.sqs("delete")
        return records


class Clock:
    def __init__(self) -> None:
        self.time: float = START

    def __call__(self) -> float:
        return self.time
