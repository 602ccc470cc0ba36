"""First events of functions, on moto behind a port: what `benchmarks.coldstart` starts with."""

import json
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import boto3
import requests
from moto import mock_aws

from chalicelib.history.rollups.job import RollupJob
from chalicelib.monitoring.alert_messages import Entry, FlipsJob, WatchdogJob
from chalicelib.monitoring.result import Reason
from chalicelib.monitoring.state import Flip, FlipKind, Status
from chalicelib.runtime import Runtime
from chalicelib.users import service as users_service
from ops import resources

PREFIX = "monitum-cold-"
Event = dict[str, Any]
_SERVICES = {"DynamoDB_20120810": "dynamodb", "AmazonSQS": "sqs"}
_SCHEDULED = {
    "version": "0", "id": "", "detail-type": "", "source": "", "account": "", "time": "",
    "region": "", "resources": [], "detail": {},
}  # fmt: skip


class _Aws(BaseHTTPRequestHandler):
    """Has moto answer DynamoDB and SQS; functions are not run; a target is well."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        service = _SERVICES.get(self.headers.get("X-Amz-Target", "").partition(".")[0])
        if service is None:
            return self._answer(202, b"{}")
        answer = requests.post(
            f"https://{service}.us-east-1.amazonaws.com/",
            data=body,
            headers={name: self.headers[name] for name in _KEPT if name in self.headers},
            timeout=10,
        )
        return self._answer(answer.status_code, answer.content)

    def do_GET(self) -> None:
        self._answer(200, b"well")

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


_KEPT = ("X-Amz-Target", "Content-Type", "Authorization", "X-Amz-Date")


class Stage:
    """An empty stage with one user: `env` is what a function of it gets."""

    def __init__(self, port: int) -> None:
        resources.create_tables(PREFIX)
        queues = resources.create_queues(PREFIX)
        self.url = f"http://127.0.0.1:{port}"
        self.env = {
            **resources.environment(PREFIX, queues),
            "STAGE": "local",
            "TABLE_PREFIX": PREFIX,
            "AWS_ENDPOINT_URL": self.url,
            "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
        }
        self._checks = queues["checks"]
        Runtime.from_env(self.env)
        self.owner, self._token = users_service.create_user("cold", admin=False)

    def event(self, function: str) -> Event:
        """A first event of a function."""
        made: Event = getattr(self, f"_{function}")()
        return made

    def call(self, method: str, path: str, body: object = None) -> Event:
        """A call of the API, as API Gateway hands it on."""
        return {
            "resource": path,
            "path": path,
            "httpMethod": method,
            "headers": {
                "Authorization": f"Token {self._token}",
                "Content-Type": "application/json",
                "Host": "cold",
            },
            "multiValueQueryStringParameters": None,
            "pathParameters": {},
            "stageVariables": None,
            "requestContext": {
                "httpMethod": method,
                "resourcePath": path,
                "requestId": "cold",
                "identity": {"sourceIp": "127.0.0.1"},
            },
            "body": None if body is None else json.dumps(body),
            "isBase64Encoded": False,
        }

    def _api_handler(self) -> Event:
        target = {"name": "Shop", "kind": "http", "url": f"{self.url}/"}
        return self.call("POST", "/v1/targets", target)

    def _tick(self) -> Event:
        return _SCHEDULED

    _fan_out = _tick

    def _check(self) -> Event:
        """The first check of a target that the API has made."""
        sqs = boto3.client("sqs", region_name="us-east-1")
        (message,) = sqs.receive_message(QueueUrl=self._checks)["Messages"]
        return _record(message["Body"])

    def _rollup(self) -> Event:
        hour = int(time.time()) // 3_600 * 3_600
        return {"folds": [RollupJob(self.owner, 0, [(hour - 3_600, hour)]).to_json()]}

    def _alert(self) -> Event:
        now = int(time.time())
        flip = Flip(FlipKind.OPENED, Status.UP, Status.DOWN, now, Reason.STATUS, now, now)
        entry = Entry(target_id=self.owner, flip=flip, name="Shop")
        return _record(FlipsJob(self.owner, 0, [entry]).to_json())

    def _notify(self) -> Event:
        return _record(WatchdogJob(int(time.time())).to_json())


def _record(body: str) -> Event:
    attributes = {"ApproximateReceiveCount": "1"}
    record = {"messageId": "1", "body": body, "receiptHandle": "r", "attributes": attributes}
    return {"Records": [record]}


@contextmanager
def stage() -> Iterator[Stage]:
    """A stage that answers on a port of this machine while the block runs."""
    os.environ.update(AWS_ACCESS_KEY_ID="testing", AWS_SECRET_ACCESS_KEY="testing")
    with mock_aws(), ThreadingHTTPServer(("127.0.0.1", 0), _Aws) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield Stage(server.server_address[1])
        finally:
            server.shutdown()
