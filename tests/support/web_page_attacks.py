"""Requests to the local stack that any web page can send without asking: no preflight, no header.

Their signatures are in the query string and their bodies have the type `text/plain`.
"""

import base64
import hashlib
import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from botocore.auth import SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

ACCOUNT, REGION = "000000000000", "us-east-1"
PLANTED = "planted"
"""The name of the function that the requests create and invoke."""
ADMINISTRATIVE = (
    "/_ministack/health",
    "/_ministack/reset",
    "/_ministack/config",
    "/_ministack/ses/messages",
    "/_ministack/sqs/messages",
    "/_ministack/sns/sms-messages",
    "/_ministack/iot/ca.pem",
    f"/_ministack/lambda-code/{ACCOUNT}/{REGION}/monitum-local-check",
    "/_localstack/health",
    "/health",
)


class Attack(NamedTuple):
    """A request: its path with the query string, and its body, empty for GET."""

    name: str
    method: str
    path: str
    body: str = ""


def attacks(endpoint: str, marker: Path) -> list[Attack]:
    """Requests to every service in use with each guessable key, and to administrative paths.

    The function that they create writes the file `marker` when it is invoked.
    """
    unsigned = list(_service_requests(marker))
    signed = [
        attack._replace(path=_sign(endpoint, service, attack, keys), name=f"{attack.name} {who}")
        for service, attack in unsigned
        for who, keys in _guessable_keys().items()
    ]
    paths = [
        Attack(path, method, path, '{"lambda_svc.LAMBDA_EXECUTOR": "local"}' * (method == "POST"))
        for path in ADMINISTRATIVE
        for method in ("GET", "POST")
    ]
    return [*signed, *(attack for _, attack in unsigned), *paths]


def _guessable_keys() -> dict[str, Credentials]:
    name, role = "monitum-local-api_handler", "monitum-local-api-handler"
    arns = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}:arn:aws:iam::{ACCOUNT}:role/{role}"
    digest = hashlib.sha256(arns.encode()).hexdigest()
    return {
        "by test": Credentials("test", "test"),
        "by account": Credentials(ACCOUNT, "test"),
        "by role": Credentials(
            f"ASIA{digest[:16].upper()}",
            hashlib.sha256(f"secret:{digest}".encode()).hexdigest(),
            hashlib.sha256(f"token:{digest}".encode()).hexdigest(),
        ),
    }


def _service_requests(marker: Path) -> Iterator[tuple[str, Attack]]:
    function = f"/2015-03-31/functions/{PLANTED}"
    created = {
        "FunctionName": PLANTED,
        "Runtime": "python3.13",
        "Role": f"arn:aws:iam::{ACCOUNT}:role/planted",
        "Handler": "planted.run",
        "Code": {"ZipFile": _code(marker)},
    }
    yield "lambda", Attack("list functions", "GET", "/2015-03-31/functions/")
    yield "lambda", Attack("create", "POST", "/2015-03-31/functions", json.dumps(created))
    yield "lambda", Attack("invoke", "POST", f"{function}/invocations", "{}")
    yield "s3", Attack("list buckets", "GET", "/")
    yield "s3", Attack("list objects", "GET", f"/monitum-local-code-{ACCOUNT}-{REGION}")
    yield "apigateway", Attack("list APIs", "GET", "/restapis")
    query_services: dict[str, dict[str, Any]] = {
        "iam": {"Action": "ListRoles", "Version": "2010-05-08"},
        "sts": {"Action": "GetCallerIdentity", "Version": "2011-06-15"},
        "cloudformation": {"Action": "DescribeStacks", "Version": "2010-05-15"},
        "sqs": {"Action": "ListQueues", "Version": "2012-11-05"},
        "ses": {"Action": "ListIdentities", "Version": "2010-12-01"},
        "monitoring": {"Action": "ListMetrics", "Version": "2010-08-01"},
    }
    for service, parameters in query_services.items():
        query = "&".join(f"{key}={value}" for key, value in parameters.items())
        yield service, Attack(service, "GET", f"/?{query}")
    for service, target in {
        "dynamodb": "DynamoDB_20120810.ListTables",
        "logs": "Logs_20140328.DescribeLogGroups",
        "events": "AWSEvents.ListRules",
        "sqs": "AmazonSQS.ListQueues",
    }.items():
        yield service, Attack(service, "POST", f"/?X-Amz-Target={target}", "{}")


def _code(marker: Path) -> str:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        text = f"def run(event, context):\n    open({str(marker)!r}, 'w').close()\n"
        archive.writestr("planted.py", text)
    return base64.b64encode(buffer.getvalue()).decode()


def _sign(endpoint: str, service: str, attack: Attack, keys: Credentials) -> str:
    request = AWSRequest(attack.method, endpoint + attack.path, data=attack.body.encode())
    SigV4QueryAuth(keys, service, REGION).add_auth(request)
    return str(request.url).removeprefix(endpoint)
