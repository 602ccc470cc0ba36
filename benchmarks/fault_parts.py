"""What stands for the outside in benchmarks.faults: a clock, SQS, targets, receivers and death."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import requests

from chalicelib.monitoring.result import CheckResult, Reason, Timings, Verdict
from chalicelib.probes.net.outbound import OutboundResponse

START = 1_795_000_020
_UP = CheckResult(Verdict.UP, status_code=200, timings=Timings(1, 2, 3, 4, 5))
_DOWN = CheckResult(Verdict.DOWN, Reason.STATUS, 503, Timings(1, 2, 3, 4, 5), "got 503")


class Death(BaseException):
    """The end of a process: nothing of ours catches it."""


@dataclass
class Clock:
    time: float = START

    def __call__(self) -> float:
        return self.time


@dataclass
class Sent:
    """Stands between SQS and the functions: what was sent, and from when it is visible."""

    clock: Clock
    lag: Callable[[int], float] = lambda _: 0
    waiting: list[tuple[float, int, str]] = field(default_factory=list)
    count: int = 0

    def put(self, body: str, delay_s: float) -> None:
        self.count += 1
        at = self.clock() + delay_s + self.lag(self.count)
        self.waiting.append((at, self.count, body))

    def take(self) -> list[str]:
        due = sorted(one for one in self.waiting if one[0] <= self.clock())
        self.waiting = [one for one in self.waiting if one[0] > self.clock()]
        return [body for _, _, body in due]


def tap_queue(client: Any, sent: Sent) -> None:
    """Have the SQS client hand what it has sent to the stage's own queue as well."""
    entries: list[Any] = []

    def asked(params: Mapping[str, Any], **_: object) -> None:
        entries[:] = params["Entries"]

    def answered(**_: object) -> None:
        for entry in entries:
            sent.put(entry["MessageBody"], entry["DelaySeconds"])

    client.meta.events.register("provide-client-params.sqs.SendMessageBatch", asked)
    client.meta.events.register("after-call.sqs.SendMessageBatch", answered)


class Serial:
    """Stands for a pool of threads: a life is to die at one point, in one thread."""

    def __init__(self, *_: object, **__: object) -> None: ...

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None: ...

    def map(self, act: Callable[[Any], Any], given: Iterable[Any]) -> Iterator[Any]:
        return map(act, given)


@dataclass
class Checker:
    """Answers by script: when a target is down, in seconds of the story."""

    script: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    ticks: list[int] = field(default_factory=list)

    def check_lanes(self, lanes: Mapping[int, Any], **_: Any) -> Iterator[tuple[int, Any]]:
        for number, specs in lanes.items():
            at = self.ticks[number] - START
            yield number, {spec.place: self._result(spec.target_id, at) for spec in specs}

    def _result(self, target_id: str, at: int) -> CheckResult:
        return _DOWN if any(a <= at < b for a, b in self.script.get(target_id, [])) else _UP


@dataclass
class Receiver:
    """Takes webhooks, mails and what goes to chat services: `(where, what, id)`, the id where one
    is sent that the receiver can tell doubles by.
    """

    got: list[tuple[str, str, str | None]] = field(default_factory=list)
    max_redirects: int = 0

    def post(self, url: str, body: bytes, headers: Mapping[str, str], **_: Any) -> OutboundResponse:
        told = json.loads(body)
        for target in told["data"]["targets"]:
            what = f"{told['type']} {target['name']} {target['status']}"
            self.got.append((url, what, headers["webhook-id"]))
        return OutboundResponse(204, b"", 1)

    def session(self) -> Self:
        return self

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None: ...

    def request(self, _: str, url: str, **options: Any) -> requests.Response:
        self.got.append((url, json.loads(options["data"])["title"], None))
        response = requests.Response()
        response.status_code, response._content = 200, b"{}"  # noqa: SLF001 - as an answer has it
        return response

    def tap_mails(self, client: Any) -> None:
        """See what SES has taken."""
        asked: list[Any] = []

        def noted(params: Mapping[str, Any], **_: object) -> None:
            asked[:] = [params]

        def taken(**_: object) -> None:
            (mail,) = asked
            simple = mail["Content"]["Simple"]
            ids = [one["Value"] for one in simple["Headers"] if one["Name"] == "X-Entity-Ref-ID"]
            to = mail["Destination"]["ToAddresses"][0]
            self.got.append((to, simple["Subject"]["Data"], ids[0]))

        client.meta.events.register("provide-client-params.sesv2.SendEmail", noted)
        client.meta.events.register("after-call.sesv2.SendEmail", taken)
