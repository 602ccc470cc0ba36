"""Asynchronous invocations on a running stack: rollups, shards and chat alerts."""

import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from chalicelib.history.rollups.repository import Rollup
from chalicelib.monitoring.result import CheckResult, Timings, Verdict
from chalicelib.monitoring.storage.result_codec import pack
from ops.deployment import functions
from ops.deployment.functions import schedule_event
from ops.stages import Stage
from tests.e2e.tools import PATIENCE_S, Request, serve, wait_for

HOUR_S = 3_600
_RETRIES_S = 240
"""Lambda retries a failed event after one minute and again after two, ministack after seconds."""


@pytest.fixture
def table(stage: Stage) -> Callable[[str], Any]:
    """A table of the stack, by its name."""
    session = stage.session()
    dynamodb = session.resource("dynamodb", endpoint_url=stage.endpoint_url)
    return lambda name: dynamodb.Table(f"{stage.name_prefix}-{name}")


@pytest.fixture
def place(call: Callable[..., Any], table: Callable[[str], Any]) -> Iterator[tuple[str, int, int]]:
    """A target's owner, lane and place."""
    body = {"name": "Folded", "kind": "tcp", "host": "127.0.0.1", "port": 9, "interval_s": 86_400}
    target = call("POST", "/v1/targets", body)
    owner = call("GET", "/v1/me")["id"]
    item = table("targets").get_item(Key={"owner": owner, "target_id": target["id"]})["Item"]
    yield owner, int(item["lane"].rpartition("#")[2]), int(json.loads(item["spec"])["place"])
    call("DELETE", f"/v1/targets/{target['id']}")


def test_the_hourly_run_rolls_up_the_results(
    stage: Stage, table: Callable[[str], Any], place: tuple[str, int, int]
) -> None:
    owner, lane, index = place
    hour = int(time.time()) // HOUR_S * HOUR_S - 2 * HOUR_S
    at = datetime.fromtimestamp(hour, UTC)
    table("results").put_item(
        Item={
            "lane_day": f"{owner}#{lane}#{at:%Y%m%d}",
            "check": f"{hour + 30:010d}#us-east-1",
            "results": pack({index: CheckResult(Verdict.UP, timings=Timings(body=50))}),
            "expires": hour + 86_400,
        }
    )
    # As if no hour had been dispatched since.
    table("system").put_item(Item={"name": "rollups", "cursor": hour})
    functions.invoke(stage, "fan-out", schedule_event())
    key = {"lane_month": f"{owner}#{lane}#{at:%Y%m}", "period": f"1h#{hour:010d}"}

    def rollup() -> Any:
        return table("rollups").get_item(Key=key).get("Item")

    item = wait_for("a rollup of the hour", rollup, PATIENCE_S)
    piece = Rollup(hour, bytes(item["pieces"].value), 1).segment(index)
    assert piece
    assert (piece.counts, piece.latency.mean) == ((1, 0, 0, 0), 50)


def test_an_event_that_fails_on_every_attempt_becomes_a_dead_letter(stage: Stage) -> None:
    sqs = stage.client("sqs")
    dead = sqs.get_queue_url(QueueName=f"{stage.name_prefix}-rollups-dead")["QueueUrl"]
    mark = f"no fold {time.time_ns()}"
    stage.client("lambda").invoke(
        FunctionName=f"{stage.name_prefix}-rollup",
        InvocationType="Event",
        Payload=json.dumps({"folds": [mark]}).encode(),
    )

    def letter() -> Any:
        response = sqs.receive_message(QueueUrl=dead, VisibilityTimeout=5, MaxNumberOfMessages=10)
        return [one for one in response.get("Messages", []) if mark in one["Body"]]

    (found,) = wait_for("a dead letter", letter, _RETRIES_S)
    sqs.delete_message(QueueUrl=dead, ReceiptHandle=found["ReceiptHandle"])
    assert mark in found["Body"]


@pytest.fixture
def second_shard(table: Callable[[str], Any]) -> Iterator[str]:
    """The schedule item of a second shard, as when the first is full."""
    schedule, name = {"name": "schedule"}, "schedule:1"
    system = table("system")
    count = {"#shards": "shards"}
    system.update_item(
        Key=schedule,
        UpdateExpression="SET #shards = :two",
        ExpressionAttributeNames=count,
        ExpressionAttributeValues={":two": 2},
    )
    yield name
    system.update_item(
        Key=schedule, UpdateExpression="REMOVE #shards", ExpressionAttributeNames=count
    )
    system.delete_item(Key={"name": name})


def test_the_first_shard_s_scheduler_starts_that_of_the_second(
    stage: Stage, table: Callable[[str], Any], second_shard: str
) -> None:
    now = int(time.time())
    functions.invoke(stage, "tick", schedule_event())

    def planned() -> Any:
        return table("system").get_item(Key={"name": second_shard}).get("Item")

    item = wait_for("the second shard is planned", planned, PATIENCE_S)
    assert item["cursor"] > now


def test_a_chat_alert_is_sent_by_notify(call: Callable[..., Any]) -> None:
    received: list[Request] = []

    def respond(request: Request) -> int:
        received.append(request)
        return 200

    with serve(respond) as port:
        url = f"gotify://127.0.0.1:{port}/Abcdefghijklmno"
        channel = call("POST", "/v1/channels", {"name": "Chat", "kind": "apprise", "url": url})
        path = f"/v1/channels/{channel['id']}"

        def status() -> str:
            return str(call("GET", f"{path}/deliveries")["items"][0]["status"])

        call("POST", f"{path}/test")
        wait_for("an alert", lambda: received, PATIENCE_S)
        wait_for("the delivery to be recorded as sent", lambda: status() == "sent", PATIENCE_S)
        call("DELETE", path)
    (message,) = received
    assert message.path.startswith("/message")
    assert json.loads(message.body)["message"]
