"""The bucket of a stage: packages and templates, from where CloudFormation takes them."""

import copy
import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError

from ops.cloudformation import Template
from ops.package import Package
from ops.stages import Stage

# An output of the stack: which package it runs.
DIGEST_OUTPUT = "PackageDigest"
LARGEST_INLINE_TEMPLATE = 51_200
KEPT = 10
"""Packages that are kept: CloudFormation needs the last one to roll back, people older ones."""


def bucket_name(stage: Stage) -> str:
    """The bucket's name: the account's and the region's own."""
    account = stage.client("sts").get_caller_identity()["Account"]
    return f"{stage.name_prefix}-code-{account}-{stage.session().region_name}"


def make_bucket(stage: Stage) -> str:
    """The name of the bucket for packages, made when it is missing: private."""
    name, region = bucket_name(stage), stage.session().region_name
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


def with_code(stage: Stage, package: Package, bucket: str) -> Template:
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
    template.setdefault("Outputs", {})[DIGEST_OUTPUT] = {"Value": package.digest}
    return template


def template_argument(stage: Stage, bucket: str, template: Mapping[str, Any]) -> dict[str, str]:
    """The template as CloudFormation's calls take it: itself, or where it was put."""
    body = json.dumps(template, separators=(",", ":"))
    if len(body) <= LARGEST_INLINE_TEMPLATE:
        return {"TemplateBody": body}
    key = f"{hashlib.sha256(body.encode()).hexdigest()}.json"
    stage.client("s3").put_object(Bucket=bucket, Key=key, Body=body.encode())
    if stage.endpoint_url:
        return {"TemplateURL": f"{stage.endpoint_url}/{bucket}/{key}"}
    region = stage.session().region_name
    return {"TemplateURL": f"https://{bucket}.s3.{region}.amazonaws.com/{key}"}


def prune(stage: Stage, bucket: str) -> None:
    """Delete what is older than the newest packages, and than the templates beside them."""
    s3 = stage.client("s3")
    for suffix in (".zip", ".json"):
        found = [item for item in _objects(s3, bucket) if item["Key"].endswith(suffix)]
        found.sort(key=lambda item: item["LastModified"], reverse=True)
        for item in found[KEPT:]:
            s3.delete_object(Bucket=bucket, Key=item["Key"])


def remove_bucket(stage: Stage) -> None:
    """Delete the bucket with all that is in it; harmless where there is none."""
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
