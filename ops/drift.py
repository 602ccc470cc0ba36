"""What somebody has changed by hand, past the template."""

import time
from typing import Any

from botocore.exceptions import ClientError

from ops import cloudformation
from ops.stages import Stage


def drifted(stage: Stage) -> list[str] | None:
    """A line for each resource that is not what the template made it; None where nobody can say.

    Emulators do not know drift, and a stage that is not deployed has none.
    """
    if stage.endpoint_url or cloudformation.find(stage) is None:
        return None
    client = stage.client("cloudformation")
    try:
        started = client.detect_stack_drift(StackName=stage.stack_name)
    except ClientError:
        return None
    _wait(client, started["StackDriftDetectionId"])
    pages = client.get_paginator("describe_stack_resource_drifts").paginate(
        StackName=stage.stack_name, StackResourceDriftStatusFilters=["MODIFIED", "DELETED"]
    )
    return [_line(drift) for page in pages for drift in page["StackResourceDrifts"]]


def _wait(client: Any, detection: str) -> None:
    while True:
        state = client.describe_stack_drift_detection_status(StackDriftDetectionId=detection)
        if state["DetectionStatus"] != "DETECTION_IN_PROGRESS":
            return
        time.sleep(2)


def _line(drift: dict[str, Any]) -> str:
    paths = sorted({one["PropertyPath"] for one in drift.get("PropertyDifferences", [])})
    told = ", ".join(paths) or drift["StackResourceDriftStatus"].lower()
    return f"  ! {drift['LogicalResourceId']} ({drift['ResourceType']}): {told}"
