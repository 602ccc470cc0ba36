"""Creates the template's tables and queues in AWS or moto, without CloudFormation.

The tests and `make dev` read `.chalice/resources.json`, so that keys, indexes and queue settings
are those of a deployment.
"""

import json
from collections.abc import Mapping
from typing import Any

import boto3

from ops import ROOT

TEMPLATE = ROOT / ".chalice" / "resources.json"
REGION = "us-east-1"
TABLE_SETTINGS = ("BillingMode", "AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes")


def declared(kind: str) -> dict[str, dict[str, Any]]:
    """The properties of the template's resources of one type, by logical name."""
    resources = json.loads(TEMPLATE.read_text(encoding="utf-8"))["Resources"]
    return {
        name: resource["Properties"]
        for name, resource in resources.items()
        if resource.get("Type") == kind
    }


def table_names(prefix: str) -> list[str]:
    """The names of all tables of a stage."""
    tables = declared("AWS::DynamoDB::Table").values()
    return [_name(properties["TableName"], prefix) for properties in tables]


def create_tables(prefix: str) -> list[str]:
    """Create the missing tables; returns the names of all, with the prefix."""
    client = boto3.client("dynamodb", region_name=REGION)
    for properties in declared("AWS::DynamoDB::Table").values():
        name = _name(properties["TableName"], prefix)
        settings = {key: properties[key] for key in TABLE_SETTINGS if key in properties}
        try:
            client.create_table(TableName=name, **settings)
        except client.exceptions.ResourceInUseException:
            continue
        if "TimeToLiveSpecification" in properties:
            client.update_time_to_live(
                TableName=name, TimeToLiveSpecification=properties["TimeToLiveSpecification"]
            )
    return table_names(prefix)


def create_queues(prefix: str) -> dict[str, str]:
    """Create the queues; returns their URLs by name without prefix, such as `checks`."""
    client = boto3.client("sqs", region_name=REGION)
    queues = declared("AWS::SQS::Queue")
    urls: dict[str, str] = {}
    arns: dict[str, str] = {}
    # Dead-letter queues first, because a redrive policy must name an existing queue.
    for logical in sorted(queues, key=lambda name: "RedrivePolicy" in queues[name]):
        properties = dict(queues[logical])
        name = _name(properties.pop("QueueName"), prefix)
        attributes = {key: _attribute(value, arns) for key, value in properties.items()}
        url = client.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
        urls[name.removeprefix(prefix)] = url
        arns[logical] = client.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])[
            "Attributes"
        ]["QueueArn"]
    return urls


def create(prefix: str) -> dict[str, str]:
    """Create tables and queues; returns the environment variables that name them."""
    create_tables(prefix)
    return environment(prefix, create_queues(prefix))


def environment(prefix: str, queues: Mapping[str, str]) -> dict[str, str]:
    """The environment variables that name tables and queues, from the queues' URLs by name."""
    urls = {f"{name.upper().replace('-', '_')}_QUEUE_URL": url for name, url in queues.items()}
    return {"TABLE_PREFIX": prefix, **urls}


def _name(value: Mapping[str, str], prefix: str) -> str:
    return value["Fn::Sub"].replace("${AWS::StackName}-", prefix)


def _attribute(value: object, arns: Mapping[str, str]) -> str:
    """A queue property in the format of SetQueueAttributes: text, or JSON for objects."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return json.dumps({key: _resolved(inner, arns) for key, inner in value.items()})
    return str(value)


def _resolved(value: object, arns: Mapping[str, str]) -> object:
    return arns[value["Fn::GetAtt"][0]] if isinstance(value, dict) else value
