"""Targets of many owners with mixed intervals, as the API would have stored them."""

import json
from collections.abc import Iterator
from typing import Any

from benchmarks.simulated import Dynamo
from chalicelib.monitoring import schedule
from chalicelib.monitoring.check_spec import CheckSpec
from chalicelib.monitoring.storage.lane_repository import lane_key
from chalicelib.monitoring.target import LANE_SIZE
from chalicelib.worker.scheduler import SHARD_TARGETS

MIXED = (60, 60, 60, 60, 60, 60, 30, 300, 300, 3_600)
EVERY_MINUTE = (60,)


def populate(dynamo: Dynamo, count: int, intervals: tuple[int, ...], now: int) -> int:
    """Load so many targets with their lanes; returns the number of shards that they fill.

    Every tenth target of a lane has an interval of its own. The shards are those that the schedule
    would have opened as the targets came, one when the one before was full.
    """
    used: dict[int, set[int]] = {}
    per_minute = 0.0
    shard = 0
    for number, (owner, lane, size) in enumerate(_lanes(count)):
        interval_s = intervals[number % len(intervals)]
        offset = schedule.offset(owner, lane)
        places = {}
        for place in range(size):
            own = intervals[place % len(intervals)] if place % 10 == 9 else interval_s
            spec = _spec(number, place, own)
            used.setdefault(shard, set()).add(own)
            per_minute += 60 / own
            slot = schedule.slot(own, offset, shard)
            dynamo.load_due(slot, due_item(owner, lane, slot, spec))
            places[str(place)] = _seat(spec.target_id, now)
        dynamo.load("lanes", lane_item(owner, lane, shard, places))
        if per_minute >= SHARD_TARGETS:
            shard, per_minute = shard + 1, 0.0
    shards = max(used) + 1
    for each, found in used.items():
        dynamo.load("system", schedule_item(each, found, shards))
    return shards


def _lanes(count: int) -> Iterator[tuple[str, int, int]]:
    """Owners with one lane, ten or forty, until there are enough targets."""
    left, owner = count, 0
    while left > 0:
        for lane in range((1, 1, 1, 10, 40)[owner % 5]):
            if left <= 0:
                return
            yield f"0190c1de-0000-7000-8000-{owner:012x}", lane, min(LANE_SIZE, left)
            left -= LANE_SIZE
        owner += 1


def _spec(lane: int, place: int, interval_s: int) -> CheckSpec:
    return CheckSpec(
        target_id=f"0190c1de-{lane & 0xFFFF:04x}-7{place:03x}-8000-{lane:012x}",
        place=place,
        kind="http",
        interval_s=interval_s,
        timeout_s=10,
        failure_threshold=2,
        recovery_threshold=1,
        config={"url": f"https://shop-{lane}.example/a-path-of-usual-length/{place}"},
        expect={"status_codes": ["200-299"]},
    )


def due_item(owner: str, lane: int, slot: str, spec: CheckSpec) -> dict[str, Any]:
    """A target as the index `due` has it."""
    return {
        "owner": {"S": owner},
        "target_id": {"S": spec.target_id},
        "slot": {"S": slot},
        "lane": {"S": f"{owner}#{lane}"},
        "spec": {"S": json.dumps(spec.to_message())},
    }


def lane_item(owner: str, lane: int, shard: int, places: dict[str, Any]) -> dict[str, Any]:
    return {
        "owner": {"S": owner},
        "key": {"S": lane_key(lane)},
        "version": {"N": "7"},
        "shard": {"S": str(shard)},
        "places": {"M": places},
    }


def schedule_item(shard: int, intervals: set[int], shards: int) -> dict[str, Any]:
    return {
        "name": {"S": f"schedule:{shard}" if shard else "schedule"},
        "intervals": {"SS": [str(interval_s) for interval_s in sorted(intervals)]},
        "shards": {"N": str(shards)},
    }


def is_dead(target_id: str) -> bool:
    """One target in a hundred times out at every check."""
    return int(target_id[15:18], 16) * 7 % 100 == int(target_id[-6:], 16) % 100


def is_slow(target_id: str) -> bool:
    """Three in a hundred take some seconds."""
    return int(target_id[15:18], 16) * 7 % 100 in {
        (int(target_id[-6:], 16) + more) % 100 for more in (1, 2, 3)
    }


def _seat(target_id: str, now: int) -> dict[str, Any]:
    """A place in the steady state: UP, or DOWN for long."""
    since = str(now - 90_000)
    if not is_dead(target_id):
        return {"L": [{"S": target_id}, {"S": "UP"}, {"N": since}, {"N": since}]}
    rest = [{"N": since}, {"N": since}, {"N": "2"}, {"N": "0"}, {"N": "0"}, {"N": since}]
    return {"L": [{"S": target_id}, {"S": "DOWN"}, *rest, {"N": since}]}
