"""An AWS account to deploy to: what `make deploy` and the deployed functions see on AWS.

CloudFormation and tables are fakes, queues and buckets are moto's. Functions are the application,
loaded with the environment of the template and of Lambda, and limited to the policies of their
roles. Checks use the real guard; every public address is one HTTPS server on this machine.
"""

import importlib.util
import ipaddress
import json
import os
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cache
from types import ModuleType, SimpleNamespace
from typing import Any
from unittest.mock import patch
from urllib.parse import urlsplit

import boto3
import pytest
import requests
from botocore.client import BaseClient
from botocore.exceptions import ClientError

from chalicelib.probes.checker import Checker
from chalicelib.probes.net import dialer
from chalicelib.probes.net.ip_ranges import Address
from ops import ROOT
from ops.deployment import cloudformation, deploy, smoke
from ops.local.dev import _sqs_event
from ops.local.gateway import Gateway
from ops.stages import Stage
from tests.support import permissions
from tests.support.cloudformation import ACCOUNT_ID, CloudFormation, Resource
from tests.support.dynamo import Dynamo, Table, error

PUBLIC_ADDRESS = ipaddress.ip_address("52.119.188.1")
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}
NEW_ACCOUNT_CONCURRENCY = 10
BROKEN = b"broken"
"""The code of a package whose functions fail."""


class FunctionFailed(Exception):
    """A function raised an exception, or is missing."""


class Tables(Dynamo):
    """The tables of one region, which exist once they have been created."""

    def __init__(self) -> None:
        super().__init__("")
        self._tables.clear()
        self._protected: set[str] = set()

    @property
    def names(self) -> list[str]:
        return sorted(self._tables)

    def call(self, name: str, params: dict[str, Any]) -> dict[str, Any]:
        try:
            return super().call(name, params)
        except KeyError:
            raise error("ResourceNotFoundException", "Requested resource not found") from None

    def _CreateTable(self, params: dict[str, Any]) -> dict[str, Any]:  # noqa: N802 - AWS's names
        self._tables[params["TableName"]] = Table(params)
        return self._UpdateTable(params)

    def _UpdateTable(self, params: dict[str, Any]) -> dict[str, Any]:  # noqa: N802 - AWS's names
        self._table(params)
        if params["DeletionProtectionEnabled"]:
            self._protected.add(params["TableName"])
        else:
            self._protected.discard(params["TableName"])
        return {}

    def _Scan(self, params: dict[str, Any]) -> dict[str, Any]:  # noqa: N802 - AWS's names
        return {"Items": self._table(params).all()}

    def _DescribeTable(self, params: dict[str, Any]) -> dict[str, Any]:  # noqa: N802 - AWS's names
        return {"Table": self._table(params) and {"TableStatus": "ACTIVE"}}

    def _DeleteTable(self, params: dict[str, Any]) -> dict[str, Any]:  # noqa: N802 - AWS's names
        if params["TableName"] in self._protected:
            raise error("ValidationException", "it is protected against deletion")
        del self._tables[params["TableName"]]
        return {}


@dataclass
class PublicDns:
    """Resolves every name to one public address."""

    names: list[str] = field(default_factory=list)

    def servers(self) -> Sequence[tuple[str, int]]:
        return [("169.254.100.5", 53)]

    def resolve(self, name: str, deadline: float) -> Sequence[Address]:
        del deadline
        self.names.append(name)
        return [PUBLIC_ADDRESS]


@dataclass
class DeployedFunction:
    """A function with the code and the environment that it was deployed with."""

    account: "Account"
    region: str
    properties: Mapping[str, Any]
    statements: list[Mapping[str, Any]]
    code: bytes
    loaded: ModuleType | None = None

    @property
    def name(self) -> str:
        return str(self.properties["FunctionName"])

    @property
    def environment(self) -> dict[str, str]:
        variables: dict[str, str] = dict(self.properties["Environment"]["Variables"])
        assert all(isinstance(value, str) for value in variables.values()), variables
        return {
            **variables, **CREDENTIALS, "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region, "AWS_LAMBDA_FUNCTION_NAME": self.name,
            "_HANDLER": self.properties["Handler"],
        }  # fmt: skip

    def invoke(self, event: Any) -> Any:
        handler = self.properties["Handler"].removeprefix("app.")
        context = SimpleNamespace(aws_request_id="request", function_name=self.name)
        return self.run(lambda module: getattr(module, handler)(event, context))

    def run(self, work: Callable[[ModuleType], Any]) -> Any:
        """Call `work` with the loaded application, as Lambda would; raises FunctionFailed."""
        if self.code == BROKEN or self.region in self.account.broken_regions:
            raise FunctionFailed(f"{self.name}: the code is broken")
        with patch.dict(os.environ, self.environment, clear=True):
            self.loaded = self.loaded or self._load()
            self.account.running.append(self)
            try:
                return work(self.loaded)
            finally:
                self.account.running.remove(self)

    def _load(self) -> ModuleType:
        spec = importlib.util.spec_from_file_location("deployed", ROOT / "app.py")
        assert spec
        assert spec.loader
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        runtime = module.runtime()
        runtime.__dict__["checker"] = Checker(
            runtime.guard, resolver=self.account.dns, ca_file=self.account.ca_file, pause_s=0.0
        )
        return module


class Account:
    """The account, and its clock: when a command sleeps, messages arrive and much time passes."""

    def __init__(self, stage: str, region: str, ca_file: str) -> None:
        self.stage, self.deploy_role = stage, _deploy_role(stage, region)
        self.ca_file, self.dns = ca_file, PublicDns()
        self.regions: dict[str, CloudFormation] = {}
        self.tables: dict[str, Tables] = defaultdict(Tables)
        self.functions: dict[tuple[str, str], DeployedFunction] = {}
        self.running: list[DeployedFunction] = []
        self.faults: list[str] = []
        """What the functions may not do by their roles, and what they miss."""
        self.broken_regions: set[str] = set()
        self._clients: dict[tuple[str, str], Any] = {}
        self.now = 0.0

    def cloudformation(self, region: str) -> CloudFormation:
        return self.regions.setdefault(region, CloudFormation(region, self))

    def moto(self, service: str, region: str) -> Any:
        if (service, region) not in self._clients:
            self._clients[service, region] = boto3.client(service, region_name=region)
        return self._clients[service, region]

    def put_function(self, region: str, properties: Mapping[str, Any], role: Resource) -> None:
        policies = role.properties["Policies"]
        statements = [one for policy in policies for one in policy["PolicyDocument"]["Statement"]]
        place = properties["Code"]
        found = self.moto("s3", region).get_object(Bucket=place["S3Bucket"], Key=place["S3Key"])
        function = DeployedFunction(self, region, properties, statements, found["Body"].read())
        self.functions[region, function.name] = function
        for further in filter(None, function.environment["CHECK_REGIONS"].split(",")):
            worker = f"{function.environment['TABLE_PREFIX']}check"
            if further != region and (further, worker) not in self.functions:
                self.faults.append(f"{function.name} sends checks to {further}: no queue there")

    def delete_function(self, region: str, name: str) -> None:
        del self.functions[region, name]

    def call(self, method: str, url: str, **options: Any) -> requests.Response:
        """Answer a request to an API of the account, as API Gateway does."""
        host, path = urlsplit(url).netloc, urlsplit(url).path
        for region, service in self.regions.items():
            for stack in service.stacks.values():
                api = f"{stack.api_id}.execute-api.{region}.amazonaws.com"
                if (region, f"{stack.name}-api") in self.functions and host == api:
                    function = self.functions[region, f"{stack.name}-api"]
                    return _respond(function, method, path.removeprefix("/api"), options)
        raise requests.ConnectionError(f"{host} does not resolve")

    def sleep(self, seconds: float) -> None:
        self.now += 10 * seconds
        for function in list(self.functions.values()):
            queue = {"app.check": "checks", "app.alert": "alerts"}.get(
                function.properties["Handler"]
            )
            if queue:
                self._poll(function, queue)

    def _poll(self, function: DeployedFunction, queue: str) -> None:
        client = self.moto("sqs", function.region)
        name = f"{function.environment['TABLE_PREFIX']}{queue}"
        url = client.get_queue_url(QueueName=name)["QueueUrl"]
        messages = client.receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, AttributeNames=["All"]
        ).get("Messages", [])
        if not messages:
            return
        try:
            answer = function.invoke(_sqs_event(name, messages))
        except FunctionFailed:
            return
        failed = {item["itemIdentifier"] for item in answer["batchItemFailures"]}
        for message in messages:
            if message["MessageId"] not in failed:
                client.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])

    def note(self, client: BaseClient, operation: str, params: Mapping[str, Any]) -> None:
        """Record a call that the role of the running function, or of the operator, forbids."""
        if client in self._clients.values():
            return  # the account's own
        service, region = client.meta.service_model.service_name, client.meta.region_name
        if service == "sqs":
            region = urlsplit(params["QueueUrl"]).netloc.split(".")[1]
        where = f"arn:aws:{service}:{region}:{ACCOUNT_ID}:"
        form = {"dynamodb": "table/", "sqs": "", "lambda": "function:"}
        for action, name, *_ in permissions.requests(service, operation, params):
            self.require(
                f"{service}:{action}", f"{where}{form[service]}monitum-{self.stage}-{name}"
            )
        if service == "s3":
            place = "/".join(params[name] for name in ("Bucket", "Key") if name in params)
            self.require(f"s3:{operation}", f"arn:aws:s3:::{place}")

    def require(self, action: str, arn: str) -> None:
        """Record a fault unless whoever acts now may perform the action."""
        who = self.running[-1] if self.running else None
        if not _allows(who.statements if who else self.deploy_role, action, arn):
            self.faults.append(f"{who.name if who else 'the deploy role'}: {action} on {arn}")


def _deploy_role(stage: str, region: str) -> list[Mapping[str, Any]]:
    """The statements of docs/deploy-role.json for a stage."""
    text = (ROOT / "docs" / "deploy-role.json").read_text(encoding="utf-8")
    values = {"Stage": stage, "AWS::Region": region, "AWS::AccountId": ACCOUNT_ID}
    for name, value in {**values, "AWS::Partition": "aws"}.items():
        text = text.replace(f"${{{name}}}", value)
    role = json.loads(text, object_hook=lambda found: found.get("Fn::Sub", found))
    (policy,) = role["Resources"]["Deploy"]["Properties"]["Policies"]
    return list(policy["PolicyDocument"]["Statement"])


def _allows(statements: list[Mapping[str, Any]], action: str, arn: str) -> bool:
    for statement in statements:
        resources = statement["Resource"]
        patterns = resources if isinstance(resources, list) else [resources]
        if any(fnmatchcase(action, one) for one in statement["Action"]) and any(
            fnmatchcase(arn, one) for one in patterns
        ):
            return True
    return False


def _respond(
    function: DeployedFunction, method: str, path: str, options: Mapping[str, Any]
) -> requests.Response:
    request = requests.Request(method, "http://api/", json=options.get("json")).prepare()
    headers = {**request.headers, **(options.get("headers") or {})}
    body = request.body if isinstance(request.body, bytes) else b""
    response = requests.Response()
    try:
        answer = function.run(
            lambda module: Gateway(module.app).handle_request(method, path, headers, body)
        )
    except FunctionFailed:
        response.status_code, response._content = 502, b'{"message": "Internal server error"}'
        return response
    response.status_code = answer["statusCode"]
    response._content = (answer["body"] or "").encode()
    return response


@contextmanager
def account_in(
    region: str, ca_file: str, https_port: int, *, stage: str = "prod"
) -> Iterator[Account]:
    """An empty account, and the environment of somebody who deploys a stage to it in `region`."""
    account = Account(stage, region, ca_file)
    clock = SimpleNamespace(sleep=account.sleep, monotonic=lambda: account.now, time=time.time)
    with pytest.MonkeyPatch.context() as patches:
        _set_environment(patches, region)
        _send_calls_to(account, patches, region)
        _send_connections_to(https_port, patches)
        patches.setattr(cloudformation, "time", clock)
        patches.setattr(smoke, "time", clock)
        patches.setattr(requests, "request", account.call)
        patches.setattr(requests, "get", lambda url, **options: account.call("GET", url, **options))
        yield account


def _set_environment(patches: pytest.MonkeyPatch, region: str) -> None:
    given = (*deploy.PARAMETERS.values(), "STAGE", "ALLOW_PRIVATE_TARGETS")
    for name in [name for name in os.environ if name.startswith("AWS_") or name in given]:
        patches.delenv(name)
    for name, value in {**CREDENTIALS, "AWS_DEFAULT_REGION": region}.items():
        patches.setenv(name, value)


def _send_calls_to(account: Account, patches: pytest.MonkeyPatch, home: str) -> None:
    """Have the account answer the calls of AWS that moto does not."""
    make, call = Stage.client, BaseClient._make_api_call

    @cache
    def client(stage: Stage, service: str) -> Any:
        region = stage.region or home
        if service == "cloudformation":
            stacks = f"arn:aws:cloudformation:{region}:{ACCOUNT_ID}:stack"
            account.require("cloudformation:*", f"{stacks}/{stage.stack_name}/id")
            return account.cloudformation(region)
        return _Lambda(account, region) if service == "lambda" else make(stage, service)

    def api_call(caller: BaseClient, operation: str, params: dict[str, Any]) -> Any:
        account.note(caller, operation, params)
        model = caller.meta.service_model
        if model.service_name != "dynamodb":
            return call(caller, operation, params)
        event, shape = (
            f"provide-client-params.dynamodb.{operation}",
            model.operation_model(operation),
        )
        caller.meta.events.emit(event, params=params, model=shape, context={})
        try:
            return account.tables[caller.meta.region_name].call(operation, params)
        except ClientError as failure:
            kind = caller.exceptions.from_code(failure.response["Error"]["Code"])
            raise kind(failure.response, operation) from None

    patches.setattr(Stage, "client", client)
    patches.setattr(Stage, "session", cache(Stage.session))
    patches.setattr(BaseClient, "_make_api_call", api_call)


def _send_connections_to(port: int, patches: pytest.MonkeyPatch) -> None:
    """Have checks of public addresses end at a server of this machine."""
    here, connect = ipaddress.ip_address("127.0.0.1"), dialer._connect
    patches.setattr(
        dialer, "_connect", lambda _address, _port, timeout_s: connect(here, port, timeout_s)
    )


def _function_arn(region: str, name: str) -> str:
    return f"arn:aws:lambda:{region}:{ACCOUNT_ID}:function:{name}"


class _NotFound(Exception):
    """There is no function of that name."""


@dataclass
class _Lambda:
    """The methods of Lambda's client that deployments call."""

    account: Account
    region: str
    exceptions = SimpleNamespace(ResourceNotFoundException=_NotFound)

    def get_account_settings(self) -> dict[str, Any]:
        self.account.require("lambda:GetAccountSettings", "*")
        return {"AccountLimit": {"UnreservedConcurrentExecutions": NEW_ACCOUNT_CONCURRENCY}}

    def get_function_concurrency(self, *, FunctionName: str) -> dict[str, Any]:  # noqa: N803 - AWS's
        self.get_function_configuration(FunctionName=FunctionName)
        return {}

    def get_function_configuration(self, *, FunctionName: str) -> dict[str, Any]:  # noqa: N803 - AWS's
        self.account.require("lambda:Get*", _function_arn(self.region, FunctionName))
        try:
            function = self.account.functions[self.region, FunctionName]
        except KeyError:
            raise _NotFound from None
        return {"Environment": {"Variables": dict(function.properties["Environment"]["Variables"])}}
