"""The deployed application: what each function loads and how events reach it."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from chalice.test import Client

import app
from chalicelib.runtime import Runtime
from tests.support.world import World


@pytest.fixture
def deployed(world: World, aws: dict[str, str]) -> Iterator[Runtime]:
    """The application as it makes itself from the environment, with SQS by moto."""
    app.runtime.cache_clear()
    yield app.runtime()
    app.runtime.cache_clear()


def receive(aws: dict[str, str]) -> list[dict[str, Any]]:
    sqs = boto3.client("sqs", region_name="us-east-1")
    answer = sqs.receive_message(QueueUrl=aws["CHECKS_QUEUE_URL"], MaxNumberOfMessages=10)
    return [
        {"messageId": message["MessageId"], "body": message["Body"], "receiptHandle": "r"}
        for message in answer.get("Messages", [])
    ]


def test_a_target_goes_in_is_checked_and_its_history_comes_out(
    deployed: Runtime, world: World, aws: dict[str, str]
) -> None:
    """Through the doors of app.py, over SQS and DynamoDB; nothing is watched at that address."""
    alice = world.user()
    headers = {"Authorization": f"Token {alice.token}", "Content-Type": "application/json"}
    body = {"name": "n", "kind": "http", "url": "http://nothing.invalid/", "failure_threshold": 1}
    deployed.__dict__["checker"] = world.checker
    with Client(app.app) as client:
        made = client.http.post("/v1/targets", headers=headers, body=json.dumps(body).encode())
        assert made.status_code == 201, made.body
        records = receive(aws)
        assert len(records) == 1
        client.lambda_.invoke("tick", client.events.generate_cw_event("", "", {}, []))
        answer = client.lambda_.invoke("check", {"Records": records})
        assert answer.payload == {"batchItemFailures": []}
        path = f"/v1/targets/{made.json_body['id']}/checks"
        checks = client.http.get(path, headers=headers).json_body["items"]
    assert [check["verdict"] for check in checks] == ["UP"]


def test_a_function_with_a_wrong_setting_does_not_start(aws: dict[str, str]) -> None:
    env = {**os.environ, **aws, "_HANDLER": "app.tick", "PYTHONPATH": ".", "CANARIES": "nonsense"}

    answer = subprocess.run(
        [sys.executable, "-c", "import app"], env=env, capture_output=True, text=True, check=False
    )

    assert answer.returncode != 0
    assert "CANARIES must have the form host:port" in answer.stderr
