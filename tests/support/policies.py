"""The permissions in the functions' IAM policies, and which of them a set of calls uses."""

import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
POLICIES = ROOT / ".chalice"
BY_LAMBDA = frozenset(
    {
        "logs:CreateLogStream",
        "logs:PutLogEvents",
        "sqs:ReceiveMessage",
        "sqs:DeleteMessage",
        "sqs:GetQueueAttributes",
    }
)
"""Actions that Lambda itself performs with a function's role."""
DEAD_LETTERS = {("rollup", "rollups-dead")}
"""Queues to which Lambda sends failed events with a function's role."""


@dataclass(frozen=True, slots=True, order=True)
class ApiCall:
    """One action on one resource; `name` has no stack prefix, such as `lanes` or `lanes/index/x`.

    `keys` are the partition keys of its items if a policy restricts them. A statement has to allow
    all of them.
    """

    function: str
    action: str
    name: str
    keys: tuple[str, ...] = ("",)


@dataclass(frozen=True, slots=True)
class Grant:
    """One action on one resource that a policy allows, for items whose keys match `keys`."""

    function: str
    action: str
    name: str
    keys: tuple[str, ...] = ("*",)

    def allows(self, call: ApiCall) -> bool:
        return (
            self.function == call.function
            and fnmatchcase(call.action, self.action)
            and self.name in ("*", call.name)
            and all(any(fnmatchcase(key, fit) for fit in self.keys) for key in call.keys)
        )


def _name(resource: str | Mapping[str, Any]) -> str:
    """The name of the resource in an ARN, without the stack's prefix."""
    if isinstance(resource, str):
        return resource
    if "Fn::If" in resource:
        return "*"
    if "Fn::GetAtt" in resource:
        queue = _resources()[resource["Fn::GetAtt"][0]]["Properties"]["QueueName"]["Fn::Sub"]
        return str(queue).removeprefix("${AWS::StackName}-")
    return str(resource["Fn::Sub"]).partition("${AWS::StackName}-")[2]


@functools.cache
def _resources() -> dict[str, Any]:
    text = (POLICIES / "resources.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)["Resources"]
    return found


def _keys(statement: Mapping[str, Any]) -> tuple[str, ...]:
    condition = statement.get("Condition", {}).get("ForAllValues:StringLike", {})
    return tuple(condition.get("dynamodb:LeadingKeys", ["*"]))


@functools.cache
def grants() -> tuple[Grant, ...]:
    """All permissions in the policies, without the actions of Lambda itself."""
    found = []
    for path in sorted(POLICIES.glob("policy-*.json")):
        function = path.stem.removeprefix("policy-")
        for statement in json.loads(path.read_text(encoding="utf-8"))["Statement"]:
            resources = statement["Resource"]
            for resource in resources if isinstance(resources, list) else [resources]:
                found += [
                    Grant(function, action, _name(resource), _keys(statement))
                    for action in statement["Action"]
                    if action not in BY_LAMBDA or _name(resource).endswith("-dead")
                ]
    return tuple(found)


def unused(calls: set[ApiCall]) -> list[Grant]:
    """The permissions that no call used, key by key."""
    used = {
        (grant, key)
        for call in calls
        for grant in grants()
        if grant.allows(call)
        for key in grant.keys
        if any(fnmatchcase(name, key) for name in call.keys)
    }
    return [
        replace(grant, keys=(key,))
        for grant in grants()
        for key in grant.keys
        if (grant, key) not in used and (grant.function, grant.name) not in DEAD_LETTERS
    ]
