"""Restores a backup: adds what the stage lacks, and changes nothing that it has."""

import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, Final

from ops.console import Failure
from ops.data.backup import Item, Line, read
from ops.resources import declared
from ops.stages import Stage

_PARALLEL: Final = 10
_CHUNK: Final = 1_000
_TRANSIENT: Final = ("schedule", "watchdog", "probe", "failures")
"""Items of the system table that describe one moment; `repair` rebuilds the schedule."""
LaneKey = tuple[str, str]


@dataclass
class _Plan:
    """The places of the backup that lanes of the stage lack: `{(owner, lane key): {place}}`."""

    missing: dict[LaneKey, set[str]] = field(default_factory=dict)
    conflicts: int = 0


def restore(stage: Stage, file: Path, now: int) -> tuple[int, int]:
    """Write the items that the stage lacks; returns how many were written, and how many it had.

    Lanes are shared by targets: to a lane that exists, the places that it lacks are added.
    Repeating a restore that was interrupted completes it.

    Raises:
        Failure: the file is not a backup, the stage lacks a table, or other targets have taken
            the places of targets in the backup. Nothing has been written.
    """
    client = stage.client("dynamodb")
    try:
        plan = _compare(client, stage, file)
    except client.exceptions.ResourceNotFoundException as error:
        raise Failure("the stage lacks a table of the backup: run make deploy first") from error
    if plan.conflicts:
        raise Failure(
            f"other targets have taken the places of {plan.conflicts} deleted targets of this "
            "backup since, so it can only be restored into an empty stage"
        )
    write = partial(_write, client, stage, _hash_keys(), plan)
    wanted = (line for line in _secrets_first(file) if _is_wanted(line, now))
    written = total = 0
    with ThreadPoolExecutor(_PARALLEL) as pool:
        while chunk := list(islice(wanted, _CHUNK)):
            written += sum(pool.map(write, chunk))
            total += len(chunk)
    return written, total - written


def _secrets_first(file: Path) -> Iterator[Line]:
    """The lines of a backup. Once a lane has a place, its secrets are not added any more."""
    yield from (line for line in read(file) if _kind(line) == "secrets")
    yield from (line for line in read(file) if _kind(line) != "secrets")


def _compare(client: Any, stage: Stage, file: Path) -> _Plan:
    """Read the whole backup, and compare its lanes with those of the stage."""
    plan, tables = _Plan(), set(_hash_keys())
    for line in read(file):
        if line.table not in tables:
            raise Failure(f"the stage lacks the table {line.table} of the backup")
        if _kind(line) != "lane":
            continue
        key = _lane_key(line.item)
        wanted, current = _places(line.item), _places(_get(client, stage, line.item))
        plan.missing[key] = set(wanted) - set(current)
        plan.conflicts += sum(
            _target_id(current[place]) != _target_id(wanted[place])
            for place in set(wanted) & set(current)
        )
    return plan


def _write(client: Any, stage: Stage, keys: Mapping[str, str], plan: _Plan, line: Line) -> bool:
    """Write an item, or parts of it; returns False if there was nothing to write."""
    if line.table == "targets":
        _keep_history(client, stage, line.item)
    is_new = _attempt(
        client,
        client.put_item,
        TableName=f"{stage.stack_name}-{line.table}",
        Item=line.item,
        ConditionExpression="attribute_not_exists(#key)",
        ExpressionAttributeNames={"#key": keys[line.table]},
    )
    if is_new or _kind(line) not in {"lane", "secrets"}:
        return is_new
    lane_key = (line.item["owner"]["S"], line.item["key"]["S"].replace("secrets", "lane"))
    missing = plan.missing.get(lane_key, set()) & set(_places(line.item))
    return sum(_add_place(client, stage, line, place) for place in sorted(missing)) > 0


def _keep_history(client: Any, stage: Stage, target: Item) -> None:
    """Withdraw the request to erase the history of a target that was deleted since the backup."""
    key = {"owner": target["owner"], "key": {"S": f"erase:{target['target_id']['S']}"}}
    client.delete_item(TableName=f"{stage.stack_name}-lanes", Key=key)


def _add_place(client: Any, stage: Stage, line: Line, place: str) -> bool:
    """Add a place to a lane that exists, or to its secrets."""
    # Writes of a lane are conditional on its version.
    version = " ADD #version :one" if _kind(line) == "lane" else ""
    names = {"#places": "places", "#place": place} | ({"#version": "version"} if version else {})
    values = {":value": _places(line.item)[place]} | ({":one": {"N": "1"}} if version else {})
    return _attempt(
        client,
        client.update_item,
        TableName=f"{stage.stack_name}-lanes",
        Key={name: line.item[name] for name in ("owner", "key")},
        UpdateExpression=f"SET #places.#place = :value{version}",
        ConditionExpression="attribute_not_exists(#places.#place)",
        ExpressionAttributeNames=names,
        ExpressionAttributeValues=values,
    )


def _attempt(client: Any, operation: Any, **request: Any) -> bool:
    """Perform a conditional write; returns whether the condition held. Waits if throttled."""
    while True:
        try:
            operation(**request)
        except client.exceptions.ConditionalCheckFailedException:
            return False
        except client.exceptions.ProvisionedThroughputExceededException:
            time.sleep(0.5)
        else:
            return True


def _get(client: Any, stage: Stage, item: Item) -> Item:
    key = {name: item[name] for name in ("owner", "key")}
    table = f"{stage.stack_name}-lanes"
    found: Item = client.get_item(TableName=table, Key=key, ConsistentRead=True).get("Item", {})
    return found


def _is_wanted(line: Line, now: int) -> bool:
    if line.table == "system" and line.item["name"]["S"].partition(":")[0] in _TRANSIENT:
        return False
    return int(line.item.get("expires", {"N": str(now + 1)})["N"]) > now


def _kind(line: Line) -> str:
    """The kind of an item of the table `lanes`, such as `lane` or `secrets`; else empty."""
    return str(line.item["key"]["S"].partition(":")[0]) if line.table == "lanes" else ""


def _lane_key(item: Item) -> LaneKey:
    return item["owner"]["S"], item["key"]["S"]


def _places(item: Item) -> dict[str, Any]:
    found: dict[str, Any] = item.get("places", {"M": {}})["M"]
    return found


def _target_id(place: Mapping[str, Any]) -> str:
    return str(place["L"][0]["S"])


def _hash_keys() -> dict[str, str]:
    """The partition key's name of each table, by the table's name without prefix."""
    return dict(_tables())


def _tables() -> Iterator[tuple[str, str]]:
    for properties in declared("AWS::DynamoDB::Table").values():
        name = properties["TableName"]["Fn::Sub"].partition("-")[2]
        yield name, properties["KeySchema"][0]["AttributeName"]
