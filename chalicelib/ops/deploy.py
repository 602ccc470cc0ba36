"""Deploys a package through CloudFormation: the same calls for AWS and for the emulators."""

import copy
import hashlib
import json
import time
from typing import Any

from botocore.exceptions import ClientError, WaiterError

from chalicelib.ops import emulated
from chalicelib.ops.console import Failure, say
from chalicelib.ops.package import Package
from chalicelib.ops.stages import Stage

# An output of the stack: which package it runs.
DIGEST_OUTPUT = "PackageDigest"
LARGEST_INLINE_TEMPLATE = 51_200
CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]
DONE_STATES = frozenset(
    {"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"}
)
# A first deployment that failed leaves one of these; nothing but deleting it leads on.
DEAD_STATES = frozenset({"ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED"})


def outputs(stage: Stage) -> dict[str, str]:
    """The deployed stack's outputs by name; empty when there is no stack in working order."""
    stack = _stack(stage)
    if stack is None or not stack["StackStatus"].endswith("_COMPLETE"):
        return {}
    if stack["StackStatus"] in DEAD_STATES:
        return {}
    return {item["OutputKey"]: item["OutputValue"] for item in stack.get("Outputs", [])}


def deploy(stage: Stage, package: Package) -> dict[str, str]:
    """Upload the package, run a change set and wait for it; returns the stack's outputs.

    Raises:
        Failure: the stack could not be made or updated, with the first reasons.
    """
    stack = _stack(stage)
    if stack and (stack["StackStatus"] in DEAD_STATES or not emulated.can_update(stage)):
        if outputs(stage).get(DIGEST_OUTPUT) == package.digest:
            return outputs(stage)
        say(f"\n  {stage.stack_name} cannot be updated: making it anew, without its data")
        _delete(stage)
        stack = None
    bucket = _code_bucket(stage)
    template = _with_code(stage, package, bucket)
    if _apply(stage, bucket, template, "UPDATE" if stack else "CREATE"):
        emulated.complete(stage, template, outputs(stage))
    return outputs(stage)


def function_environment(stage: Stage) -> dict[str, str]:
    """The environment variables of the deployed API function.

    Raises:
        Failure: the stage is not deployed.
    """
    client = stage.client("lambda")
    try:
        answer = client.get_function_configuration(FunctionName=f"{stage.stack_name}-api")
    except client.exceptions.ResourceNotFoundException as error:
        raise Failure(f"the stage {stage.name} is not deployed: make deploy first") from error
    return dict(answer["Environment"]["Variables"])


def _stack(stage: Stage) -> dict[str, Any] | None:
    try:
        found = stage.client("cloudformation").describe_stacks(StackName=stage.stack_name)
    except ClientError as error:
        if "does not exist" in str(error):
            return None
        raise
    stack: dict[str, Any] = found["Stacks"][0]
    return None if stack["StackStatus"] in {"DELETE_COMPLETE", "REVIEW_IN_PROGRESS"} else stack


def _code_bucket(stage: Stage) -> str:
    """The name of the bucket for packages, made when it is missing: private, old code expires."""
    account = stage.client("sts").get_caller_identity()["Account"]
    region = stage.session().region_name
    name = f"{stage.stack_name}-code-{account}-{region}"
    s3 = stage.client("s3")
    try:
        s3.head_bucket(Bucket=name)
    except ClientError:
        where = {"LocationConstraint": region}
        # us-east-1 is the one region that must not be named.
        extra = {} if region == "us-east-1" else {"CreateBucketConfiguration": where}
        s3.create_bucket(Bucket=name, **extra)
        if not stage.endpoint_url:
            _close_bucket(s3, name)
    return name


def _close_bucket(s3: Any, name: str) -> None:
    s3.put_public_access_block(
        Bucket=name,
        PublicAccessBlockConfiguration={
            "BlockPublicAcls": True,
            "IgnorePublicAcls": True,
            "BlockPublicPolicy": True,
            "RestrictPublicBuckets": True,
        },
    )
    rule = {"ID": "old code", "Status": "Enabled", "Filter": {"Prefix": ""}}
    s3.put_bucket_lifecycle_configuration(
        Bucket=name, LifecycleConfiguration={"Rules": [{**rule, "Expiration": {"Days": 90}}]}
    )


def _with_code(stage: Stage, package: Package, bucket: str) -> dict[str, Any]:
    """Upload the zip under its hash and return the template that names it."""
    content = package.zip.read_bytes()
    key = f"{hashlib.sha256(content).hexdigest()}.zip"
    stage.client("s3").put_object(Bucket=bucket, Key=key, Body=content)
    template = copy.deepcopy(package.template)
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = {"Bucket": bucket, "Key": key}
        if stage.endpoint_url:
            # What an emulator's stack leaves behind would stand in the way of the next one.
            resource.pop("DeletionPolicy", None)
            resource.pop("UpdateReplacePolicy", None)
    template["Outputs"][DIGEST_OUTPUT] = {"Value": package.digest}
    return template


def _apply(stage: Stage, bucket: str, template: dict[str, Any], kind: str) -> bool:
    """Make and run a change set; False when there is nothing to change."""
    client = stage.client("cloudformation")
    names = {"StackName": stage.stack_name, "ChangeSetName": f"deploy-{int(time.time())}"}
    client.create_change_set(
        **names,
        ChangeSetType=kind,
        Capabilities=CAPABILITIES,
        **_template_argument(stage, bucket, template),
    )
    started = time.time()
    try:
        waiter = client.get_waiter("change_set_create_complete")
        waiter.wait(**names, WaiterConfig={"Delay": 1, "MaxAttempts": 300})
    except WaiterError as error:
        reason = client.describe_change_set(**names).get("StatusReason", str(error))
        client.delete_change_set(**names)
        if "didn't contain changes" in reason or "No updates" in reason:
            return False
        raise Failure(f"CloudFormation refuses the change: {reason}") from error
    client.execute_change_set(**names)
    if _settled(stage) not in DONE_STATES:
        raise Failure(_why_failed(stage, started))
    return True


def _settled(stage: Stage) -> str:
    """The stack's status once nothing is in progress.

    botocore's waiters wait for ever where an emulator ends an update in a state of its own.
    """
    while True:
        stack = _stack(stage)
        status = str(stack["StackStatus"]) if stack else "DELETE_COMPLETE"
        if status in DONE_STATES or not status.endswith("_IN_PROGRESS"):
            return status
        time.sleep(1)


def _template_argument(stage: Stage, bucket: str, template: dict[str, Any]) -> dict[str, str]:
    body = json.dumps(template, separators=(",", ":"))
    if len(body) <= LARGEST_INLINE_TEMPLATE:
        return {"TemplateBody": body}
    key = f"{hashlib.sha256(body.encode()).hexdigest()}.json"
    s3 = stage.client("s3")
    s3.put_object(Bucket=bucket, Key=key, Body=body.encode())
    if stage.endpoint_url:
        return {"TemplateURL": f"{stage.endpoint_url}/{bucket}/{key}"}
    region = stage.session().region_name
    return {"TemplateURL": f"https://{bucket}.s3.{region}.amazonaws.com/{key}"}


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


def _delete(stage: Stage) -> None:
    client = stage.client("cloudformation")
    client.delete_stack(StackName=stage.stack_name)
    if _settled(stage) != "DELETE_COMPLETE":
        hint = "restart the emulator" if stage.endpoint_url else "look at its events"
        raise Failure(f"the stack {stage.stack_name} cannot be deleted: {hint}")
