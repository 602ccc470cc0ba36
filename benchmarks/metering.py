"""What AWS would charge for: DynamoDB units from the sizes of items, SQS requests by 64 KB.

Sources: docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html,
.../CapacityUnitCalculations.html and aws.amazon.com/sqs/pricing.
"""

import math
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

Item = Mapping[str, Mapping[str, Any]]
_READ_BYTES, _WRITE_BYTES, _SQS_BYTES = 4096, 1024, 64 * 1024


def item_size(item: Item) -> int:
    """Bytes of an item: names and values, as DynamoDB counts them."""
    return sum(len(name.encode()) + _value_size(value) for name, value in item.items())


def _value_size(value: Mapping[str, Any]) -> int:
    ((kind, content),) = value.items()
    match kind:
        case "S":
            size = len(content.encode())
        case "B":
            size = len(content)
        case "N":
            digits = content.lstrip("-").replace(".", "")
            size = math.ceil(len(digits) / 2) + 1 + content.startswith("-")
        case "M":
            size = 3 + sum(len(k.encode()) + _value_size(v) + 1 for k, v in content.items())
        case "L":
            size = 3 + sum(_value_size(v) + 1 for v in content)
        case "SS" | "NS" | "BS":
            size = sum(_value_size({kind[0]: member}) for member in content)
        case _:
            size = 1
    return size


def read_units(size: int, *, consistent: bool) -> float:
    """Read request units of so many bytes; reading nothing costs the least unit."""
    return max(1, math.ceil(size / _READ_BYTES)) * (1 if consistent else 0.5)


def write_units(size: int) -> int:
    """Write request units of an item of so many bytes."""
    return max(1, math.ceil(size / _WRITE_BYTES))


@dataclass(frozen=True)
class Spent:
    """Seconds by the wall and seconds of this process's CPU."""

    wall: float = 0.0
    cpu: float = 0.0

    @classmethod
    def now(cls) -> "Spent":
        return cls(time.perf_counter(), time.process_time())

    def __add__(self, other: "Spent") -> "Spent":
        return Spent(self.wall + other.wall, self.cpu + other.cpu)

    def __sub__(self, other: "Spent") -> "Spent":
        return Spent(self.wall - other.wall, self.cpu - other.cpu)


class Meter:
    """Counts the calls of a DynamoDB client, as its hooks, and of a queue that reports to it."""

    def __init__(self, client: Any) -> None:
        self.counts: defaultdict[str, float] = defaultdict(float)
        self._client = client
        self.calls = 0
        self.spent = Spent()
        """What the emulator itself took: a function on AWS waits for the network instead."""
        self._asked: dict[str, Any] = {}
        self._started = Spent()
        self._is_counting = True
        self._counters = {
            "Query": self._query,
            "GetItem": self._get,
            "BatchGetItem": self._batch_get,
            "PutItem": self._put,
            "UpdateItem": self._update,
            "TransactWriteItems": self._transact,
        }
        client.meta.events.register("provide-client-params.dynamodb", self._note)
        client.meta.events.register("before-call.dynamodb", self._start)
        client.meta.events.register("after-call.dynamodb", self._count)

    def sqs(self, kind: str, sizes: Iterable[int] = ()) -> None:
        """One SQS request with a payload of these sizes; each 64 KB are charged as one more."""
        self.counts[f"sqs {kind}"] += max(1, math.ceil(sum(sizes) / _SQS_BYTES))

    def reset(self) -> None:
        """Begin to count anew."""
        self.counts.clear()
        self.calls, self.spent = 0, Spent()

    def total(self, prefix: str) -> float:
        return sum(count for name, count in self.counts.items() if name.startswith(prefix))

    def _note(self, params: dict[str, Any], **_: object) -> None:
        self._asked = params

    def _start(self, **_: object) -> None:
        self._started = Spent.now()

    def _count(self, parsed: dict[str, Any], model: Any, **_: object) -> None:
        if self._is_counting:
            self.calls += 1
            self.spent += Spent.now() - self._started
            self._counters[model.name](self._asked, parsed)

    def _query(self, asked: dict[str, Any], found: dict[str, Any]) -> None:
        size = sum(map(item_size, found.get("Items", [])))
        units = read_units(size, consistent=asked.get("ConsistentRead", False))
        self.counts[f"read {self._name(asked)}"] += units

    def _get(self, asked: dict[str, Any], found: dict[str, Any]) -> None:
        consistent = asked.get("ConsistentRead", False)
        units = read_units(item_size(found.get("Item", {})), consistent=consistent)
        self.counts[f"read {self._name(asked)}"] += units

    def _batch_get(self, asked: dict[str, Any], found: dict[str, Any]) -> None:
        for table, request in asked["RequestItems"].items():
            consistent = request.get("ConsistentRead", False)
            items = found.get("Responses", {}).get(table, [])
            missing: list[Item] = [{}] * (len(request["Keys"]) - len(items))
            units = sum(
                read_units(item_size(item), consistent=consistent) for item in [*items, *missing]
            )
            self.counts[f"read {self._short(table)}"] += units

    def _put(self, asked: dict[str, Any], _: dict[str, Any]) -> None:
        self.counts[f"write {self._name(asked)}"] += write_units(item_size(asked["Item"]))

    def _update(self, asked: dict[str, Any], _: dict[str, Any]) -> None:
        # The stored item may be larger than what was asked for.
        self._is_counting = False
        stored = self._client.get_item(TableName=asked["TableName"], Key=asked["Key"])
        self._is_counting = True
        self.counts[f"write {self._name(asked)}"] += write_units(item_size(stored["Item"]))

    def _transact(self, asked: dict[str, Any], _: dict[str, Any]) -> None:
        self.counts["write transactions"] += 2 * len(asked["TransactItems"])

    def _name(self, asked: Mapping[str, Any]) -> str:
        return self._short(asked["TableName"]) + (
            f".{asked['IndexName']}" if "IndexName" in asked else ""
        )

    @staticmethod
    def _short(table: str) -> str:
        return table.rpartition("-")[2]
