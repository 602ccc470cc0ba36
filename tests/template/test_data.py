"""The tables match the models, and are protected in production."""

from typing import Any

import pytest
from pynamodb.models import Model

from chalicelib.access import models as access_models
from chalicelib.alerting.storage import models as alerting_models
from chalicelib.aws import system_table
from chalicelib.aws.dynamodb import Table
from chalicelib.history import models as history_models
from chalicelib.maintenance import models as maintenance_models
from chalicelib.monitoring.storage import models
from chalicelib.status_pages import models as status_pages_models

Resources = dict[str, dict[str, Any]]
MODELS = [
    found
    for module in (
        models,
        access_models,
        alerting_models,
        status_pages_models,
        maintenance_models,
        history_models,
        system_table,
    )
    for found in vars(module).values()
    if isinstance(found, type) and issubclass(found, Table) and hasattr(found, "TABLE")
]


@pytest.fixture
def tables(resources: Resources) -> Resources:
    return {
        resource["Properties"]["TableName"]["Fn::Sub"].removeprefix("${AWS::StackName}-"): resource
        for resource in resources.values()
        if resource["Type"] == "AWS::DynamoDB::Table"
    }


def keys(schema: list[dict[str, str]]) -> tuple[str, ...]:
    return tuple(key["AttributeName"] for key in sorted(schema, key=lambda key: key["KeyType"]))


def model_keys(model: type[Model]) -> tuple[str, ...]:
    attributes = model.get_attributes().values()
    hashes = [item.attr_name for item in attributes if item.is_hash_key]
    ranges = [item.attr_name for item in attributes if item.is_range_key]
    return (*hashes, *ranges)


def test_every_table_has_a_model_and_every_model_a_table(tables: Resources) -> None:
    assert {model.TABLE for model in MODELS} == set(tables)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: str(model.__name__))
def test_keys_and_indexes_are_those_of_the_model(tables: Resources, model: type[Table]) -> None:
    properties = tables[model.TABLE]["Properties"]

    assert keys(properties["KeySchema"]) == model_keys(model)
    declared = {
        index["IndexName"]: (keys(index["KeySchema"]), index["Projection"])
        for index in properties.get("GlobalSecondaryIndexes", [])
    }
    for index in model._indexes.values():
        described = index._get_schema()
        name = described["index_name"]
        assert declared[name] == (
            keys(described["key_schema"]),
            described["projection"],
        )


def test_all_key_attributes_are_strings(tables: Resources) -> None:
    for table in tables.values():
        properties = table["Properties"]
        used = set(keys(properties["KeySchema"]))
        for index in properties.get("GlobalSecondaryIndexes", []):
            used |= set(keys(index["KeySchema"]))
        declared = {
            item["AttributeName"]: item["AttributeType"]
            for item in properties["AttributeDefinitions"]
        }
        assert declared == dict.fromkeys(used, "S")


def test_tables_are_on_demand_and_protected_in_production(tables: Resources) -> None:
    for table in tables.values():
        properties = table["Properties"]
        in_production = {"Fn::If": ["Production", True, False]}
        assert properties["BillingMode"] == "PAY_PER_REQUEST"
        assert properties["DeletionProtectionEnabled"] == in_production
        recovery = properties["PointInTimeRecoverySpecification"]
        assert recovery == {"PointInTimeRecoveryEnabled": in_production}
        assert table["DeletionPolicy"] == "RetainExceptOnCreate"
        assert table["UpdateReplacePolicy"] == "Retain"


@pytest.mark.parametrize(
    "name", ["users", "results", "rollups", "system", "incidents", "deliveries", "maintenance"]
)
def test_tables_with_expiry_use_the_same_attribute(tables: Resources, name: str) -> None:
    expiry = tables[name]["Properties"]["TimeToLiveSpecification"]

    assert expiry == {"AttributeName": "expires", "Enabled": True}
