"""Answers as DynamoDB would, of a year's history of so many targets that is made up as it is read.

Every lane has the same history, so that an answer is put together once: only what is read of it is
to be measured, in another process.
"""

import json
import random
import sys
import time
from base64 import b64encode
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

from chalicelib.history.rollups.repository import Period, Rollup
from chalicelib.history.rollups.rollup import DAY_S, Segment, roll_up
from chalicelib.monitoring.check_spec import CheckSpec
from chalicelib.monitoring.result import CheckResult, Sample, Timings, Verdict
from chalicelib.monitoring.storage.result_codec import pack
from chalicelib.monitoring.storage.target_repository import _item
from chalicelib.monitoring.target import Target

OWNER: Final = "0190c1de-0000-7000-8000-000000000001"
LANE: Final = 50
START: Final = 1_795_000_020 // 60 * 60
_CALL_S: Final = 0.005
_EXPIRES: Final = {"N": str(START + 5_000 * DAY_S)}
_OFFSET: Final = 17
"""The second of the minute in which the lanes are checked."""
_chance = random.Random(7)
_MEDIANS: Final = [_chance.uniform(4, 6.5) for _ in range(LANE)]


def _samples(place: int, start: int, length_s: int) -> list[Sample]:
    """Some response times around the target's own; one target in fifty is down for good."""
    verdict = 1 if place == LANE - 1 else 0
    return [
        Sample(tick, tick + 60, verdict, int(_chance.lognormvariate(_MEDIANS[place], 0.3)))
        for tick in range(start + _OFFSET, start + length_s, 60)
    ]


@cache
def _pieces(length_s: int) -> list[dict[int, Segment]]:
    """A few days or hours, from 0 on, that all others are like."""
    return [
        {
            place: segment
            for place in range(LANE)
            if (segment := roll_up(_samples(place, 0, length_s)))
        }
        for _ in range(2)
    ]


def _moved(segment: Segment, start: int) -> Segment:
    first, last, until = segment.first + start, segment.last + start, segment.until + start
    return Segment(
        first, last, until, segment.ends, segment.counts, segment.seconds, segment.latency
    )


def _rollup(period: Period, start: int) -> dict[str, Any]:
    segments = _pieces(period.seconds)[start // period.seconds % 2]
    rollup = Rollup.of(start, {place: _moved(one, start) for place, one in segments.items()}, 60)
    return {
        "lane_month": {"S": f"{OWNER}#100#202611"},
        "period": {"S": f"{period}#{start:010d}"},
        "pieces": {"B": b64encode(rollup.packed).decode()},
        "together": {"B": b64encode(rollup.summary).decode()},
        "results": {"N": "60"},
        "expires": _EXPIRES,
    }


def _result(tick: int) -> dict[str, Any]:
    found = {
        place: CheckResult(
            Verdict.DOWN if place == LANE - 1 else Verdict.UP, timings=Timings(1, 2, 3, 100, 1)
        )
        for place in range(LANE)
    }
    return {
        "lane_day": {"S": f"{OWNER}#100#20261118"},
        "check": {"S": f"{tick:010d}#us-east-1"},
        "results": {"B": b64encode(pack(found, dict.fromkeys(found, 60))).decode()},
        "expires": _EXPIRES,
    }


@cache
def _history(table: str, first: str, last: str, wanted: frozenset[str]) -> bytes:
    """The answer to a query between two sort keys, with the attributes that are wanted."""
    if table == "rollups":
        period = Period(first.partition("#")[0])
        start, end = (int(key.partition("#")[2]) for key in (first, last))
        begin = -(-start // period.seconds) * period.seconds
        found = [_rollup(period, at) for at in range(begin, end + 1, period.seconds)]
        return _answer([{k: item[k] for k in item if k in (wanted or item)} for item in found])
    start, end = int(first[:10]), int(last[:10])
    begin = start + (_OFFSET - start) % 60
    return _answer([_result(tick) for tick in range(begin, end, 60)])


def _answer(items: list[dict[str, Any]], last: dict[str, Any] | None = None) -> bytes:
    more = {"LastEvaluatedKey": last} if last else {}
    count = len(items)
    return json.dumps({"Items": items, "Count": count, "ScannedCount": count, **more}).encode()


@cache
def _target(number: int) -> dict[str, Any]:
    spec = CheckSpec(
        target_id=f"0190c1de-0000-7000-8000-{number:012x}",
        place=number % LANE,
        kind="http",
        interval_s=60,
        timeout_s=10,
        failure_threshold=2,
        recovery_threshold=1,
        config={"url": f"https://shop-{number}.example/a-path-of-usual-length"},
        expect={"status_codes": ["200-299"]},
    )
    made = START - 800 * DAY_S
    target = Target(
        owner=OWNER,
        spec=spec,
        lane=number // LANE,
        name=f"Target {number}",
        tags=("prod", "shop"),
        created_at=made,
        updated_at=made,
    )
    return dict(_item(target).serialize())


def _targets(count: int, asked: dict[str, Any]) -> bytes:
    key = asked.get("ExclusiveStartKey")
    start = int(key["target_id"]["S"][-12:], 16) + 1 if key else 0
    end = min(count, start + asked["Limit"])
    items = [_target(number) for number in range(start, end)]
    last = {"owner": {"S": OWNER}, "target_id": items[-1]["target_id"]} if end < count else None
    return _answer(items, last)


class Handler(BaseHTTPRequestHandler):
    """Takes queries; every table but those of the history and the targets is empty."""

    protocol_version = "HTTP/1.1"
    count = 0

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        started = time.perf_counter()
        body = self._body(asked)
        time.sleep(max(0.0, started + _CALL_S - time.perf_counter()))
        self.send_response(200)
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _body(self, asked: dict[str, Any]) -> bytes:
        table = asked["TableName"].rpartition("-")[2]
        if table == "targets":
            return _targets(self.count, asked)
        if table not in ("rollups", "results"):
            return _answer([])
        values = sorted(value["S"] for value in asked["ExpressionAttributeValues"].values())
        first, last = (value for value in values if not value.startswith(OWNER))
        wanted = frozenset(
            name
            for short, name in asked["ExpressionAttributeNames"].items()
            if short in asked.get("ProjectionExpression", "").split(", ")
        )
        return _history(table, first, last, wanted)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def main() -> None:
    Handler.count = int(sys.argv[1])
    for period in Period:
        _pieces(period.seconds)
    ThreadingHTTPServer.request_queue_size = 64
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(server.server_port, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
