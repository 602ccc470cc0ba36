"""DynamoDB and SQS in memory, with their limits, on a simulated clock.

Only what the scheduler and the worker call. Everything is counted in units as AWS charges for it,
by partition and second too: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/
ServiceQuotas.html and https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/
quotas-messages.html.
"""

import heapq
import marshal
import re
from collections import defaultdict
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any, Final

from botocore.exceptions import ClientError

from benchmarks.metering import Item, item_size, read_units, write_units
from chalicelib.aws.tenancy import check_call

PARTITION_WRITES, PARTITION_READS = 1_000, 3_000
_ITEM_BYTES, _PAGE_BYTES = 400 * 1024, 1024 * 1024
_BATCH_MESSAGES, _BATCH_BYTES, _MOST_DELAY_S = 10, 1024 * 1024, 900
_KEYS: Final = {
    "lanes": ("owner", "key"),
    "results": ("lane_day", "check"),
    "system": ("name", None),
}
_ACTION = re.compile(r"(SET|ADD|REMOVE) (.*?)(?= SET | ADD | REMOVE |$)")


class LimitError(Exception):
    """Something that AWS would refuse."""


class Dynamo:
    """Stands in for the botocore client below pynamodb. Items are kept as compact bytes."""

    _request_signer = SimpleNamespace(_credentials=True)

    def __init__(self, clock: Callable[[], float], prefix: str) -> None:
        self.meta = SimpleNamespace(events=SimpleNamespace(register=lambda *_, **__: None))
        self.units: defaultdict[str, float] = defaultdict(float)
        self.busiest: defaultdict[tuple[str, str, str, int], float] = defaultdict(float)
        self.calls = 0
        self.due: defaultdict[str, list[tuple[bytes, int]]] = defaultdict(list)
        self._clock, self._prefix = clock, prefix
        self._tables: dict[str, dict[str, dict[str, tuple[bytes, int]]]] = {
            name: defaultdict(dict) for name in _KEYS
        }

    def load(self, table: str, item: Item) -> None:
        """Have an item in a table before anything is counted."""
        partition, sort = self._key(table, item)
        self._tables[table][partition][sort] = marshal.dumps(dict(item)), item_size(item)

    def load_due(self, slot: str, item: Item) -> None:
        """Have an item in the index `due`."""
        self.due[slot].append((marshal.dumps(dict(item)), item_size(item)))

    def _make_api_call(self, name: str, params: dict[str, Any]) -> dict[str, Any]:
        check_call(params, SimpleNamespace(name=name))
        self.calls += 1
        answer: dict[str, Any] = getattr(self, f"_{name}")(params)
        return answer

    def _GetItem(self, asked: dict[str, Any]) -> dict[str, Any]:  # noqa: N802 - AWS's names
        table = self._name(asked["TableName"])
        found = self._find(table, asked["Key"], consistent=asked.get("ConsistentRead", False))
        return {} if found is None else {"Item": found}

    def _BatchGetItem(self, asked: dict[str, Any]) -> dict[str, Any]:  # noqa: N802 - AWS's names
        answer = {}
        for full_name, request in asked["RequestItems"].items():
            if len(request["Keys"]) > 100:
                raise LimitError("more than 100 keys")
            consistent = request.get("ConsistentRead", False)
            table = self._name(full_name)
            items = [self._find(table, key, consistent=consistent) for key in request["Keys"]]
            answer[full_name] = [item for item in items if item is not None]
        return {"Responses": answer, "UnprocessedKeys": {}}

    def _PutItem(self, asked: dict[str, Any]) -> dict[str, Any]:  # noqa: N802 - AWS's names
        table, item = self._name(asked["TableName"]), asked["Item"]
        self._write(table, item, asked)
        return {}

    def _UpdateItem(self, asked: dict[str, Any]) -> dict[str, Any]:  # noqa: N802 - AWS's names
        table, key = self._name(asked["TableName"]), asked["Key"]
        partition, sort = self._key(table, key)
        stored = self._tables[table][partition].get(sort)
        item = dict(key) if stored is None else marshal.loads(stored[0])
        for kind, actions in _ACTION.findall(asked["UpdateExpression"]):
            for action in actions.split(", "):
                _act(kind, action, item, asked)
        self._write(table, item, asked)
        return {"Attributes": item}

    def _Query(self, asked: dict[str, Any]) -> dict[str, Any]:  # noqa: N802 - AWS's names
        values = [value["S"] for value in asked["ExpressionAttributeValues"].values()]
        if asked.get("IndexName") == "due":
            return self._page_of_due(values[0], _start(asked))
        found = sorted(self._tables["results"].get(values[0], {}).items())
        chosen = [data for sort, data in found if values[1] <= sort <= values[2]]
        self._count("read", "results", values[0], read_units(_size(chosen), consistent=False))
        items = [marshal.loads(data) for data, _ in chosen]
        return {"Items": items, "Count": len(items), "ScannedCount": len(items)}

    def _page_of_due(self, slot: str, start: int) -> dict[str, Any]:
        items, size, end = self.due.get(slot, []), 0, start
        while end < len(items) and size < _PAGE_BYTES:
            size += items[end][1]
            end += 1
        self._count("read", "due", slot, read_units(size, consistent=False))
        page = {"Items": [marshal.loads(data) for data, _ in items[start:end]]}
        return (
            page if end == len(items) else {**page, "LastEvaluatedKey": {"owner": {"S": str(end)}}}
        )

    def _find(self, table: str, key: Item, *, consistent: bool) -> Item | None:
        partition, sort = self._key(table, key)
        found = self._tables[table].get(partition, {}).get(sort)
        size = 0 if found is None else found[1]
        self._count("read", table, partition, read_units(size, consistent=consistent))
        if found is None:
            return None
        item: Item = marshal.loads(found[0])
        return item

    def _write(self, table: str, item: Item, asked: Mapping[str, Any]) -> None:
        partition, sort = self._key(table, item)
        stored = self._tables[table][partition].get(sort)
        size = item_size(item)
        if size > _ITEM_BYTES:
            raise LimitError(f"an item of {size} bytes")
        self._count("write", table, partition, write_units(size))
        present = None if stored is None else marshal.loads(stored[0])
        if not _holds(asked.get("ConditionExpression"), present, asked):
            error = {"Error": {"Code": "ConditionalCheckFailedException", "Message": ""}}
            raise ClientError(error, "PutItem")
        self._tables[table][partition][sort] = marshal.dumps(dict(item)), size

    def _count(self, kind: str, table: str, partition: str, units: float) -> None:
        self.units[f"{kind} {table}"] += units
        self.busiest[kind, table, partition, int(self._clock())] += units

    def _key(self, table: str, item: Item) -> tuple[str, str]:
        partition, sort = _KEYS[table]
        return item[partition]["S"], item[sort]["S"] if sort else ""

    def _name(self, full_name: str) -> str:
        return full_name.removeprefix(self._prefix)

    def hottest(self, kind: str) -> float:
        """The most units that one partition key took within a second."""
        return max((n for key, n in self.busiest.items() if key[0] == kind), default=0)

    def total(self, kind: str) -> float:
        return sum(count for name, count in self.units.items() if name.startswith(kind))


class Sqs:
    """The part of an SQS client that the queue uses, and what Lambda's pollers take from it."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self.requests = 0
        self.messages = 0
        self._waiting: list[tuple[float, int, str]] = []

    def send_message_batch(self, *, QueueUrl: str, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803, ARG002 - the names of botocore
        size = sum(len(entry["MessageBody"]) for entry in Entries)
        if len(Entries) > _BATCH_MESSAGES or size > _BATCH_BYTES:
            raise LimitError(f"a batch of {len(Entries)} messages and {size} bytes")
        self.requests += -(-size // 65_536)
        for entry in Entries:
            if not 0 <= entry["DelaySeconds"] <= _MOST_DELAY_S:
                raise LimitError(f"a delay of {entry['DelaySeconds']} s")
            self.messages += 1
            visible = self.clock() + entry["DelaySeconds"]
            heapq.heappush(self._waiting, (visible, self.messages, entry["MessageBody"]))
        return {}

    def receive(self, until: float, most: int, window_s: float) -> tuple[float, list[str]] | None:
        """The next messages that become visible before `until`, at most `window_s` apart."""
        if not self._waiting or self._waiting[0][0] >= until:
            return None
        first, bodies, last = self._waiting[0][0], list[str](), 0.0
        while self._waiting and len(bodies) < most:
            if self._waiting[0][0] > min(first + window_s, until):
                break
            last, _, body = heapq.heappop(self._waiting)
            bodies.append(body)
        self.requests += 1 + -(-sum(map(len, bodies)) // 65_536)
        return last, bodies


def _start(asked: Mapping[str, Any]) -> int:
    key = asked.get("ExclusiveStartKey")
    return int(key["owner"]["S"]) if key else 0


def _size(stored: list[tuple[bytes, int]]) -> int:
    return sum(size for _, size in stored)


def _act(kind: str, action: str, item: dict[str, Any], asked: Mapping[str, Any]) -> None:
    """Carry out one action of an update expression, as pynamodb writes them."""
    path, _, value = action.replace(" = ", " ").partition(" ")
    *parents, last = [asked["ExpressionAttributeNames"][part] for part in path.split(".")]
    within = item
    for parent in parents:
        within = within[parent]["M"]
    if kind == "REMOVE":
        within.pop(last, None)
        return
    given = asked["ExpressionAttributeValues"][value]
    if kind == "ADD":
        before = within.get(last, {"N": "0"})
        given = {"N": str(int(before["N"]) + int(given["N"]))}
    within[last] = given


def _holds(condition: str | None, item: Item | None, asked: Mapping[str, Any]) -> bool:
    """Whether one of the conditions that are used here holds of a stored item."""
    if condition is None:
        return True
    names, values = asked["ExpressionAttributeNames"], asked.get("ExpressionAttributeValues", {})
    if absent := re.fullmatch(r"attribute_not_exists \((#\w+)\)", condition):
        return item is None or names[absent[1]] not in item
    if either := re.fullmatch(r"\((.*) OR (.*)\)", condition):
        return any(_holds(part, item, asked) for part in either.groups())
    if most := re.fullmatch(r"(#\w+) <= (:\w+)", condition):
        number = int(item[names[most[1]]]["N"]) if item else 0
        return item is not None and number <= int(values[most[2]]["N"])
    if equal := re.fullmatch(r"(#\w+) = (:\w+)", condition):
        return item is not None and item.get(names[equal[1]]) == values[equal[2]]
    raise LimitError(f"a condition that is not simulated: {condition}")
