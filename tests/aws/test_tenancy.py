"""The owner guard: DynamoDB calls are rejected for keys outside the current scope."""

from collections.abc import Callable, Iterator
from threading import Thread
from types import SimpleNamespace
from typing import Any

import boto3
import pytest

from chalicelib.aws.dynamodb import connection
from chalicelib.aws.tenancy import ForeignKeyError, acting_as_system, acting_for, check_call
from tests.support.blueprint import PREFIX
from tests.support.stages import memory_stage
from tests.support.world import World

Params = dict[str, Any]


def key(owner: str) -> Params:
    return {"owner": {"S": owner}, "key": {"S": "user"}}


def day(owner: str) -> Params:
    return {"lane_day": {"S": f"{owner}#0#20261122"}, "check": {"S": "1795000000#us-east-1"}}


def query(owner: str) -> Params:
    return {
        "TableName": "users",
        "KeyConditionExpression": "#0 = :0 AND begins_with (#1, :1)",
        "ExpressionAttributeNames": {"#0": "owner", "#1": "key"},
        "ExpressionAttributeValues": {":0": {"S": owner}, ":1": {"S": "token:"}},
    }


CALLS: dict[str, tuple[str, Callable[[str], Params]]] = {
    "get": ("GetItem", lambda owner: {"Key": key(owner)}),
    "get a result": ("GetItem", lambda owner: {"Key": day(owner)}),
    "put": ("PutItem", lambda owner: {"Item": {**key(owner), "name": {"S": "x"}}}),
    "put a result": ("PutItem", lambda owner: {"Item": day(owner)}),
    "update": ("UpdateItem", lambda owner: {"Key": key(owner)}),
    "delete": ("DeleteItem", lambda owner: {"Key": key(owner)}),
    "query": ("Query", query),
    "query results": (
        "Query",
        lambda owner: {
            "KeyConditionExpression": "lane_day = :d AND #c BETWEEN :a AND :b",
            "ExpressionAttributeNames": {"#c": "check"},
            "ExpressionAttributeValues": {":d": {"S": f"{owner}#0#20261122"}},
        },
    ),
    "batch get": (
        "BatchGetItem",
        lambda owner: {
            "RequestItems": {"a": {"Keys": [key("alice")]}, "b": {"Keys": [day(owner)]}}
        },
    ),
    "get in a transaction": (
        "TransactGetItems",
        lambda owner: {"TransactItems": [{"Get": {"Key": key(owner)}}]},
    ),
    **{
        f"{action} in a transaction": (
            "TransactWriteItems",
            lambda owner, action=action, part=part: {  # type: ignore[misc]
                "TransactItems": [
                    {"Put": {"Item": key("alice")}},
                    {action: {part: key(owner)}},
                ]
            },
        )
        for action, part in [
            ("Put", "Item"),
            ("Update", "Key"),
            ("Delete", "Key"),
            ("ConditionCheck", "Key"),
        ]
    },
}


def check(name: str, owner: str) -> None:
    operation, params = CALLS[name]
    check_call(params(owner), SimpleNamespace(name=operation))


@pytest.mark.parametrize("name", CALLS)
def test_own_keys_pass(name: str) -> None:
    with acting_for("alice"):
        check(name, "alice")


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("owner", ["mallory", "alice2", "", "Alice"])
def test_keys_of_other_owners_are_rejected(name: str, owner: str) -> None:
    with acting_for("alice"), pytest.raises(ForeignKeyError):
        check(name, owner)


@pytest.mark.parametrize("name", CALLS)
def test_calls_without_a_scope_are_rejected(name: str) -> None:
    with pytest.raises(ForeignKeyError):
        check(name, "alice")
    with acting_for(), pytest.raises(ForeignKeyError):
        check(name, "alice")


@pytest.mark.parametrize("name", CALLS)
def test_system_scope_allows_every_key(name: str) -> None:
    with acting_as_system():
        check(name, "mallory")


@pytest.mark.parametrize(
    "operation",
    [
        "Scan",
        "ExecuteStatement",
        "BatchExecuteStatement",
        "ExecuteTransaction",
        "BatchWriteItem",
        "DeleteTable",
        "ExportTableToPointInTime",
        "SomethingNew",
    ],
)
def test_operations_without_keys_are_always_rejected(operation: str) -> None:
    params = {"RequestItems": {"a": [{"PutRequest": {"Item": key("alice")}}]}}
    with acting_for("alice"), pytest.raises(ForeignKeyError):
        check_call(params, SimpleNamespace(name=operation))
    with acting_as_system(), pytest.raises(ForeignKeyError):
        check_call(params, SimpleNamespace(name=operation))


@pytest.mark.parametrize(
    ("condition", "names"),
    [
        ("slot = :0", {}),
        ("#0 = :0", {"#0": "directory"}),
        ("#0 = :1 AND #1 = :0", {"#0": "slot", "#1": "lane"}),
        ("begins_with(#0, :0)", {"#0": "owner"}),
        ("#0 > :0", {"#0": "owner"}),
    ],
)
def test_query_without_an_owner_condition_is_rejected(
    condition: str, names: dict[str, str]
) -> None:
    params = {
        "KeyConditionExpression": condition,
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": {":0": {"S": "alice"}, ":1": {"S": "60:1:0"}},
    }
    with acting_for("alice"), pytest.raises(ForeignKeyError):
        check_call(params, SimpleNamespace(name="Query"))


def test_key_with_two_owners_is_rejected() -> None:
    params = {"Item": {**day("mallory"), **key("alice")}}
    with acting_for("alice"), pytest.raises(ForeignKeyError):
        check_call(params, SimpleNamespace(name="PutItem"))


def test_key_without_owner_needs_the_system_scope() -> None:
    params = {"Key": {"name": {"S": "schedule"}}}
    with acting_for("alice"), pytest.raises(ForeignKeyError):
        check_call(params, SimpleNamespace(name="GetItem"))
    with acting_as_system():
        check_call(params, SimpleNamespace(name="GetItem"))


def test_scopes_are_restored_after_the_block() -> None:
    with acting_for("alice"):
        with acting_for("bob", "carol"):
            check("get", "bob")
            check("get", "carol")
            with pytest.raises(ForeignKeyError):
                check("get", "alice")
            with acting_as_system():
                check("get", "mallory")
            with pytest.raises(ForeignKeyError):
                check("get", "mallory")
        with pytest.raises(RuntimeError), acting_as_system():
            raise RuntimeError
        check("get", "alice")
        with pytest.raises(ForeignKeyError):
            check("get", "bob")
    with pytest.raises(ForeignKeyError):
        check("get", "alice")


def test_new_threads_have_no_scope() -> None:
    refused: list[ForeignKeyError] = []

    def work() -> None:
        try:
            check("get", "alice")
        except ForeignKeyError as error:
            refused.append(error)

    with acting_for("alice"), acting_as_system():
        thread = Thread(target=work)
        thread.start()
        thread.join()
    assert len(refused) == 1


@pytest.fixture(scope="module")
def stage() -> Iterator[World]:
    with memory_stage() as world:
        yield world


def test_guard_is_attached_to_the_shared_client(stage: World) -> None:
    client = connection().client
    mallory = stage.user("mallory").owner
    table = f"{PREFIX}users"
    with acting_for("alice"):
        with pytest.raises(ForeignKeyError):
            client.get_item(TableName=table, Key=key(mallory))
        with pytest.raises(ForeignKeyError):
            client.scan(TableName=table)
        with pytest.raises(ForeignKeyError):
            client.execute_statement(Statement=f'SELECT * FROM "{table}"')
    assert "Item" in boto3.client("dynamodb").get_item(TableName=table, Key=key(mallory)), (
        "a client without the guard must find the user"
    )
