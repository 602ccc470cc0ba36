"""A fake of CloudFormation that is strict where AWS is and moto and the emulators are not.

It expands the template with SAM's transform, resolves it, and creates tables, queues and functions
in an `Account`. A stack takes time to settle, cannot be changed until then, imports only
resources with literal names, and cannot delete a protected table.
"""

# ruff: noqa: N803 - the names of arguments are those of AWS
import copy
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from graphlib import CycleError, TopologicalSorter
from typing import Any, Protocol

from botocore.exceptions import ClientError, WaiterError
from samtranslator.translator.transform import transform

ACCOUNT_ID = "123456789012"
SETTLED = frozenset({"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"})
NAMES = {
    "AWS::DynamoDB::Table": "TableName",
    "AWS::SQS::Queue": "QueueName",
    "AWS::Lambda::Function": "FunctionName",
    "AWS::Logs::LogGroup": "LogGroupName",
    "AWS::SNS::Topic": "TopicName",
    "AWS::CloudWatch::Alarm": "AlarmName",
}
"""The property with the custom name of each type that has one in the template."""
ARNS = {
    "AWS::DynamoDB::Table": "arn:aws:dynamodb:{region}:{account}:table/{name}",
    "AWS::SQS::Queue": "arn:aws:sqs:{region}:{account}:{name}",
    "AWS::Lambda::Function": "arn:aws:lambda:{region}:{account}:function:{name}",
    "AWS::IAM::Role": "arn:aws:iam::{account}:role/{name}",
    "AWS::Events::Rule": "arn:aws:events:{region}:{account}:rule/{name}",
}
TABLE_SETTINGS = (
    "TableName", "BillingMode", "AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes",
    "DeletionProtectionEnabled",
)  # fmt: skip
CODE = "the-code.zip"
NO_VALUE = "no value"
"""What `AWS::NoValue` refers to: its property is left out."""
Template = dict[str, Any]


class Functions(Protocol):
    """Where functions are created, and the clients of moto: an account."""

    def moto(self, service: str, region: str) -> Any: ...
    def put_function(self, region: str, properties: Mapping[str, Any], role: Any) -> None: ...
    def delete_function(self, region: str, name: str) -> None: ...


class CannotChange(Exception):
    """A resource cannot be created, changed or deleted."""


@dataclass(frozen=True)
class Resource:
    """A resource of a stack, with resolved properties."""

    logical: str
    kind: str
    properties: dict[str, Any]
    deletion_policy: str = "Delete"
    has_literal_name: bool = False

    @property
    def name(self) -> str:
        return str(self.properties.get(NAMES.get(self.kind, ""), ""))

    @property
    def is_kept(self) -> bool:
        return self.deletion_policy in {"Retain", "RetainExceptOnCreate"}


@dataclass
class FakeStack:
    """A stack. `upcoming` are its next statuses: each look at it is a second later."""

    name: str
    api_id: str
    status: str = "REVIEW_IN_PROGRESS"
    upcoming: list[str] = field(default_factory=list)
    template: Template = field(default_factory=dict)
    parameters: dict[str, str] = field(default_factory=dict)
    resources: dict[str, Resource] = field(default_factory=dict)
    outputs: dict[str, str] = field(default_factory=dict)
    events: list[dict[str, Any]] = field(default_factory=list)
    change_sets: dict[str, "FakeChangeSet"] = field(default_factory=dict)

    def note(self, logical: str, status: str, reason: str) -> None:
        event = {"LogicalResourceId": logical, "ResourceStatus": status, "Timestamp": _now()}
        self.events.insert(0, {**event, "ResourceStatusReason": reason})


@dataclass(frozen=True)
class FakeChangeSet:
    """Changes by logical name: (action, before, after)."""

    template: Template
    parameters: dict[str, str]
    outputs: dict[str, str]
    changes: dict[str, tuple[str, Resource | None, Resource | None]]
    failure: str = ""


class CloudFormation:
    """One region's CloudFormation, with the methods of its client that deployments call.

    `failing` are the reasons for which resources cannot be created or changed, by logical name.
    """

    def __init__(self, region: str, functions: Functions) -> None:
        self.region, self.functions = region, functions
        self.stacks: dict[str, FakeStack] = {}
        self.failing: dict[str, str] = {}
        self.owners: dict[tuple[str, str], str] = {}
        """The stack of every existing resource with a custom name; empty if it was retained."""
        self.api_ids = (f"a{number}b{region[:2]}" for number in range(1, 1000))

    def describe_stacks(self, *, StackName: str) -> dict[str, Any]:
        stack = self._stack(StackName)
        if stack.upcoming:
            stack.status = stack.upcoming.pop(0)
        if stack.status == "DELETE_COMPLETE":
            del self.stacks[StackName]
        items = {"ParameterKey": stack.parameters, "OutputKey": stack.outputs}
        parameters, outputs = (
            [{key: name, key.replace("Key", "Value"): text} for name, text in values.items()]
            for key, values in items.items()
        )
        return {
            "Stacks": [{"StackStatus": stack.status, "Parameters": parameters, "Outputs": outputs}]
        }

    def get_template(self, *, StackName: str, TemplateStage: str) -> dict[str, Any]:
        assert TemplateStage == "Original"
        return {"TemplateBody": copy.deepcopy(self._stack(StackName).template)}

    def create_change_set(self, **request: Any) -> None:
        name, is_new = request["StackName"], request["ChangeSetType"] == "CREATE"
        assert set(request["Capabilities"]) == {"CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"}
        if is_new and name not in self.stacks:
            self.stacks[name] = FakeStack(name, next(self.api_ids))
        stack = self._stack(name)
        states = {"REVIEW_IN_PROGRESS"} if is_new else SETTLED
        if stack.upcoming or stack.status not in states:
            raise _invalid(f"Stack:{name} is in {stack.status} state and can not be updated.")
        values = {item["ParameterKey"]: item["ParameterValue"] for item in request["Parameters"]}
        template = self._body(request)
        imports = bool(request.get("ImportExistingResources"))
        stack.change_sets[request["ChangeSetName"]] = self._compare(
            stack, template, values, imports=imports
        )

    def describe_change_set(self, *, StackName: str, ChangeSetName: str) -> dict[str, Any]:
        found = self._stack(StackName).change_sets[ChangeSetName]
        changes = [
            {"ResourceChange": {**_line(action, before, after), "LogicalResourceId": logical}}
            for logical, (action, before, after) in found.changes.items()
        ]
        return {"Changes": changes, "StatusReason": found.failure}

    def delete_change_set(self, *, StackName: str, ChangeSetName: str) -> None:
        del self._stack(StackName).change_sets[ChangeSetName]

    def detect_stack_drift(self, *, StackName: str) -> dict[str, Any]:
        raise _invalid(f"Drift detection cannot be performed on {StackName}")

    def get_waiter(self, name: str) -> "_Waiter":
        assert name == "change_set_create_complete"
        return _Waiter(self)

    def get_paginator(self, name: str) -> "_Events":
        assert name == "describe_stack_events"
        return _Events(self)

    def execute_change_set(self, *, StackName: str, ChangeSetName: str) -> None:
        stack = self._stack(StackName)
        changes = stack.change_sets.pop(ChangeSetName)
        is_new = stack.status == "REVIEW_IN_PROGRESS"
        kind = "CREATE" if is_new else "UPDATE"
        stack.status = f"{kind}_IN_PROGRESS"
        done: list[tuple[Resource | None, Resource | None]] = []
        for logical, (action, before, after) in changes.changes.items():
            try:
                self._change(stack, logical, before, after, is_import=action == "Import")
            except CannotChange as error:
                stack.note(logical, f"{kind}_FAILED", str(error))
                if is_new:
                    stack.parameters = changes.parameters
                self._roll_back(stack, done, is_new=is_new)
                return
            if action != "Import":
                done.append((before, after))
        stack.template, stack.parameters = changes.template, changes.parameters
        stack.outputs = changes.outputs
        cleanup = [] if is_new else ["UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"] * 3
        stack.upcoming = [stack.status, *cleanup, f"{kind}_COMPLETE"]

    def delete_stack(self, *, StackName: str) -> None:
        stack = self._stack(StackName)
        for resource in reversed(list(stack.resources.values())):
            if resource.is_kept:
                self.owners[resource.kind, resource.name] = ""
                del stack.resources[resource.logical]
            else:
                self._change(stack, resource.logical, resource, None)
        stack.upcoming = ["DELETE_IN_PROGRESS", "DELETE_COMPLETE"]

    def _body(self, request: Mapping[str, Any]) -> Template:
        """The template in the request: its text, or the address of an object in S3."""
        if "TemplateBody" in request:
            assert len(request["TemplateBody"]) <= 51_200
            return dict(json.loads(request["TemplateBody"]))
        match = re.fullmatch(
            r"https://([^.]+)\.s3\.([^.]+)\.amazonaws\.com/(.+)", request["TemplateURL"]
        )
        assert match, request["TemplateURL"]
        bucket, region, key = match.groups()
        s3 = self.functions.moto("s3", region)
        return dict(json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read()))

    def _stack(self, name: str) -> FakeStack:
        if name not in self.stacks:
            raise _invalid(f"Stack with id {name} does not exist")
        return self.stacks[name]

    def _compare(
        self, stack: FakeStack, template: Template, values: dict[str, str], *, imports: bool
    ) -> FakeChangeSet:
        parameters = _parameters(template, values)
        try:
            after, outputs = Resolver(template, parameters, stack, self.region).resolve()
        except CycleError as error:
            failure = f"Circular dependency between resources: {error.args[1]}"
            return FakeChangeSet(template, parameters, {}, {}, failure)
        changes: dict[str, tuple[str, Resource | None, Resource | None]] = {}
        for logical, new in after.items():
            old = stack.resources.get(logical)
            if old is None:
                is_import = imports and new.is_kept and new.has_literal_name
                existing = self._is_left(new)
                changes[logical] = ("Import" if is_import and existing else "Add", None, new)
            elif old != new:
                changes[logical] = ("Modify", old, new)
        for logical, old in reversed(stack.resources.items()):
            if logical not in after:
                changes[logical] = ("Remove", old, None)
        is_same = not changes and (outputs, parameters) == (stack.outputs, stack.parameters)
        failure = "The submitted information didn't contain changes." if is_same else ""
        return FakeChangeSet(template, parameters, outputs, changes, failure)

    def _is_left(self, resource: Resource) -> bool:
        """Whether a deleted stack has left the resource, and nobody has deleted it since."""
        is_left = self.owners.get((resource.kind, resource.name)) == ""
        if not is_left or resource.kind != "AWS::DynamoDB::Table":
            return is_left
        try:
            self.functions.moto("dynamodb", self.region).describe_table(TableName=resource.name)
        except ClientError:
            return False
        return True

    def _roll_back(
        self, stack: FakeStack, done: list[tuple[Resource | None, Resource | None]], *, is_new: bool
    ) -> None:
        prefix = "ROLLBACK" if is_new else "UPDATE_ROLLBACK"
        result = "COMPLETE"
        self.failing, failing = {}, self.failing
        for before, after in reversed(done):
            resource = after or before
            assert resource
            if is_new and resource.deletion_policy == "Retain":
                continue
            try:
                self._change(stack, resource.logical, after, before)
            except CannotChange as error:
                stack.note(resource.logical, "DELETE_FAILED", str(error))
                result = "FAILED"
        self.failing = failing
        stack.upcoming = [f"{prefix}_IN_PROGRESS", f"{prefix}_{result}"]

    def _change(
        self,
        stack: FakeStack,
        logical: str,
        before: Resource | None,
        after: Resource | None,
        *,
        is_import: bool = False,
    ) -> None:
        if after and logical in self.failing:
            raise CannotChange(self.failing[logical])
        resource = after or before
        assert resource
        key = (resource.kind, resource.name)
        if resource.name and before is None:
            if (self.owners.get(key) or self._is_left(resource)) and not is_import:
                raise CannotChange(f"{resource.name} already exists")
            self.owners[key] = stack.name
        if not is_import:
            self._make(resource.kind, before, after, stack)
        if after is None:
            self.owners.pop(key, None)
            del stack.resources[logical]
        else:
            stack.resources[logical] = after

    def _make(
        self, kind: str, before: Resource | None, after: Resource | None, stack: FakeStack
    ) -> None:
        if kind == "AWS::DynamoDB::Table":
            self._make_table(before, after)
        elif kind == "AWS::SQS::Queue":
            self._make_queue(before, after)
        elif kind == "AWS::Lambda::Function" and after:
            role = after.properties["Role"].rpartition("/")[2].removeprefix(f"{stack.name}-")
            self.functions.put_function(self.region, after.properties, stack.resources[role])
        elif kind == "AWS::Lambda::Function" and before:
            self.functions.delete_function(self.region, before.name)

    def _make_table(self, before: Resource | None, after: Resource | None) -> None:
        client = self.functions.moto("dynamodb", self.region)
        if before is None and after:
            settings = {
                key: after.properties[key] for key in TABLE_SETTINGS if key in after.properties
            }
            client.create_table(**settings)
        elif after is None and before:
            try:
                client.delete_table(TableName=before.name)
            except ClientError as error:
                raise CannotChange(str(error)) from error

    def _make_queue(self, before: Resource | None, after: Resource | None) -> None:
        client = self.functions.moto("sqs", self.region)
        if before is None and after:
            attributes = {
                key: json.dumps(value) if isinstance(value, dict) else str(value).lower()
                for key, value in after.properties.items()
                if key not in {"QueueName", "RedrivePolicy"}
            }
            client.create_queue(QueueName=after.name, Attributes=attributes)
        elif after is None and before:
            client.delete_queue(QueueUrl=client.get_queue_url(QueueName=before.name)["QueueUrl"])


@dataclass
class _Waiter:
    service: CloudFormation

    def wait(self, *, StackName: str, ChangeSetName: str, **_options: Any) -> None:
        found = self.service._stack(StackName).change_sets[ChangeSetName]
        if found.failure:
            raise WaiterError("change set", found.failure, {})


@dataclass
class _Events:
    service: CloudFormation

    def paginate(self, *, StackName: str) -> list[dict[str, Any]]:
        return [{"StackEvents": self.service._stack(StackName).events}]


class Resolver:
    """Resolves the intrinsic functions of a template; raises CycleError."""

    def __init__(
        self, template: Template, parameters: Mapping[str, str], stack: FakeStack, region: str
    ) -> None:
        plain = _expand(template, parameters["Stage"])
        self._conditions = template.get("Conditions", {})
        self._mappings = template.get("Mappings", {})
        self._outputs, self._stack, self._region = plain.get("Outputs", {}), stack, region
        pseudo = {"StackName": stack.name, "Region": region, "AccountId": ACCOUNT_ID}
        pseudo |= {"Partition": "aws", "URLSuffix": "amazonaws.com"}
        self._values = {**parameters, **{f"AWS::{name}": text for name, text in pseudo.items()}}
        self._values["AWS::NoValue"] = NO_VALUE
        self._declared = {
            logical: declared
            for logical, declared in plain["Resources"].items()
            if "Condition" not in declared or self._holds(declared["Condition"])
        }

    def resolve(self) -> tuple[dict[str, Resource], dict[str, str]]:
        """The resources in the order of their creation, and the outputs."""
        graph = {logical: set(self._uses(value)) for logical, value in self._declared.items()}
        order = list(TopologicalSorter(graph).static_order())
        resources = {logical: self._resource(logical) for logical in order}
        return resources, {name: self.value(one["Value"]) for name, one in self._outputs.items()}

    def value(self, value: Any) -> Any:
        """The value with every intrinsic function replaced by its result."""
        if isinstance(value, list):
            return [self.value(one) for one in value]
        if not isinstance(value, dict):
            return value
        function: str = next(iter(value), "")
        argument: Any = value.get(function)
        if function == "Fn::If":
            condition, met, unmet = argument
            return self.value(met if self._holds(condition) else unmet)
        if function == "Ref" or function.startswith("Fn::"):
            functions = {
                "Ref": self._reference, "Fn::GetAtt": self._attribute, "Fn::Sub": self._substitute,
                "Fn::FindInMap": self._find_in_map,
            }  # fmt: skip
            return functions[function](argument)
        found = {name: self.value(inner) for name, inner in value.items()}
        return {name: inner for name, inner in found.items() if inner is not NO_VALUE}

    def _resource(self, logical: str) -> Resource:
        declared = self._declared[logical]
        properties = declared.get("Properties", {})
        return Resource(
            logical,
            declared["Type"],
            self.value(properties),
            declared.get("DeletionPolicy", "Delete"),
            isinstance(properties.get(NAMES.get(declared["Type"], "")), str),
        )

    def _holds(self, condition: str | Mapping[str, Any]) -> bool:
        rule = self._conditions[condition] if isinstance(condition, str) else condition
        ((function, argument),) = rule.items()
        if function == "Condition":
            return self._holds(argument)
        if function == "Fn::Equals":
            return bool(self.value(argument[0]) == self.value(argument[1]))
        parts = [self._holds(part) for part in argument]
        return {"Fn::Or": any(parts), "Fn::And": all(parts), "Fn::Not": not parts[0]}[function]

    def _find_in_map(self, argument: Sequence[Any]) -> Any:
        name, *keys = (self.value(part) for part in argument)
        return self._mappings[name][keys[0]][keys[1]]

    def _substitute(self, argument: Any) -> str:
        text, given = (argument, {}) if isinstance(argument, str) else argument
        return re.sub(
            r"\$\{([^}!]+)\}",
            lambda match: (
                str(self.value(given[match[1]])) if match[1] in given else self._name(match[1])
            ),
            text,
        )

    def _name(self, text: str) -> str:
        logical, dot, attribute = text.partition(".")
        return str(self._attribute((logical, attribute)) if dot else self._reference(logical))

    def _reference(self, name: str) -> str:
        if name in self._values:
            return self._values[name]
        declared = self._declared[name]
        if declared["Type"] == "AWS::ApiGateway::RestApi":
            return self._stack.api_id
        physical = self._physical_name(name)
        if declared["Type"] == "AWS::SQS::Queue":
            return f"https://sqs.{self._region}.amazonaws.com/{ACCOUNT_ID}/{physical}"
        return physical

    def _attribute(self, argument: Sequence[str]) -> str:
        logical, attribute = argument
        kind = self._declared[logical]["Type"]
        assert attribute == "Arn", attribute
        name = self._physical_name(logical)
        return ARNS[kind].format(region=self._region, account=ACCOUNT_ID, name=name)

    def _physical_name(self, logical: str) -> str:
        declared = self._declared[logical]
        given = declared.get("Properties", {}).get(NAMES.get(declared["Type"], ""))
        return str(self.value(given)) if given else f"{self._stack.name}-{logical}"

    def _uses(self, value: Any) -> Iterator[str]:
        """The logical names of the resources that a value refers to."""
        if isinstance(value, list):
            for one in value:
                yield from self._uses(one)
        elif isinstance(value, dict):
            for key, inner in value.items():
                yield from self._used_by(key, inner)

    def _used_by(self, key: str, inner: Any) -> Iterator[str]:
        names = []
        if key in {"Ref", "DependsOn"}:
            names = inner if isinstance(inner, list) else [inner]
        elif key == "Fn::GetAtt":
            names = inner[:1]
        elif key == "Fn::Sub" and isinstance(inner, str):
            names = [name.partition(".")[0] for name in re.findall(r"\$\{([^}!]+)\}", inner)]
        elif key == "Fn::Sub":
            yield from self._used_by(key, inner[0])
            yield from self._uses(inner[1])
        else:
            yield from self._uses(inner)
        yield from (name for name in names if name in self._declared)


def _expand(template: Template, stage: str) -> Template:
    """The template without SAM's types; versions that differ in their code only share it."""
    text = json.dumps({name: part for name, part in template.items() if name != "Outputs"})
    (key,) = set(re.findall(r"[0-9a-f]{64}\.zip", text))
    expanded: Template = json.loads(_expanded(text.replace(key, CODE), stage).replace(CODE, key))
    return {**expanded, "Outputs": template.get("Outputs", {})}


@cache
def _expanded(template: str, stage: str) -> str:
    return json.dumps(transform(json.loads(template), {"Stage": stage}, _NoManagedPolicies()))


class _NoManagedPolicies:
    def load(self) -> dict[str, str]:
        return {}


def _parameters(template: Template, values: Mapping[str, str]) -> dict[str, str]:
    declared = template.get("Parameters", {})
    if unknown := set(values) - set(declared):
        raise _invalid(f"Parameters: {unknown} do not exist in the template")
    found = {}
    for name, parameter in declared.items():
        if name not in values and "Default" not in parameter:
            raise _invalid(f"Parameters: [{name}] must have values")
        found[name] = values.get(name, parameter.get("Default", ""))
        if found[name] not in parameter.get("AllowedValues", [found[name]]):
            raise _invalid(f"Parameter '{name}' must be one of AllowedValues")
    return found


def _line(action: str, before: Resource | None, after: Resource | None) -> dict[str, str]:
    resource = after or before
    assert resource
    is_replaced = bool(before and after and before.name != after.name)
    return {"Action": action, "ResourceType": resource.kind, "Replacement": str(is_replaced)}


def _invalid(message: str) -> ClientError:
    return ClientError({"Error": {"Code": "ValidationError", "Message": message}}, "CloudFormation")


def _now() -> datetime:
    return datetime.now(UTC)
