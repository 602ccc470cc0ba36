"""The template's tables and queues, made on any endpoint without CloudFormation.

The tests and `make dev` use what `.chalice/resources.json` declares, so that keys, indexes and
queue settings cannot differ from what is deployed.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import boto3

ROOT = Path(__file__).resolve().parents[1]
TEMPLATE = ROOT / ".chalice" / "resources.json"
REGION = "us-east-1"
TABLE_SETTINGS = (
    "BillingMode",
    "AttributeDefinitions",
    "KeySchema",
    "GlobalSecondaryIndexes",
)


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
    declared_tables = declared("AWS::DynamoDB::Table").values()
    return [_name(properties["TableName"], prefix) for properties in declared_tables]


def create_tables(
    session: boto3.Session | None, prefix: str, endpoint_url: str | None = None
) -> list[str]:
    """Make the tables that are not there yet; returns the names of all, prefix included."""
    client = (session or boto3.Session(region_name=REGION)).client(
        "dynamodb", endpoint_url=endpoint_url
    )
    names = []
    for properties in declared("AWS::DynamoDB::Table").values():
        name = _name(properties["TableName"], prefix)
        settings = {key: properties[key] for key in TABLE_SETTINGS if key in properties}
        try:
            client.create_table(TableName=name, **settings)
        except client.exceptions.ResourceInUseException:
            names.append(name)
            continue
        if "TimeToLiveSpecification" in properties:
            client.update_time_to_live(
                TableName=name, TimeToLiveSpecification=properties["TimeToLiveSpecification"]
            )
        names.append(name)
    return names


def create_queues(
    session: boto3.Session | None, prefix: str, endpoint_url: str | None = None
) -> dict[str, str]:
    """Make the queues; returns their URLs by the name without prefix, such as `checks`."""
    client = (session or boto3.Session(region_name=REGION)).client("sqs", endpoint_url=endpoint_url)
    queues = declared("AWS::SQS::Queue")
    urls: dict[str, str] = {}
    arns: dict[str, str] = {}
    # Dead-letter queues first: a redrive policy names one that exists.
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


def create(
    prefix: str, endpoint_url: str | None = None, session: boto3.Session | None = None
) -> dict[str, str]:
    """Make tables and queues; returns the environment that the functions need to find them."""
    create_tables(session, prefix, endpoint_url)
    return environment(prefix, create_queues(session, prefix, endpoint_url))


def environment(prefix: str, queues: Mapping[str, str]) -> dict[str, str]:
    """What the functions need to find tables and queues, given the queues' URLs by name."""
    urls = {f"{name.upper().replace('-', '_')}_QUEUE_URL": url for name, url in queues.items()}
    return {"TABLE_PREFIX": prefix, **urls}


def _name(value: Mapping[str, str], prefix: str) -> str:
    return value["Fn::Sub"].replace("${AWS::StackName}-", prefix)


def _attribute(value: object, arns: Mapping[str, str]) -> str:
    """A queue property as SetQueueAttributes takes it: text, objects as JSON."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return json.dumps({key: _resolved(inner, arns) for key, inner in value.items()})
    return str(value)


def _resolved(value: object, arns: Mapping[str, str]) -> object:
    return arns[value["Fn::GetAtt"][0]] if isinstance(value, dict) else value
