"""Rebuilds from the targets and deliveries what finds them: schedule, slots, places, indexes."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from chalicelib.alerting.storage.delivery_repository import Deliveries
from chalicelib.aws.runtime import AwsRuntime
from chalicelib.aws.tenancy import acting_as_system, acting_for
from chalicelib.monitoring import schedule
from chalicelib.monitoring.state import State
from chalicelib.monitoring.storage import schedule_repository as store
from ops.data.backup import Item, scan
from ops.stages import Stage

_MINUTE_S: Final = schedule.MINUTE_S


@dataclass
class _Repair:
    """The tables of a stage, and what was repaired."""

    client: Any
    prefix: str
    now: int
    done: Counter[str] = field(default_factory=Counter)

    def write(self, what: str, requests: Iterable[Item]) -> None:
        """Perform writes in one transaction and count them, unless the items have changed since."""
        try:
            self.client.transact_write_items(TransactItems=list(requests))
        except self.client.exceptions.TransactionCanceledException:
            return
        self.done[what] += 1


def repair(stage: Stage, runtime: AwsRuntime) -> list[str]:
    """Repair a stage; returns a line for each kind of repair. A sound stage is not changed.

    Everything may be called while the stage is running, and repeatedly.
    """
    found = _Repair(stage.client("dynamodb"), f"{stage.stack_name}-", runtime.now)
    used = _counters(found)
    targets = list(scan(found.client, f"{found.prefix}targets"))
    _repair_places(found, targets)
    intervals = _repair_slots(found, targets)
    with acting_as_system():
        _repair_schedule(found, intervals)
    _index_deliveries(found)
    _repair_counters(found, used, targets)
    return [f"{count} {what}" for what, count in sorted(found.done.items())]


def _repair_places(found: _Repair, targets: list[Item]) -> None:
    """Give targets that their lanes have lost their places again."""
    lanes = {
        (item["owner"]["S"], item["key"]["S"]): item["places"]["M"]
        for item in scan(found.client, f"{found.prefix}lanes")
        if item["key"]["S"].startswith("lane:")
    }
    for target in targets:
        owner, number = target["owner"]["S"], _lane_number(target)
        place = str(_spec(target)["place"])
        key = f"lane:{number:04d}"
        current = lanes.get((owner, key), {}).get(place)
        if current is None and (owner, key) in lanes:
            found.write("targets given their place in their lane", _take(found, target, place))
        elif current is None or current["L"][0]["S"] != target["target_id"]["S"]:
            found.done["targets whose place is lost: delete them and create them again"] += 1


def _take(found: _Repair, target: Item, place: str) -> list[Item]:
    """The requests that put a target into its place, if both are unchanged."""
    state = State.pending(found.now).to_list()
    key = {"owner": target["owner"], "key": {"S": f"lane:{_lane_number(target):04d}"}}
    values = [target["target_id"], {"S": state[0]}, *({"N": str(value)} for value in state[1:])]
    return [
        _unchanged(found, target),
        {
            "Update": {
                "TableName": f"{found.prefix}lanes",
                "Key": key,
                "UpdateExpression": "SET places.#place = :value ADD version :one",
                "ConditionExpression": "attribute_not_exists(places.#place)",
                "ExpressionAttributeNames": {"#place": place},
                "ExpressionAttributeValues": {":value": {"L": values}, ":one": {"N": "1"}},
            }
        },
    ]


def _repair_slots(found: _Repair, targets: list[Item]) -> dict[int, set[int]]:
    """Correct the targets' slots; returns the intervals in use by shard."""
    intervals = defaultdict[int, set[int]](set)
    for target in targets:
        slot, shard = None, int(target.get("shard", {"N": "0"})["N"])
        if target["enabled"]["BOOL"]:
            interval_s = int(_spec(target)["interval_s"])
            intervals[shard].add(interval_s)
            offset = schedule.offset(target["owner"]["S"], _lane_number(target))
            slot = schedule.slot(interval_s, offset, shard)
        if slot != target.get("slot", {}).get("S"):
            found.write("targets given their slot in the schedule", [_move(found, target, slot)])
    return intervals


def _move(found: _Repair, target: Item, slot: str | None) -> Item:
    request = _unchanged(found, target)["ConditionCheck"]
    request["UpdateExpression"] = "SET slot = :slot" if slot else "REMOVE slot"
    if slot:
        request["ExpressionAttributeValues"][":slot"] = {"S": slot}
    return {"Update": request}


def _unchanged(found: _Repair, target: Item) -> Item:
    """The condition that a target has not changed since it was read."""
    return {
        "ConditionCheck": {
            "TableName": f"{found.prefix}targets",
            "Key": {name: target[name] for name in ("owner", "target_id")},
            "ConditionExpression": "version = :version",
            "ExpressionAttributeValues": {":version": target["version"]},
        }
    }


def _repair_schedule(found: _Repair, intervals: dict[int, set[int]]) -> None:
    """Add the intervals and shards in use; for the system scope.

    After a repair the current minutes are planned again. This does no harm: the worker finds the
    results of messages that are sent twice.
    """
    if intervals and max(intervals) >= store.read_shards():
        store.open_shard(max(intervals))
        found.done["shards opened"] += 1
    must_plan = bool(found.done)
    minute = found.now // _MINUTE_S * _MINUTE_S
    for shard in range(store.read_shards()):
        cursor = store.read_cursor(shard)
        missing = intervals[shard] - cursor.intervals
        for interval_s in missing:
            store.use_interval(interval_s, shard)
        found.done["intervals added to the schedule"] += len(missing)
        if (missing or must_plan) and (cursor.planned_until or 0) > minute:
            store.advance_cursor(cursor, minute, cursor.ticked_at or 0, shard)
    found.done += Counter()  # without zeros


def _index_deliveries(found: _Repair) -> None:
    """Add waiting deliveries to the index that finds overdue ones."""
    items = scan(
        found.client,
        f"{found.prefix}deliveries",
        FilterExpression="#status = :waiting AND attribute_not_exists(waiting)",
        ExpressionAttributeNames={"#status": "status"},
        ExpressionAttributeValues={":waiting": {"S": "waiting"}},
    )
    for item in items:
        owner = item["owner"]["S"]
        with acting_for(owner):
            delivery = Deliveries(owner).get(item["key"]["S"])
            if delivery and Deliveries(owner).index(delivery):
                found.done["waiting deliveries indexed"] += 1


def _counters(found: _Repair) -> dict[str, Item]:
    """The usage counters of every owner. They are read first, so that later changes show."""
    items = scan(
        found.client,
        f"{found.prefix}users",
        FilterExpression="#key = :usage",
        ExpressionAttributeNames={"#key": "key"},
        ExpressionAttributeValues={":usage": {"S": "usage"}},
    )
    return {item["owner"]["S"]: item for item in items}


def _repair_counters(found: _Repair, used: dict[str, Item], targets: list[Item]) -> None:
    """Correct the owners' numbers of targets, unless they have changed since they were read."""
    counts = Counter(target["owner"]["S"] for target in targets)
    for owner, item in used.items():
        if int(item.get("targets", {"N": "0"})["N"]) == counts[owner]:
            continue
        update = {
            "TableName": f"{found.prefix}users",
            "Key": {name: item[name] for name in ("owner", "key")},
            "UpdateExpression": "SET #targets = :count",
            "ConditionExpression": "#targets = :before",
            "ExpressionAttributeNames": {"#targets": "targets"},
            "ExpressionAttributeValues": {
                ":count": {"N": str(counts[owner])},
                ":before": item.get("targets", {"N": "0"}),
            },
        }
        found.write("counters of targets corrected", [{"Update": update}])


def _lane_number(target: Item) -> int:
    return int(target["lane"]["S"].rpartition("#")[2])


def _spec(target: Item) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(target["spec"]["S"])
    return parsed
