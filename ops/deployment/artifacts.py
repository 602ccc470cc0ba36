"""The S3 bucket of a stage, from which CloudFormation reads packages and templates."""

import copy
import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError

from ops.deployment.cloudformation import Template
from ops.packaging.package import Package
from ops.stages import Stage

# The stack output with the digest of the deployed package.
DIGEST_OUTPUT = "PackageDigest"
MAX_INLINE_TEMPLATE_BYTES = 51_200
KEPT = 10
"""The number of packages to keep: CloudFormation needs the last to roll back, operators others."""


def bucket_name(stage: Stage) -> str:
    """The name of the bucket, with the account and the region in it: bucket names are global."""
    account = stage.client("sts").get_caller_identity()["Account"]
    return f"{stage.name_prefix}-code-{account}-{stage.session().region_name}"


def ensure_bucket(stage: Stage) -> str:
    """Create the private bucket for packages if it is missing; returns its name."""
    name, region = bucket_name(stage), stage.session().region_name
    s3 = stage.client("s3")
    try:
        s3.head_bucket(Bucket=name)
    except ClientError:
        location = {"LocationConstraint": region}
        # S3 rejects a LocationConstraint of us-east-1.
        extra = {} if region == "us-east-1" else {"CreateBucketConfiguration": location}
        s3.create_bucket(Bucket=name, **extra)
        if not stage.endpoint_url:
            s3.put_public_access_block(
                Bucket=name,
                PublicAccessBlockConfiguration={
                    "BlockPublicAcls": True,
                    "IgnorePublicAcls": True,
                    "BlockPublicPolicy": True,
                    "RestrictPublicBuckets": True,
                },
            )
    return name


def with_code(stage: Stage, package: Package, bucket: str) -> Template:
    """Upload the zip under its hash and return the template with a reference to it."""
    content = package.zip.read_bytes()
    key = f"{hashlib.sha256(content).hexdigest()}.zip"
    stage.client("s3").put_object(Bucket=bucket, Key=key, Body=content)
    template = copy.deepcopy(package.template)
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = {"Bucket": bucket, "Key": key}
        if stage.endpoint_url:
            # Resources that an emulator retains would conflict with those of the next stack.
            resource.pop("DeletionPolicy", None)
            resource.pop("UpdateReplacePolicy", None)
        elif resource["Type"] == "AWS::DynamoDB::Table":
            # CloudFormation takes over existing tables only if their names are literal.
            name = resource["Properties"]["TableName"]["Fn::Sub"]
            table = name.replace("${AWS::StackName}", stage.stack_name)
            resource["Properties"]["TableName"] = table
    template.setdefault("Outputs", {})[DIGEST_OUTPUT] = {"Value": package.digest}
    return template


def template_argument(stage: Stage, bucket: str, template: Mapping[str, Any]) -> dict[str, str]:
    """The template as an argument of CloudFormation's calls: the text, or a URL if it is large."""
    body = json.dumps(template, separators=(",", ":"))
    if len(body) <= MAX_INLINE_TEMPLATE_BYTES:
        return {"TemplateBody": body}
    key = f"{hashlib.sha256(body.encode()).hexdigest()}.json"
    stage.client("s3").put_object(Bucket=bucket, Key=key, Body=body.encode())
    if stage.endpoint_url:
        return {"TemplateURL": f"{stage.endpoint_url}/{bucket}/{key}"}
    region = stage.session().region_name
    return {"TemplateURL": f"https://{bucket}.s3.{region}.amazonaws.com/{key}"}


def prune(stage: Stage, bucket: str) -> None:
    """Delete all but the newest packages and templates."""
    s3 = stage.client("s3")
    for suffix in (".zip", ".json"):
        objects = [item for item in _objects(s3, bucket) if item["Key"].endswith(suffix)]
        objects.sort(key=lambda item: item["LastModified"], reverse=True)
        for item in objects[KEPT:]:
            s3.delete_object(Bucket=bucket, Key=item["Key"])


def remove_bucket(stage: Stage) -> None:
    """Delete the bucket and its content, if it exists."""
    name, s3 = bucket_name(stage), stage.client("s3")
    try:
        for item in list(_objects(s3, name)):
            s3.delete_object(Bucket=name, Key=item["Key"])
        s3.delete_bucket(Bucket=name)
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchBucket":
            raise


def _objects(s3: Any, bucket: str) -> Iterator[dict[str, Any]]:
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        yield from page.get("Contents", [])
