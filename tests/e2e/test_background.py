"""What functions start without waiting, on a running stack: folds, shards, and chat alerts."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from chalicelib.history.rollups.repository import Rollup
from chalicelib.monitoring.result import CheckResult, Timings, Verdict
from chalicelib.monitoring.storage.result_codec import pack
from ops.deployment import functions
from ops.deployment.functions import schedule_event
from ops.stages import Stage
from tests.e2e.test_main_job import wait_for

HOUR_S = 3_600
_PATIENCE_S = 60
_TRIES_S = 240
"""Lambda waits a minute and then two before it tries a failed event again; ministack seconds."""


@pytest.fixture
def table(stage: Stage) -> Callable[[str], Any]:
    """A table of the stack, by its name."""
    session = stage.session()
    dynamodb = session.resource("dynamodb", endpoint_url=stage.endpoint_url)
    return lambda name: dynamodb.Table(f"{stage.name_prefix}-{name}")


@pytest.fixture
def seat(call: Callable[..., Any], table: Callable[[str], Any]) -> Iterator[tuple[str, int, int]]:
    """A target's owner, lane and place."""
    body = {"name": "Folded", "kind": "tcp", "host": "127.0.0.1", "port": 9, "interval_s": 86_400}
    made = call("POST", "/v1/targets", body)
    owner = call("GET", "/v1/me")["id"]
    item = table("targets").get_item(Key={"owner": owner, "target_id": made["id"]})["Item"]
    yield owner, int(item["lane"].rpartition("#")[2]), int(json.loads(item["spec"])["place"])
    call("DELETE", f"/v1/targets/{made['id']}")


def test_the_hourly_run_has_rollup_fold_what_was_checked(
    stage: Stage, table: Callable[[str], Any], seat: tuple[str, int, int]
) -> None:
    owner, lane, place = seat
    hour = int(time.time()) // HOUR_S * HOUR_S - 2 * HOUR_S
    at = datetime.fromtimestamp(hour, UTC)
    table("results").put_item(
        Item={
            "lane_day": f"{owner}#{lane}#{at:%Y%m%d}",
            "check": f"{hour + 30:010d}#us-east-1",
            "results": pack({place: CheckResult(Verdict.UP, timings=Timings(body=50))}),
            "expires": hour + 86_400,
        }
    )
    # As if no hour had been given out since.
    table("system").put_item(Item={"name": "rollups", "cursor": hour})
    functions.invoke(stage, "fan-out", schedule_event())
    key = {"lane_month": f"{owner}#{lane}#{at:%Y%m}", "period": f"1h#{hour:010d}"}

    def folded() -> Any:
        return table("rollups").get_item(Key=key).get("Item")

    item = wait_for("the hour is folded", folded, _PATIENCE_S)
    piece = Rollup(hour, bytes(item["pieces"].value), 1).piece(place)
    assert piece
    assert (piece.counts, piece.latency.mean) == ((1, 0, 0, 0), 50)


def test_an_event_that_fails_at_every_try_is_a_dead_letter(stage: Stage) -> None:
    sqs = stage.client("sqs")
    dead = sqs.get_queue_url(QueueName=f"{stage.name_prefix}-rollups-dead")["QueueUrl"]
    mark = f"no fold {time.time_ns()}"
    stage.client("lambda").invoke(
        FunctionName=f"{stage.name_prefix}-rollup",
        InvocationType="Event",
        Payload=json.dumps({"folds": [mark]}).encode(),
    )

    def letter() -> Any:
        answer = sqs.receive_message(QueueUrl=dead, VisibilityTimeout=5, MaxNumberOfMessages=10)
        return [one for one in answer.get("Messages", []) if mark in one["Body"]]

    (found,) = wait_for("a dead letter", letter, _TRIES_S)
    sqs.delete_message(QueueUrl=dead, ReceiptHandle=found["ReceiptHandle"])
    assert mark in found["Body"]


@pytest.fixture
def second_shard(table: Callable[[str], Any]) -> Iterator[str]:
    """The item of a second shard's schedule, as it is where the first one is full."""
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


def test_the_schedule_of_the_first_shard_starts_that_of_the_second(
    stage: Stage, table: Callable[[str], Any], second_shard: str
) -> None:
    now = int(time.time())
    functions.invoke(stage, "tick", schedule_event())

    def planned() -> Any:
        return table("system").get_item(Key={"name": second_shard}).get("Item")

    item = wait_for("the second shard is planned", planned, _PATIENCE_S)
    assert item["cursor"] > now


class Chat(BaseHTTPRequestHandler):
    """A chat service that takes what it is told."""

    got: list[tuple[str, dict[str, Any]]] = []  # noqa: RUF012 - one server for one test

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.got.append((self.path, json.loads(body)))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def chat(call: Callable[..., Any]) -> Iterator[dict[str, Any]]:
    """A channel to the chat service."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Chat)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"gotify://127.0.0.1:{server.server_port}/Abcdefghijklmno"
    made = call("POST", "/v1/channels", {"name": "Chat", "kind": "apprise", "url": url})
    yield made
    call("DELETE", f"/v1/channels/{made['id']}")
    server.shutdown()
    server.server_close()


def test_a_chat_alert_goes_through_notify(call: Callable[..., Any], chat: dict[str, Any]) -> None:
    path = f"/v1/channels/{chat['id']}"
    call("POST", f"{path}/test")
    wait_for("an alert", lambda: Chat.got, _PATIENCE_S)

    def status() -> str:
        return str(call("GET", f"{path}/deliveries")["items"][0]["status"])

    wait_for("that it is known to be sent", lambda: status() == "sent", _PATIENCE_S)
    ((asked, told),) = Chat.got
    assert asked.startswith("/message")
    assert told["message"]
