"""What failed in a batch of checks comes again while its check is still of use."""

import pytest
from botocore.exceptions import ClientError

from chalicelib.worker import handler as worker_handler
from tests.support.world import World


@pytest.mark.parametrize(("deliveries", "seconds"), [(1, 5), (2, 20), (3, 80), (4, 180), (5, 180)])
def test_a_failed_message_is_hidden_longer_with_each_attempt(
    world: World, deliveries: int, seconds: int
) -> None:
    record = {
        "messageId": "1",
        "body": "not a job",
        "receiptHandle": "receipt",
        "attributes": {"ApproximateReceiveCount": str(deliveries)},
    }
    answer = worker_handler.handle_checks(world.runtime, [record])
    assert answer == {"batchItemFailures": [{"itemIdentifier": "1"}]}
    assert world.queue.hidden == {"receipt": seconds}


def test_a_successful_message_is_not_hidden(world: World) -> None:
    alice = world.user()
    alice.make_target()
    assert world.deliver([*world.queue.take(), "not a job"]) == ["not a job"]
    assert world.queue.hidden == {"receipt 1": 5}


def test_a_message_that_cannot_be_hidden_is_still_retried(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: object) -> None:
        raise ClientError({"Error": {"Code": "Throttled"}}, "ChangeMessageVisibilityBatch")

    monkeypatch.setattr(world.queue, "hide", refuse)
    assert world.deliver(["not a job"]) == ["not a job"]
