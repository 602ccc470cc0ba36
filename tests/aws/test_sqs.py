"""Batches of SQS messages, and errors for rejected ones."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.aws.sqs import Message, Queue, SendError
from chalicelib.runtime import Runtime


class Client:
    """Accepts batches like SQS and rejects the message `refused`."""

    def __init__(self, refused: str | None = None) -> None:
        self.batches: list[list[dict[str, Any]]] = []
        self.refused = refused

    def change_message_visibility_batch(
        self,
        QueueUrl: str,  # noqa: N803
        Entries: list[dict[str, Any]],  # noqa: N803
    ) -> None:
        assert QueueUrl == "url"
        self.batches.append(Entries)

    def send_message_batch(self, QueueUrl: str, Entries: list[dict[str, Any]]) -> Any:  # noqa: N803
        assert QueueUrl == "url"
        assert len({entry["Id"] for entry in Entries}) == len(Entries)
        self.batches.append(Entries)
        return {"Failed": [{"Code": "No"} for e in Entries if e["MessageBody"] == self.refused]}


@given(st.lists(st.integers(1, 256 * 1024), max_size=40))
def test_messages_are_sent_once_in_order_in_batches_that_fit(sizes: list[int]) -> None:
    client = Client()
    messages = [Message("x" * size, delay_s=number) for number, size in enumerate(sizes)]
    Queue(client, "url").send(messages)
    sent = [entry for batch in client.batches for entry in batch]
    assert [(entry["MessageBody"], entry["DelaySeconds"]) for entry in sent] == [
        (message.body, message.delay_s) for message in messages
    ]
    for batch in client.batches:
        assert 1 <= len(batch) <= 10
        assert sum(len(entry["MessageBody"]) for entry in batch) <= 256 * 1024


def test_batch_size_is_counted_in_bytes() -> None:
    client = Client()
    Queue(client, "url").send([Message("ü" * 100_000), Message("ü" * 100_000)])
    assert len(client.batches) == 2


def test_error_for_a_rejected_message_omits_its_body() -> None:
    with pytest.raises(SendError, match="1 messages rejected") as caught:
        Queue(Client(refused="secret"), "url").send([Message("a"), Message("secret")])
    assert "secret" not in str(caught.value)


def test_messages_are_hidden_for_the_given_times() -> None:
    client = Client()
    Queue(client, "url").hide({"one": 5, "other": 20})
    (entries,) = client.batches
    assert [(entry["ReceiptHandle"], entry["VisibilityTimeout"]) for entry in entries] == [
        ("one", 5),
        ("other", 20),
    ]
    assert len({entry["Id"] for entry in entries}) == 2


def test_dead_letters_are_counted_by_queue(aws: dict[str, str]) -> None:
    runtime = Runtime.from_env(aws)
    assert {name: queue.count() for name, queue in runtime.dead_letters.items()} == {
        "checks-dead": 0, "alerts-dead": 0, "rollups-dead": 0,
    }  # fmt: skip
    runtime.alerts_dead.send([Message("one"), Message("two")])
    assert runtime.dead_letters["alerts-dead"].count() == 2
