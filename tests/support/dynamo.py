"""DynamoDB in memory, below pynamodb: some twenty times as fast as moto, for what makes many calls.

The tables and indexes are those of the template. It knows what the store calls and nothing else;
tests/support/test_dynamo.py holds its answers against moto's.
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
_MOST_KEY_BYTES = {"HASH": 2_048, "RANGE": 1_024}
_MOST_BYTES = 400 * 1024
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
            prefix + properties["TableName"]["Fn::Sub"].rpartition("-")[2]: _Table(properties)
            for properties in resources.declared("AWS::DynamoDB::Table").values()
        }

    def _make_api_call(self, name: str, params: dict[str, Any]) -> dict[str, Any]:
        check_call(params, SimpleNamespace(name=name))
        permissions.note("dynamodb", name, params)
        with self._lock:
            answer: dict[str, Any] = getattr(self, f"_{name}")(params)
        return answer

    def snapshot(self) -> Snapshot:
        """Everything that is stored now."""
        return {name: table.snapshot() for name, table in self._tables.items()}

    def restore(self, snapshot: Snapshot) -> None:
        """Store what was stored then, and nothing else."""
        for name, stored in snapshot.items():
            self._tables[name].restore(stored)

    def _GetItem(self, asked: dict[str, Any]) -> dict[str, Any]:  # noqa: N802 - AWS's names
        found = self._table(asked).get(asked["Key"])
        return {} if found is None else {"Item": _projected(found, asked)}

    def _BatchGetItem(self, asked: dict[str, Any]) -> dict[str, Any]:  # noqa: N802 - AWS's names
        answer = {}
        for name, request in asked["RequestItems"].items():
            keys = request["Keys"]
            if len(keys) > 100 or len({str(key) for key in keys}) < len(keys):
                raise _error("ValidationException", "too many keys, or one twice")
            found = [self._tables[name].get(key) for key in keys]
            answer[name] = [_projected(item, request) for item in found if item is not None]
        return {"Responses": answer, "UnprocessedKeys": {}}

    def _PutItem(self, asked: dict[str, Any]) -> dict[str, Any]:  # noqa: N802 - AWS's names
        return self._write("Put", asked)

    def _UpdateItem(self, asked: dict[str, Any]) -> dict[str, Any]:  # noqa: N802 - AWS's names
        return self._write("Update", asked)

    def _DeleteItem(self, asked: dict[str, Any]) -> dict[str, Any]:  # noqa: N802 - AWS's names
        return self._write("Delete", asked)

    def _write(self, kind: str, asked: dict[str, Any]) -> dict[str, Any]:
        table = self._table(asked)
        before = table.get(_key_of(asked))
        if not _holds(asked, before):
            raise _error("ConditionalCheckFailedException", "The conditional request failed")
        after = table.apply(kind, asked, before)
        shown = {"ALL_NEW": after, "ALL_OLD": before}.get(asked.get("ReturnValues", "NONE"))
        return {"Attributes": shown} if shown else {}

    def _TransactWriteItems(self, asked: dict[str, Any]) -> dict[str, Any]:  # noqa: N802 - see above
        steps = [next(iter(one.items())) for one in asked["TransactItems"]]
        places = [(one["TableName"], self._table(one).place(_key_of(one))) for _, one in steps]
        if len(steps) > 100 or len(set(places)) < len(places):
            raise _error("ValidationException", "too many items, or one twice")
        before = [self._table(one).get(_key_of(one)) for _, one in steps]
        holds = [_holds(one, item) for (_, one), item in zip(steps, before, strict=True)]
        if not all(holds):
            codes = ["None" if held else "ConditionalCheckFailed" for held in holds]
            reasons = [{"Code": code, "Message": None} for code in codes]
            raise _error("TransactionCanceledException", "cancelled", CancellationReasons=reasons)
        for (kind, one), item in zip(steps, before, strict=True):
            self._table(one).apply(kind, one, item)
        return {}

    def _Query(self, asked: dict[str, Any]) -> dict[str, Any]:  # noqa: N802 - AWS's names
        table, index = self._table(asked), asked.get("IndexName")
        found = table.items(asked, index)
        if not asked.get("ScanIndexForward", True):
            found.reverse()
        if start := asked.get("ExclusiveStartKey"):
            after, forward = table.order(start, index), asked.get("ScanIndexForward", True)
            found = [
                item
                for item in found
                if (table.order(item, index) > after) is forward
                and table.order(item, index) != after
            ]
        page = found[: asked.get("Limit", len(found))]
        answer: dict[str, Any] = {}
        if "Limit" in asked and len(page) == asked["Limit"]:
            # As AWS does, also where nothing comes after it.
            answer["LastEvaluatedKey"] = table.keys(page[-1], index)
        fitting = [item for item in page if _holds(asked, item, "FilterExpression")]
        shown = [_projected(table.in_index(item, index), asked) for item in fitting]
        return {"Items": shown, "Count": len(shown), "ScannedCount": len(page), **answer}

    def _table(self, asked: Mapping[str, Any]) -> "_Table":
        return self._tables[asked["TableName"]]


class _Table:
    """Items as compact bytes, by partition and sort key."""

    def __init__(self, properties: Mapping[str, Any]) -> None:
        self._keys: dict[str | None, list[str]] = {None: _names(properties)}
        self._shown: dict[str | None, set[str] | None] = {None: None}
        for index in properties.get("GlobalSecondaryIndexes", ()):
            name, projection = index["IndexName"], index["Projection"]
            self._keys[name] = _names(index)
            keys = {*self._keys[None], *self._keys[name], *projection.get("NonKeyAttributes", ())}
            self._shown[name] = None if projection["ProjectionType"] == "ALL" else keys
        self._partitions: defaultdict[bytes, dict[bytes, bytes]] = defaultdict(dict)

    def snapshot(self) -> Partitions:
        return {partition: dict(items) for partition, items in self._partitions.items()}

    def restore(self, stored: Partitions) -> None:
        copies = {partition: dict(items) for partition, items in stored.items()}
        self._partitions = defaultdict(dict, copies)

    def place(self, item: Item) -> Key:
        """Where an item is; raises what DynamoDB does for a key that cannot be one."""
        found = []
        for name, most in zip(self._keys[None], _MOST_KEY_BYTES.values(), strict=False):
            key = comparable(item[name])
            if not 0 < len(key) <= most:
                raise _error("ValidationException", "a key is empty or too long")
            found.append(key)
        return found[0], found[1] if len(found) > 1 else b""

    def get(self, key: Item) -> Item | None:
        partition, sort = self.place(key)
        stored = self._partitions.get(partition, {}).get(sort)
        return None if stored is None else _loaded(stored)

    def apply(self, kind: str, asked: Mapping[str, Any], before: Item | None) -> Item | None:
        """Carry a write out; returns the item as it is then."""
        partition, sort = self.place(_key_of(asked))
        if kind == "Delete":
            self._partitions[partition].pop(sort, None)
            return None
        if kind == "ConditionCheck":
            return before
        item: Item = asked["Item"] if kind == "Put" else self.get(asked["Key"]) or {**asked["Key"]}
        if kind == "Update":
            update(asked["UpdateExpression"])(_given(asked, before or {}), item)
        data = marshal.dumps(item)
        if len(data) > _MOST_BYTES:
            raise _error("ValidationException", "Item size has exceeded the maximum allowed size")
        self._partitions[partition][sort] = data
        return _loaded(data)

    def items(self, asked: Mapping[str, Any], index: str | None) -> list[Item]:
        """What fits a key condition, in order."""
        text, names = asked["KeyConditionExpression"], asked["ExpressionAttributeNames"]
        values = asked["ExpressionAttributeValues"]
        hash_name = self._keys[index][0]
        wanted = next(values[v] for n, v in _EQUAL.findall(text) if names[n] == hash_name)
        fits = condition(text)
        found = [
            item
            for item in self._candidates(
                comparable(wanted), is_own=hash_name == self._keys[None][0]
            )
            if all(name in item for name in self._keys[index]) and fits(_given(asked, item))
        ]
        return sorted(found, key=lambda item: self.order(item, index))

    def _candidates(self, partition: bytes, *, is_own: bool) -> Iterator[Item]:
        chosen = [self._partitions.get(partition, {})] if is_own else self._partitions.values()
        for items in chosen:
            yield from map(_loaded, items.values())

    def order(self, item: Item, index: str | None) -> list[bytes]:
        names = [*self._keys[index][1:], *(self._keys[None] if index else ())]
        return [comparable(item[name]) for name in names]

    def keys(self, item: Item, index: str | None) -> Item:
        return {name: item[name] for name in {*self._keys[None], *self._keys[index]}}

    def in_index(self, item: Item, index: str | None) -> Item:
        shown = self._shown[index]
        return item if shown is None else {n: value for n, value in item.items() if n in shown}


def _loaded(data: bytes) -> Item:
    item: Item = marshal.loads(data)
    return item


def _names(schema: Mapping[str, Any]) -> list[str]:
    return [key["AttributeName"] for key in schema["KeySchema"]]


def _key_of(asked: Mapping[str, Any]) -> Item:
    key: Item = asked.get("Item") or asked["Key"]
    return key


def _given(asked: Mapping[str, Any], item: Item) -> Given:
    names = asked.get("ExpressionAttributeNames", {})
    return Given(item, names, asked.get("ExpressionAttributeValues", {}))


def _holds(asked: Mapping[str, Any], item: Item | None, which: str = "ConditionExpression") -> bool:
    text = asked.get(which)
    return text is None or condition(text)(_given(asked, item or {}))


def _projected(item: Item, asked: Mapping[str, Any]) -> Item:
    text = asked.get("ProjectionExpression")
    if text is None:
        return item
    names = asked.get("ExpressionAttributeNames", {})
    wanted = {names.get(part, part) for part in text.replace(" ", "").split(",")}
    return {name: value for name, value in item.items() if name in wanted}


def _error(code: str, message: str, **more: Any) -> ClientError:
    response: Any = {"Error": {"Code": code, "Message": message}, **more}
    return ClientError(response, "Call")
