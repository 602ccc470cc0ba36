"""The development server: API, schedules and queues in one process, on moto.

Changed code is reloaded. moto keeps users, targets and history until the process ends.
"""

import hashlib
import os
import threading
import time
import traceback
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Any, cast
from unittest.mock import patch
from uuid import UUID

import boto3
from moto import mock_aws

from ops import credentials, resources, stages
from ops.console import Failure, say
from ops.deployment.functions import schedule_event
from ops.local.live import LiveApp

PORT = 8000
PREFIX = "monitum-dev-"
ENVIRONMENT = {
    "AWS_DEFAULT_REGION": resources.REGION,
    "AWS_REGION": resources.REGION,
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
}
"""The settings of clients; moto accepts all credentials, and only from this process."""
RELOAD_EVERY_S = 0.5
POLL_EVERY_S = 0.25


def run() -> None:
    """Serve until interrupted.

    Raises:
        Failure: the port is in use, or the application cannot be imported.
    """
    port = int(os.environ.get("PORT") or PORT)
    # moto intercepts calls of AWS itself, not of an endpoint.
    os.environ.pop("AWS_ENDPOINT_URL", None)
    os.environ.update(ENVIRONMENT)
    with mock_aws():
        public_url = f"http://127.0.0.1:{port}"
        os.environ.update({"STAGE": "local", "PUBLIC_URL": public_url, **resources.create(PREFIX)})
        live = LiveApp()
        live.load()
        server = _server(live, port)
        token = _create_developer()
        _background(_reload_forever, live)
        for function, every_s in live.schedules().items():
            _background(_run_schedule, live, function, every_s)
        for function, (queue, batch_size) in live.queues().items():
            _background(_poll_queue, live, function, _queue_url(queue), batch_size)
        say(f"Monitum at http://127.0.0.1:{port}/  (Ctrl-C stops it and deletes all data)")
        say(f"token {token}")
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            say("")


def _queue_url(queue: str) -> str:
    return os.environ[f"{queue.upper().replace('-', '_')}_QUEUE_URL"]


def _server(live: LiveApp, port: int) -> ThreadingHTTPServer:
    def handler(request: Any, client: Any, server: Any) -> BaseHTTPRequestHandler:
        return live.request_handler(request, client, server)

    try:
        # A function creates the handler of each request, so that it uses the newest code.
        server = ThreadingHTTPServer(("127.0.0.1", port), handler)
    except OSError as error:
        raise Failure(f"port {port} is in use: make dev PORT={port + 1}") from error
    server.daemon_threads = True
    return server


def _create_developer() -> str:
    """Create a user whose id and token are the same at every start, for use in scripts.

    The token depends on a secret of this checkout, so that no web page can know it.
    """
    from chalicelib.users import service as users_service

    seed = credentials.ensure(stages.local_directory()).secret_access_key.encode()
    ids = (str(UUID(int=(7 << 76) | (2 << 62) | number)) for number in count(1))
    with (
        patch.object(users_service, "new_id", lambda *_: next(ids)),
        patch("secrets.token_bytes", lambda size: hashlib.shake_256(seed).digest(size)),
    ):
        _, token = users_service.create_user("developer", admin=True)
    return token


def _background(target: Callable[..., None], *arguments: object) -> None:
    threading.Thread(target=target, args=arguments, daemon=True).start()


def _reload_forever(live: LiveApp) -> None:
    """Reload the code whenever a file changes; errors are printed until the next change."""
    loaded = live.modification_times()
    while True:
        time.sleep(RELOAD_EVERY_S)
        current = live.modification_times()
        if current == loaded:
            continue
        loaded = current
        try:
            live.load()
            say("reloaded")
        except Exception:  # noqa: BLE001 - whatever the code raises while it is being edited
            say(traceback.format_exc(limit=-3))
            say("not reloaded: the code from before the change keeps running")


def _run_schedule(live: LiveApp, function: str, every_s: int) -> None:
    """Invoke the function now and at every full period from then on, as EventBridge does."""
    while True:
        _invoke(live, function, schedule_event())
        time.sleep(every_s - time.time() % every_s)


def _poll_queue(live: LiveApp, function: str, url: str, batch_size: int) -> None:
    """Pass messages to the function in batches, as Lambda's poller does.

    Messages that the function does not report as failed are deleted.
    """
    client = boto3.client("sqs")
    while True:
        messages = client.receive_message(
            QueueUrl=url, MaxNumberOfMessages=batch_size, AttributeNames=["All"]
        ).get("Messages", [])
        if not messages:
            time.sleep(POLL_EVERY_S)
            continue
        response = _invoke(live, function, _sqs_event(url.rpartition("/")[2], messages))
        if response is None:
            continue
        failed = {item["itemIdentifier"] for item in response["batchItemFailures"]}
        for message in messages:
            if message["MessageId"] not in failed:
                client.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])


def _sqs_event(queue: str, messages: list[dict[str, Any]]) -> dict[str, Any]:
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
                "eventSourceARN": f"arn:aws:sqs:{resources.REGION}:123456789012:{queue}",
                "awsRegion": resources.REGION,
            }
            for message in messages
        ]
    }


def _invoke(
    live: LiveApp, function: str, event: dict[str, Any]
) -> dict[str, list[dict[str, str]]] | None:
    """The function's response, or None after printing its exception."""
    try:
        return cast("dict[str, list[dict[str, str]]]", live.invoke(function, event))
    except Exception:  # noqa: BLE001 - whatever the code raises while it is being edited
        say(traceback.format_exc(limit=-5))
        return None
