"""What the functions' policies allow, piece by piece, and what of it a set of calls needs."""

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
"""What Lambda itself does with a function's role: its logs, and its queue."""
DEAD_LETTERS = {("rollup", "rollups-dead")}
"""Where Lambda, with a function's role, puts events of which every try failed."""


@dataclass(frozen=True, slots=True, order=True)
class Ask:
    """One action on one thing: `name` without the stack's, such as `lanes` or `lanes/index/x`.

    `keys` are the partition keys of its items where a policy looks at them: a statement allows a
    call for all of them, or not at all.
    """

    function: str
    action: str
    name: str
    keys: tuple[str, ...] = ("",)


@dataclass(frozen=True, slots=True)
class Grant:
    """One action on one thing that a policy allows, of items whose keys fit `keys`."""

    function: str
    action: str
    name: str
    keys: tuple[str, ...] = ("*",)

    def allows(self, ask: Ask) -> bool:
        return (
            self.function == ask.function
            and fnmatchcase(ask.action, self.action)
            and self.name in ("*", ask.name)
            and all(any(fnmatchcase(key, fit) for fit in self.keys) for key in ask.keys)
        )


def _name(resource: str | Mapping[str, Any]) -> str:
    """The name of what an ARN of a policy stands for, without the stack's."""
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
    """Everything that the policies allow, piece by piece, but for what Lambda does itself."""
    found = []
    for path in sorted(POLICIES.glob("policy-*.json")):
        function = path.stem.removeprefix("policy-")
        for statement in json.loads(path.read_text(encoding="utf-8"))["Statement"]:
            resources = statement["Resource"]
            for resource in resources if isinstance(resources, list) else [resources]:
                found += [
                    Grant(function, action, _name(resource), _keys(statement))
                    for action in statement["Action"]
                    if action not in BY_LAMBDA
                ]
    return tuple(found)


def to_spare(asks: set[Ask]) -> list[Grant]:
    """What is allowed and nobody asked for, key by key."""
    used = {
        (grant, key)
        for ask in asks
        for grant in grants()
        if grant.allows(ask)
        for key in grant.keys
        if any(fnmatchcase(one, key) for one in ask.keys)
    }
    return [
        replace(grant, keys=(key,))
        for grant in grants()
        for key in grant.keys
        if (grant, key) not in used and (grant.function, grant.name) not in DEAD_LETTERS
    ]
