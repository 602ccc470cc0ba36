"""The tables in memory respond like moto's: every call is sent to both."""

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from botocore.exceptions import ClientError

from chalicelib.aws import dynamodb
from tests.support.blueprint import PREFIX
from tests.support.dynamo import Dynamo
from tests.support.world import World, as_system

pytestmark = pytest.mark.moto
Calls = Sequence[tuple[str, dict[str, Any]]]
LANES = f"{PREFIX}lanes"
N = {"#a": "a", "#b": "b", "#k": "key", "#o": "owner", "#p": "places", "#0": "0", "#s": "shard"}

APPEND = "SET #b = list_append (if_not_exists (#b, :x), :y)"


def text(value: str) -> dict[str, str]:
    return {"S": value}


def number(value: int) -> dict[str, str]:
    return {"N": str(value)}


def key(sort: str, owner: str = "alice") -> dict[str, Any]:
    return {"owner": text(owner), "key": text(sort)}


def item(sort: str, owner: str = "alice", **more: Any) -> dict[str, Any]:
    return {**key(sort, owner), **more}


def put(sort: str, condition: str = "", owner: str = "alice", **more: Any) -> Any:
    return "PutItem", request({"Item": item(sort, owner, **more)}, condition)


def update(expression: str, condition: str = "", sort: str = "1", **values: Any) -> Any:
    call = {"Key": key(sort), "UpdateExpression": expression, "ReturnValues": "ALL_NEW"}
    return "UpdateItem", request(call, condition, expression, **values)


def query(condition: str, index: str = "", table: str = LANES, **more: Any) -> Any:
    values = {name: more.pop(name) for name in list(more) if name in ("x", "y", "z")}
    texts = (condition, more.get("FilterExpression", ""), more.get("ProjectionExpression", ""))
    call = {"KeyConditionExpression": condition, "TableName": table, **more}
    if index:
        call["IndexName"] = index
    return "Query", request(call, "", *texts, **values)


def request(
    call: dict[str, Any], condition: str = "", *texts: str, **values: Any
) -> dict[str, Any]:
    """Add the placeholders that are used, and no others, because moto rejects unused ones."""
    call.setdefault("TableName", LANES)
    if condition:
        call["ConditionExpression"] = condition
    used = {name: N[name] for name in N if any(name in one for one in (condition, *texts))}
    if used:
        call["ExpressionAttributeNames"] = used
    if values:
        call["ExpressionAttributeValues"] = {f":{name}": one for name, one in values.items()}
    return call


def transaction(*steps: Any) -> Any:
    kinds = {"PutItem": "Put", "UpdateItem": "Update", "DeleteItem": "Delete"}
    items = []
    for name, call in steps:
        call.pop("ReturnValues", None)
        items.append({kinds[name]: call})
    return "TransactWriteItems", {"TransactItems": items}


STORED = [
    put("1", a=number(3), b={"L": [text("x")]}, places={"M": {"0": text("place")}}),
    put("2", a=number(10), b={"SS": ["m"]}, shard=text("0")),
    put("3", shard=text("0"), a={"BOOL": True}),
    put("1", owner="bob", a=number(1), shard=text("1")),
]
GET = ("GetItem", {"TableName": LANES, "Key": key("1")})
CALLS: dict[str, Calls] = {
    "an item and none": [GET, ("GetItem", {"TableName": LANES, "Key": key("9")})],
    "several": [
        ("BatchGetItem", {"RequestItems": {LANES: {"Keys": [key("3"), key("9"), key("1")]}}}),
    ],
    "put over another": [put("1", a=number(4)), GET],
    "put where there is none": [put("1", "attribute_not_exists (#k)"), GET],
    "put where it is there": [put("7", "attribute_exists (#k)"), put("1", "attribute_exists (#k)")],
    "set": [update("SET #a = :x, #b = :y", x=number(5), y=text("t"))],
    "set in a map": [update("SET #p.#0 = :x", x=text("other"))],
    "set once": [update("SET #a = if_not_exists (#a, :x)", x=number(5))],
    "set for the first time": [
        update("SET #a = if_not_exists (#a, :x) + :y", sort="8", x=number(0), y=number(2)),
        update("SET #a = if_not_exists (#a, :x) + :y", sort="8", x=number(0), y=number(2)),
    ],
    "append": [
        update(APPEND, x={"L": []}, y={"L": [text("z")]}),
        update(APPEND, sort="8", x={"L": []}, y={"L": [text("z")]}),
    ],
    "add": [update("ADD #a :x", x=number(-2)), update("ADD #a :x", sort="8", x=number(7))],
    "add to a set": [update("ADD #b :x", sort="2", x={"SS": ["a", "m"]})],
    "remove": [update("REMOVE #a"), update("REMOVE #p.#0"), update("REMOVE #s")],
    "several kinds": [update("SET #b = :x REMOVE #p ADD #a :y", x=text("t"), y=number(1))],
    "delete": [("DeleteItem", {"TableName": LANES, "Key": key("1")}), GET],
    "a partition": [query("#o = :x", x=text("alice")), query("#o = :x", x=text("nobody"))],
    "backwards": [query("#o = :x", x=text("alice"), ScanIndexForward=False, Limit=2)],
    "page by page": [
        query("#o = :x", x=text("alice"), Limit=2),
        query("#o = :x", x=text("alice"), Limit=2, ExclusiveStartKey=key("2")),
        query("#o = :x", x=text("alice"), ScanIndexForward=False, ExclusiveStartKey=key("2")),
    ],
    "from a key that is gone": [query("#o = :x", x=text("alice"), ExclusiveStartKey=key("15"))],
    "a part of a partition": [
        query("#o = :x AND #k BETWEEN :y AND :z", x=text("alice"), y=text("15"), z=text("3")),
        query("#o = :x AND begins_with (#k, :y)", x=text("alice"), y=text("1")),
        query("#o = :x AND #k > :y", x=text("alice"), y=text("2")),
    ],
    "filtered": [
        query("#o = :x", x=text("alice"), y=number(5), FilterExpression="#a > :y", Limit=2),
    ],
    "attributes": [query("#o = :x", x=text("alice"), ProjectionExpression="#a, #k")],
    "an index of keys": [query("#s = :x", "shards", x=text("0"))],
    "a transaction": [
        transaction(
            put("7", "attribute_not_exists (#k)"),
            update("ADD #a :x", x=number(1)),
            ("DeleteItem", {"TableName": LANES, "Key": key("2")}),
        ),
        query("#o = :x", x=text("alice")),
    ],
    "a transaction that fails": [
        transaction(
            update("ADD #a :x", x=number(1)), put("2", "attribute_not_exists (#k)"), put("7")
        ),
        query("#o = :x", x=text("alice")),
    ],
}  # fmt: skip
CONDITIONS = [
    "#a = :x", "#a <> :x", "#a < :x", "#a <= :x", "#a > :x", "#a >= :x", "#s = :x", "#s <> :x",
    "#s < :x", "(#a = :x AND attribute_exists (#b))", "(#a > :x OR attribute_not_exists (#s))",
    "NOT (#a = :x)", "(NOT #a = :x)", "#b[0] = :y", "#p.#0 = :y", "contains (#b, :y)",
    "(attribute_not_exists (#s) OR (#a <= :x AND #p.#0 = :y))",
]  # fmt: skip


@pytest.fixture
def both(world: World) -> Iterator[tuple[Any, Any]]:
    """moto's client and the fake, with the same items."""
    clients = dynamodb.connection().client, Dynamo(PREFIX)
    with as_system():
        for client in clients:
            for name, call in STORED:
                client._make_api_call(name, dict(call))
        yield clients


def response(client: Any, name: str, call: dict[str, Any]) -> Any:
    try:
        found = client._make_api_call(name, call)
    except ClientError as error:
        codes = [reason["Code"] for reason in error.response.get("CancellationReasons", ())]
        return error.response["Error"]["Code"], codes
    for field in ("ResponseMetadata", "ConsumedCapacity", "ItemCollectionMetrics"):
        found.pop(field, None)
    if "Responses" in found:
        found["Responses"] = {
            table: sorted(items, key=str) for table, items in found["Responses"].items()
        }
    return found


@pytest.mark.parametrize("name", CALLS)
def test_calls(both: tuple[Any, Any], name: str) -> None:
    for operation, call in CALLS[name]:
        theirs, ours = (response(client, operation, dict(call)) for client in both)
        assert ours == theirs


@pytest.mark.parametrize("value", [2, 3, 4])
@pytest.mark.parametrize("condition", CONDITIONS)
def test_conditions(both: tuple[Any, Any], condition: str, value: int) -> None:
    values = {
        name: one
        for name, one in (("x", number(value)), ("y", text("x" if value == 3 else "place")))
        if f":{name}" in condition
    }
    call = request({"Item": item("1", a=number(9))}, condition, **values)
    theirs, ours = (response(client, "PutItem", dict(call)) for client in both)
    assert ours == theirs


@pytest.mark.parametrize("bad", ["", "x" * 1_025])
def test_invalid_keys(both: tuple[Any, Any], bad: str) -> None:
    theirs, ours = (response(client, *put(bad)) for client in both)
    assert ours[0] == theirs[0] == "ValidationException"
