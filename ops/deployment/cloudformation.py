"""A stage's CloudFormation stack: its current state, change sets and drift."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError, WaiterError

from ops.console import Failure, say
from ops.stages import Stage

CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]
DONE_STATES = frozenset({"CREATE_COMPLETE", "UPDATE_COMPLETE"})
# A failed first deployment or deletion leaves the stack in one of these states. It can only be
# deleted.
DEAD_STATES = frozenset({"ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "DELETE_FAILED"})
DATA_KINDS = frozenset({"AWS::DynamoDB::Table", "AWS::SQS::Queue"})
_NO_CHANGES = ("didn't contain changes", "No updates")
Template = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Change:
    """One line of a change set: `action` is Add, Modify, Remove or Import."""

    action: str
    name: str
    kind: str
    replaces: bool

    @classmethod
    def parse(cls, item: Mapping[str, Any]) -> "Change":
        replaces = item.get("Replacement") == "True"
        kind = item.get("ResourceType", "")
        return cls(item["Action"], item["LogicalResourceId"], kind, replaces)

    @property
    def loses_data(self) -> bool:
        """Whether the stack would no longer have the data that the resource holds."""
        return self.kind in DATA_KINDS and (self.replaces or self.action == "Remove")

    def __str__(self) -> str:
        sign = {"Add": "+", "Remove": "-", "Import": "<"}.get(self.action, "~")
        return f"  {sign} {self.name} ({self.kind}){'  IS REPLACED' if self.replaces else ''}"


@dataclass(frozen=True, slots=True)
class Deployed:
    """The template and parameters of a stack: enough to deploy it again."""

    template: Template
    parameters: Mapping[str, str]


def find(stage: Stage) -> dict[str, Any] | None:
    """CloudFormation's description of the stack; None if it does not exist."""
    try:
        response = stage.client("cloudformation").describe_stacks(StackName=stage.stack_name)
    except ClientError as error:
        if "does not exist" in str(error):
            return None
        raise
    stack: dict[str, Any] = response["Stacks"][0]
    return None if stack["StackStatus"] in {"DELETE_COMPLETE", "REVIEW_IN_PROGRESS"} else stack


def outputs(stage: Stage) -> dict[str, str]:
    """The deployed stack's outputs by name; empty if there is no working stack."""
    stack = find(stage)
    status = stack["StackStatus"] if stack else ""
    # During an update and the cleanup after it, the stack works.
    is_working = status.endswith("_COMPLETE") or status.startswith("UPDATE_")
    if stack is None or status in DEAD_STATES or not is_working:
        return {}
    return {item["OutputKey"]: item["OutputValue"] for item in stack.get("Outputs", [])}


def deployed(stage: Stage) -> Deployed | None:
    """The current template and parameters; None if there is no working stack."""
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
    items = (stack or {}).get("Parameters", [])
    return {item["ParameterKey"]: item.get("ParameterValue", "") for item in items}


class ChangeSet:
    """Changes that are ready to be executed or discarded."""

    def __init__(self, stage: Stage, kind: str) -> None:
        self._stage, self._kind = stage, kind
        self._names = {
            "StackName": stage.stack_name,
            "ChangeSetName": f"deploy-{int(time.time() * 1000)}",
        }
        self._client = stage.client("cloudformation")

    @classmethod
    def create(
        cls, stage: Stage, template: Mapping[str, str], values: Mapping[str, str], *, is_new: bool
    ) -> "ChangeSet | None":
        """Create a change set; returns None if nothing would change.

        It imports the tables that an earlier stack of the stage has left.

        Raises:
            Failure: CloudFormation rejects the template.
        """
        changes = cls(stage, "CREATE" if is_new else "UPDATE")
        changes._request(template, values)
        try:
            waiter = changes._client.get_waiter("change_set_create_complete")
            waiter.wait(**changes._names, WaiterConfig={"Delay": 1, "MaxAttempts": 300})
        except WaiterError as error:
            description = changes._client.describe_change_set(**changes._names)
            reason = description.get("StatusReason", str(error))
            changes.discard()
            if any(text in reason for text in _NO_CHANGES):
                return None
            raise Failure(f"CloudFormation rejects the change: {reason}") from error
        return changes

    def _request(self, template: Mapping[str, str], values: Mapping[str, str]) -> None:
        options = {} if self._stage.endpoint_url else {"ImportExistingResources": True}
        self._client.create_change_set(
            **self._names,
            **template,
            **options,
            ChangeSetType=self._kind,
            Capabilities=CAPABILITIES,
            Parameters=[
                {"ParameterKey": name, "ParameterValue": value} for name, value in values.items()
            ],
        )

    def changes(self) -> list[Change]:
        """The changes, sorted by name; emulators omit some of them."""
        found: list[Change] = []
        token: dict[str, str] = {}
        while True:
            page = self._client.describe_change_set(**self._names, **token)
            found += [Change.parse(item["ResourceChange"]) for item in page.get("Changes", [])]
            if not page.get("NextToken"):
                return sorted(found, key=lambda change: change.name)
            token = {"NextToken": page["NextToken"]}

    def execute(self) -> None:
        """Execute the changes and wait; raises Failure with the first reasons."""
        started = time.time()
        self._client.execute_change_set(**self._names)
        if wait_until_settled(self._stage) not in DONE_STATES:
            raise Failure(_failure_reasons(self._stage, started))

    def discard(self) -> None:
        """Delete the change set, and the empty stack that a first change set creates."""
        self._client.delete_change_set(**self._names)
        if self._kind == "CREATE" and find(self._stage) is None:
            self._client.delete_stack(StackName=self._stage.stack_name)


def wait_until_settled(stage: Stage) -> str:
    """Wait until no operation is in progress; returns the stack's status.

    botocore's waiters never return if an emulator ends an update in an unknown state.
    """
    while True:
        stack = find(stage)
        status = str(stack["StackStatus"]) if stack else "DELETE_COMPLETE"
        if not status.endswith("_IN_PROGRESS"):
            return status
        time.sleep(1)


def make_ready(stage: Stage) -> None:
    """Wait for a running operation, and clear up after a failed one, so that changes are possible.

    Raises:
        Failure: the remains of the failed operation cannot be removed.
    """
    status = wait_until_settled(stage)
    if status in DEAD_STATES:
        say(f"  the first deployment of {stage.stack_name} failed: deleting its remains")
        delete(stage)
    elif status == "UPDATE_ROLLBACK_FAILED":
        say(f"  the last rollback of {stage.stack_name} failed: continuing it")
        stage.client("cloudformation").continue_update_rollback(StackName=stage.stack_name)
        if wait_until_settled(stage) != "UPDATE_ROLLBACK_COMPLETE":
            raise Failure(f"{stage.stack_name} cannot be rolled back: see its events")


def delete(stage: Stage) -> None:
    """Delete the stack, but not its retained tables, and wait; raises Failure."""
    stage.client("cloudformation").delete_stack(StackName=stage.stack_name)
    if wait_until_settled(stage) != "DELETE_COMPLETE":
        hint = "restart the emulator" if stage.endpoint_url else "see its events"
        raise Failure(f"the stack {stage.stack_name} cannot be deleted: {hint}")


def find_drift(stage: Stage) -> list[str] | None:
    """A line for each resource that was changed without the template; None if that is unknown.

    Emulators do not support drift detection, and a stage that is not deployed has no drift.
    """
    if stage.endpoint_url or find(stage) is None:
        return None
    client = stage.client("cloudformation")
    try:
        detection = client.detect_stack_drift(StackName=stage.stack_name)["StackDriftDetectionId"]
    except ClientError:
        return None
    describe = client.describe_stack_drift_detection_status
    while describe(StackDriftDetectionId=detection)["DetectionStatus"] == "DETECTION_IN_PROGRESS":
        time.sleep(2)
    pages = client.get_paginator("describe_stack_resource_drifts").paginate(
        StackName=stage.stack_name, StackResourceDriftStatusFilters=["MODIFIED", "DELETED"]
    )
    return [_drift_line(drift) for page in pages for drift in page["StackResourceDrifts"]]


def _drift_line(drift: Mapping[str, Any]) -> str:
    paths = sorted({one["PropertyPath"] for one in drift.get("PropertyDifferences", [])})
    summary = ", ".join(paths) or drift["StackResourceDriftStatus"].lower()
    return f"  ! {drift['LogicalResourceId']} ({drift['ResourceType']}): {summary}"


def _failure_reasons(stage: Stage, since: float) -> str:
    """The first failures of this deployment, oldest first; they caused the later ones."""
    client = stage.client("cloudformation")
    pages = client.get_paginator("describe_stack_events").paginate(StackName=stage.stack_name)
    failures = [
        f"  {event['LogicalResourceId']}: {event.get('ResourceStatusReason', 'no reason given')}"
        for page in pages
        for event in page["StackEvents"]
        if event["ResourceStatus"].endswith("_FAILED") and event["Timestamp"].timestamp() >= since
    ]
    return "the deployment failed:\n" + "\n".join(failures[::-1][:5])
