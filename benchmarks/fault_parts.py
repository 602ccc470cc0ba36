"""What stands for the outside in benchmarks.faults: a clock, SQS, targets and a receiver."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from chalicelib.domain.results import CheckResult, Reason, Timings, Verdict
from chalicelib.outbound import Answer

START = 1_795_000_020
_UP = CheckResult(Verdict.UP, status_code=200, timings=Timings(1, 2, 3, 4, 5))
_DOWN = CheckResult(Verdict.DOWN, Reason.STATUS, 503, Timings(1, 2, 3, 4, 5), "got 503")


@dataclass
class Clock:
    time: float = START

    def __call__(self) -> float:
        return self.time


@dataclass
class Sent:
    """Stands between SQS and the functions: what was sent, and from when it is visible."""

    clock: Clock
    waiting: list[tuple[float, int, str]] = field(default_factory=list)
    count: int = 0

    def put(self, body: str, delay_s: float) -> None:
        self.count += 1
        self.waiting.append((self.clock() + delay_s, self.count, body))

    def take(self) -> list[str]:
        due = sorted(one for one in self.waiting if one[0] <= self.clock())
        self.waiting = [one for one in self.waiting if one[0] > self.clock()]
        return [body for _, _, body in due]


class Tap:
    """An SQS client that also hands what it sends to the stage's own queue."""

    def __init__(self, client: Any, sent: Sent) -> None:
        self.client, self.sent = client, sent
        client.meta.events.register("provide-client-params.sqs", self._see)
        client.meta.events.register_first("after-call.sqs", self._sent)
        self.entries: list[Any] = []

    def _see(self, params: Mapping[str, Any], **_: object) -> None:
        self.entries = list(params["Entries"])

    def _sent(self, **_: object) -> None:
        for entry in self.entries:
            self.sent.put(entry["MessageBody"], entry["DelaySeconds"])


@dataclass
class Checker:
    clock: Clock
    script: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    tick: int = 0

    def check_lanes(self, lanes: Mapping[int, Any], **_: Any) -> Iterator[tuple[int, Any]]:
        for number, specs in lanes.items():
            yield number, {spec.place: self._result(spec.target_id) for spec in specs}

    def _result(self, target_id: str) -> CheckResult:
        spans = self.script.get(target_id, [])
        return _DOWN if any(a <= self.tick - START < b for a, b in spans) else _UP


@dataclass
class Receiver:
    got: list[tuple[str, str, str]] = field(default_factory=list)

    def post(self, url: str, body: bytes, headers: Mapping[str, str], **_: Any) -> Answer:
        told = json.loads(body)
        for target in told["data"]["targets"]:
            what = f"{told['type']} {target['name']} {target['status']}"
            self.got.append((url, what, headers["webhook-id"]))
        return Answer(204, b"", 1)
