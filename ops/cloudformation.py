"""A stage's stack: what it is like now, and the change sets that change it."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError, WaiterError

from ops.console import Failure
from ops.stages import Stage

CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]
DONE_STATES = frozenset(
    {"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"}
)
# A first deployment that failed leaves one of these; nothing but deleting it leads on.
DEAD_STATES = frozenset({"ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED"})
_NOTHING = ("didn't contain changes", "No updates")
Template = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Change:
    """One line of a change set: `action` is Add, Modify, Remove or Import."""

    action: str
    name: str
    kind: str
    replaces: bool = False

    def __str__(self) -> str:
        sign = {"Add": "+", "Remove": "-", "Import": "<"}.get(self.action, "~")
        return f"  {sign} {self.name} ({self.kind}){'  IS REPLACED' if self.replaces else ''}"


@dataclass(frozen=True, slots=True)
class Deployed:
    """What a stack was made from: enough to make it again."""

    template: Template
    parameters: Mapping[str, str]


def find(stage: Stage) -> dict[str, Any] | None:
    """The stack as CloudFormation describes it; None where there is none."""
    try:
        found = stage.client("cloudformation").describe_stacks(StackName=stage.stack_name)
    except ClientError as error:
        if "does not exist" in str(error):
            return None
        raise
    stack: dict[str, Any] = found["Stacks"][0]
    return None if stack["StackStatus"] in {"DELETE_COMPLETE", "REVIEW_IN_PROGRESS"} else stack


def outputs(stage: Stage) -> dict[str, str]:
    """The deployed stack's outputs by name; empty when there is no stack in working order."""
    stack = find(stage)
    if stack is None or not stack["StackStatus"].endswith("_COMPLETE"):
        return {}
    if stack["StackStatus"] in DEAD_STATES:
        return {}
    return {item["OutputKey"]: item["OutputValue"] for item in stack.get("Outputs", [])}


def deployed(stage: Stage) -> Deployed | None:
    """What the stack is made from now; None where there is none in working order."""
    stack = find(stage)
    if stack is None or stack["StackStatus"] in DEAD_STATES:
        return None
    body = stage.client("cloudformation").get_template(
        StackName=stage.stack_name, TemplateStage="Original"
    )["TemplateBody"]
    template: Template = json.loads(body) if isinstance(body, str) else json.loads(json.dumps(body))
    return Deployed(template, parameters(stack))


def parameters(stack: Mapping[str, Any] | None) -> dict[str, str]:
    """The parameters that a stack was deployed with."""
    given = (stack or {}).get("Parameters", [])
    return {item["ParameterKey"]: item.get("ParameterValue", "") for item in given}


class ChangeSet:
    """Changes that wait to be made."""

    def __init__(self, stage: Stage, kind: str) -> None:
        self._stage, self._kind = stage, kind
        self._names = {
            "StackName": stage.stack_name,
            "ChangeSetName": f"deploy-{int(time.time() * 1000)}",
        }
        self._client = stage.client("cloudformation")

    @classmethod
    def make(
        cls, stage: Stage, template: Mapping[str, str], given: Mapping[str, str], *, is_new: bool
    ) -> "ChangeSet | None":
        """Have CloudFormation compare; None where nothing would change.

        Tables that an earlier stack of the stage has left are taken over.

        Raises:
            Failure: CloudFormation does not take the template.
        """
        changes = cls(stage, "CREATE" if is_new else "UPDATE")
        changes._create(template, given)
        try:
            waiter = changes._client.get_waiter("change_set_create_complete")
            waiter.wait(**changes._names, WaiterConfig={"Delay": 1, "MaxAttempts": 300})
        except WaiterError as error:
            told = changes._client.describe_change_set(**changes._names)
            reason = told.get("StatusReason", str(error))
            changes.discard()
            if any(text in reason for text in _NOTHING):
                return None
            raise Failure(f"CloudFormation refuses the change: {reason}") from error
        return changes

    def _create(self, template: Mapping[str, str], given: Mapping[str, str]) -> None:
        taken = {} if self._stage.endpoint_url else {"ImportExistingResources": True}
        self._client.create_change_set(
            **self._names,
            **template,
            **taken,
            ChangeSetType=self._kind,
            Capabilities=CAPABILITIES,
            Parameters=[
                {"ParameterKey": name, "ParameterValue": value} for name, value in given.items()
            ],
        )

    def changes(self) -> list[Change]:
        """What would change, by name; emulators leave some of it out."""
        found: list[Change] = []
        more: dict[str, str] = {}
        while True:
            page = self._client.describe_change_set(**self._names, **more)
            found += [_change(item["ResourceChange"]) for item in page.get("Changes", [])]
            if not page.get("NextToken"):
                return sorted(found, key=lambda change: change.name)
            more = {"NextToken": page["NextToken"]}

    def run(self) -> None:
        """Make the changes and wait; raises Failure with the first reasons."""
        started = time.time()
        self._client.execute_change_set(**self._names)
        if settled(self._stage) not in DONE_STATES:
            raise Failure(_why_failed(self._stage, started))

    def discard(self) -> None:
        """Forget the changes, and the empty stack that a first change set makes."""
        self._client.delete_change_set(**self._names)
        if self._kind == "CREATE" and find(self._stage) is None:
            self._client.delete_stack(StackName=self._stage.stack_name)


def settled(stage: Stage) -> str:
    """The stack's status once nothing is in progress.

    botocore's waiters wait for ever where an emulator ends an update in a state of its own.
    """
    while True:
        stack = find(stage)
        status = str(stack["StackStatus"]) if stack else "DELETE_COMPLETE"
        if status in DONE_STATES or not status.endswith("_IN_PROGRESS"):
            return status
        time.sleep(1)


def delete(stage: Stage) -> None:
    """Delete the stack and wait; tables that are to be retained stay. Raises Failure."""
    stage.client("cloudformation").delete_stack(StackName=stage.stack_name)
    if settled(stage) != "DELETE_COMPLETE":
        hint = "restart the emulator" if stage.endpoint_url else "look at its events"
        raise Failure(f"the stack {stage.stack_name} cannot be deleted: {hint}")


def _change(item: Mapping[str, Any]) -> Change:
    return Change(
        item["Action"],
        item["LogicalResourceId"],
        item.get("ResourceType", ""),
        item.get("Replacement") == "True",
    )


def _why_failed(stage: Stage, since: float) -> str:
    """The first failures of this deployment, oldest first: the later ones follow from them."""
    client = stage.client("cloudformation")
    pages = client.get_paginator("describe_stack_events").paginate(StackName=stage.stack_name)
    failures = [
        f"  {event['LogicalResourceId']}: {event.get('ResourceStatusReason', 'no reason given')}"
        for page in pages
        for event in page["StackEvents"]
        if event["ResourceStatus"].endswith("_FAILED") and event["Timestamp"].timestamp() >= since
    ]
    return "the deployment failed:\n" + "\n".join(failures[::-1][:5])
