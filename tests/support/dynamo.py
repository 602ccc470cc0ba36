"""DynamoDB in memory: a fake of botocore's client that is some twenty times as fast as moto.

It has the template's tables and indexes and supports only the calls that Monitum makes.
tests/support/test_dynamo.py compares its responses with moto's.
"""

import marshal
import re
import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping
from types import SimpleNamespace
from typing import Any

from botocore.exceptions import ClientError

from chalicelib.aws.tenancy import check_call
from ops import resources
from tests.support import permissions
from tests.support.expressions import Given, Item, comparable, condition, update

_EQUAL = re.compile(r"(#\w+) = (:\w+)")
_MAX_KEY_BYTES = {"HASH": 2_048, "RANGE": 1_024}
_MAX_ITEM_BYTES = 400 * 1024
Key = tuple[bytes, bytes]
Partitions = Mapping[bytes, dict[bytes, bytes]]
Snapshot = Mapping[str, Partitions]


class Dynamo:
    """Stands for botocore's client."""

    _request_signer = SimpleNamespace(_credentials=True)

    def __init__(self, prefix: str) -> None:
        self.meta = SimpleNamespace(events=SimpleNamespace(register=lambda *_, **__: None))
        self._lock = threading.RLock()
        self._tables = {
            prefix + properties["TableName"]["Fn::Sub"].rpartition("-")[2]: Table(properties)
            for properties in resources.declared("AWS::DynamoDB::Table").values()
        }

    def _make_api_call(self, name: str, params: dict[str, Any]) -> dict[str, Any]:
        check_call(params, SimpleNamespace(name=name))
        permissions.note("dynamodb", name, params)
        return self.call(name, params)

    def call(self, name: str, params: dict[str, Any]) -> dict[str, Any]:
        """Carry out one operation of the DynamoDB API."""
        with self._lock:
            response: dict[str, Any] = getattr(self, f"_{name}")(params)
        return response

    def items(self, table: str) -> list[Item]:
        """Return every item of a table."""
        return self._tables[table].all()

    def snapshot(self) -> Snapshot:
        """Everything that is stored now."""
        return {name: table.snapshot() for name, table in self._tables.items()}

    def restore(self, snapshot: Snapshot) -> None:
        """Store what was stored then, and nothing else."""
        for name, stored in snapshot.items():
            self._tables[name].restore(stored)

    def _GetItem(self, params: dict[str, Any]) -> dict[str, Any]:  # noqa: N802 - AWS's names
        found = self._table(params).get(params["Key"])
        return {} if found is None else {"Item": _projected(found, params)}

    def _BatchGetItem(self, params: dict[str, Any]) -> dict[str, Any]:  # noqa: N802 - AWS's names
        answer = {}
        for name, request in params["RequestItems"].items():
            keys = request["Keys"]
            if len(keys) > 100 or len({str(key) for key in keys}) < len(keys):
                raise error("ValidationException", "too many keys, or one twice")
            found = [self._tables[name].get(key) for key in keys]
            answer[name] = [_projected(item, request) for item in found if item is not None]
        return {"Responses": answer, "UnprocessedKeys": {}}

    def _PutItem(self, params: dict[str, Any]) -> dict[str, Any]:  # noqa: N802 - AWS's names
        return self._write("Put", params)

    def _UpdateItem(self, params: dict[str, Any]) -> dict[str, Any]:  # noqa: N802 - AWS's names
        return self._write("Update", params)

    def _DeleteItem(self, params: dict[str, Any]) -> dict[str, Any]:  # noqa: N802 - AWS's names
        return self._write("Delete", params)

    def _write(self, kind: str, params: dict[str, Any]) -> dict[str, Any]:
        table = self._table(params)
        before = table.get(_key_of(params))
        if not _condition_holds(params, before):
            raise error("ConditionalCheckFailedException", "The conditional request failed")
        after = table.apply(kind, params, before)
        projected = {"ALL_NEW": after, "ALL_OLD": before}.get(params.get("ReturnValues", "NONE"))
        return {"Attributes": projected} if projected else {}

    def _TransactWriteItems(self, params: dict[str, Any]) -> dict[str, Any]:  # noqa: N802 - see above
        steps = [next(iter(one.items())) for one in params["TransactItems"]]
        places = [(one["TableName"], self._table(one).place(_key_of(one))) for _, one in steps]
        if len(steps) > 100 or len(set(places)) < len(places):
            raise error("ValidationException", "too many items, or one twice")
        before = [self._table(one).get(_key_of(one)) for _, one in steps]
        holds = [_condition_holds(one, item) for (_, one), item in zip(steps, before, strict=True)]
        if not all(holds):
            codes = ["None" if held else "ConditionalCheckFailed" for held in holds]
            reasons = [{"Code": code, "Message": None} for code in codes]
            raise error("TransactionCanceledException", "cancelled", CancellationReasons=reasons)
        for (kind, one), item in zip(steps, before, strict=True):
            self._table(one).apply(kind, one, item)
        return {}

    def _Query(self, params: dict[str, Any]) -> dict[str, Any]:  # noqa: N802 - AWS's names
        table, index = self._table(params), params.get("IndexName")
        found = table.items(params, index)
        if not params.get("ScanIndexForward", True):
            found.reverse()
        if start := params.get("ExclusiveStartKey"):
            after, forward = table.order(start, index), params.get("ScanIndexForward", True)
            found = [
                item
                for item in found
                if (table.order(item, index) > after) is forward
                and table.order(item, index) != after
            ]
        page = found[: params.get("Limit", len(found))]
        answer: dict[str, Any] = {}
        if "Limit" in params and len(page) == params["Limit"]:
            # Like AWS, even if no item follows.
            answer["LastEvaluatedKey"] = table.keys(page[-1], index)
        matching = [item for item in page if _condition_holds(params, item, "FilterExpression")]
        projected = [_projected(table.in_index(item, index), params) for item in matching]
        return {"Items": projected, "Count": len(projected), "ScannedCount": len(page), **answer}

    def _table(self, params: Mapping[str, Any]) -> "Table":
        return self._tables[params["TableName"]]


class Table:
    """Items as compact bytes, by partition and sort key."""

    def __init__(self, properties: Mapping[str, Any]) -> None:
        self._keys: dict[str | None, list[str]] = {None: _names(properties)}
        self._projections: dict[str | None, set[str] | None] = {None: None}
        for index in properties.get("GlobalSecondaryIndexes", ()):
            name, projection = index["IndexName"], index["Projection"]
            self._keys[name] = _names(index)
            keys = {*self._keys[None], *self._keys[name], *projection.get("NonKeyAttributes", ())}
            self._projections[name] = None if projection["ProjectionType"] == "ALL" else keys
        self._partitions: defaultdict[bytes, dict[bytes, bytes]] = defaultdict(dict)

    def snapshot(self) -> Partitions:
        return {partition: dict(items) for partition, items in self._partitions.items()}

    def restore(self, stored: Partitions) -> None:
        copies = {partition: dict(items) for partition, items in stored.items()}
        self._partitions = defaultdict(dict, copies)

    def all(self) -> list[Item]:
        return [_loaded(data) for items in self._partitions.values() for data in items.values()]

    def place(self, item: Item) -> Key:
        """The partition and sort key of an item; raises DynamoDB's error for an invalid key."""
        found = []
        for name, limit in zip(self._keys[None], _MAX_KEY_BYTES.values(), strict=False):
            key = comparable(item[name])
            if not 0 < len(key) <= limit:
                raise error("ValidationException", "a key is empty or too long")
            found.append(key)
        return found[0], found[1] if len(found) > 1 else b""

    def get(self, key: Item) -> Item | None:
        partition, sort = self.place(key)
        stored = self._partitions.get(partition, {}).get(sort)
        return None if stored is None else _loaded(stored)

    def apply(self, kind: str, params: Mapping[str, Any], before: Item | None) -> Item | None:
        """Execute a write; returns the new item."""
        partition, sort = self.place(_key_of(params))
        if kind == "Delete":
            self._partitions[partition].pop(sort, None)
            return None
        if kind == "ConditionCheck":
            return before
        item: Item = (
            params["Item"] if kind == "Put" else self.get(params["Key"]) or {**params["Key"]}
        )
        if kind == "Update":
            update(params["UpdateExpression"])(_given(params, before or {}), item)
        data = marshal.dumps(item)
        if len(data) > _MAX_ITEM_BYTES:
            raise error("ValidationException", "Item size has exceeded the maximum allowed size")
        self._partitions[partition][sort] = data
        return _loaded(data)

    def items(self, params: Mapping[str, Any], index: str | None) -> list[Item]:
        """The items that match a key condition, in order."""
        text, names = params["KeyConditionExpression"], params["ExpressionAttributeNames"]
        values = params["ExpressionAttributeValues"]
        hash_name = self._keys[index][0]
        wanted = next(values[v] for n, v in _EQUAL.findall(text) if names[n] == hash_name)
        matches = condition(text)
        found = [
            item
            for item in self._candidates(
                comparable(wanted), is_table=hash_name == self._keys[None][0]
            )
            if all(name in item for name in self._keys[index]) and matches(_given(params, item))
        ]
        return sorted(found, key=lambda item: self.order(item, index))

    def _candidates(self, partition: bytes, *, is_table: bool) -> Iterator[Item]:
        chosen = [self._partitions.get(partition, {})] if is_table else self._partitions.values()
        for items in chosen:
            yield from map(_loaded, items.values())

    def order(self, item: Item, index: str | None) -> list[bytes]:
        names = [*self._keys[index][1:], *(self._keys[None] if index else ())]
        return [comparable(item[name]) for name in names]

    def keys(self, item: Item, index: str | None) -> Item:
        return {name: item[name] for name in {*self._keys[None], *self._keys[index]}}

    def in_index(self, item: Item, index: str | None) -> Item:
        projected = self._projections[index]
        return (
            item if projected is None else {n: value for n, value in item.items() if n in projected}
        )


def _loaded(data: bytes) -> Item:
    item: Item = marshal.loads(data)
    return item


def _names(schema: Mapping[str, Any]) -> list[str]:
    return [key["AttributeName"] for key in schema["KeySchema"]]


def _key_of(params: Mapping[str, Any]) -> Item:
    key: Item = params.get("Item") or params["Key"]
    return key


def _given(params: Mapping[str, Any], item: Item) -> Given:
    names = params.get("ExpressionAttributeNames", {})
    return Given(item, names, params.get("ExpressionAttributeValues", {}))


def _condition_holds(
    params: Mapping[str, Any], item: Item | None, expression: str = "ConditionExpression"
) -> bool:
    text = params.get(expression)
    return text is None or condition(text)(_given(params, item or {}))


def _projected(item: Item, params: Mapping[str, Any]) -> Item:
    text = params.get("ProjectionExpression")
    if text is None:
        return item
    names = params.get("ExpressionAttributeNames", {})
    wanted = {names.get(part, part) for part in text.replace(" ", "").split(",")}
    return {name: value for name, value in item.items() if name in wanted}


def error(code: str, message: str, **more: Any) -> ClientError:
    response: Any = {"Error": {"Code": code, "Message": message}, **more}
    return ClientError(response, "Call")
