"""A test stage: AWS on moto, with a manual clock and fake queues, functions and checker."""

import json
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from chalice.app import Chalice
from chalice.test import HTTPResponse

from chalicelib.alerting import handler as alerting_handler
from chalicelib.api.dispatch import attach
from chalicelib.api.route_index import operations
from chalicelib.aws import dynamodb
from chalicelib.aws.sqs import Message
from chalicelib.aws.tenancy import acting_as_system
from chalicelib.common.settings import Settings
from chalicelib.history import background_handler
from chalicelib.history import dispatch as rollups_dispatch
from chalicelib.monitoring.check_spec import CheckSpec
from chalicelib.monitoring.result import CheckResult, Reason, Timings, Verdict
from chalicelib.runtime import Runtime
from chalicelib.users import service as users_service
from chalicelib.worker import handler as worker_handler
from chalicelib.worker import scheduler
from ops.local.gateway import Gateway
from tests.support.permissions import RECORD
from tests.support.receivers import FakeMailer, FakeOutbound

START = 1_795_000_000
"""The time at which every test starts; not the start of a minute."""
UP = CheckResult(Verdict.UP, status_code=200, timings=Timings(1, 2, 3, 40, 4))
DOWN = CheckResult(Verdict.DOWN, Reason.STATUS, 503, Timings(1, 2, 3, 4, 5), "got 503")
UNKNOWN = CheckResult(Verdict.UNKNOWN, Reason.INTERNAL, error="resolver is down")


@dataclass
class Clock:
    """A clock that the test sets."""

    time: float = START

    def __call__(self) -> float:
        return self.time

    def sleep_until(self, time: float) -> None:
        assert time >= self.time, "time must not go backwards"
        self.time = time


@dataclass
class FakeQueue:
    """An SQS queue: the messages sent, with the times when they become visible."""

    clock: Clock
    name: str = "checks"
    waiting: list[tuple[float, str]] = field(default_factory=list)
    requests: int = 0
    hidden: dict[str, int] = field(default_factory=dict)

    def send(self, sent: Iterator[Message]) -> None:
        self.requests += 1
        RECORD.add("sqs:SendMessage", self.name)
        self.waiting += [(self.clock() + message.delay_s, message.body) for message in sent]

    def hide(self, receipts: Mapping[str, int]) -> None:
        RECORD.add("sqs:ChangeMessageVisibility", self.name)
        self.hidden.update(receipts)

    def count(self) -> int:
        RECORD.add("sqs:GetQueueAttributes", self.name)
        return sum(at <= self.clock() for at, _ in self.waiting)

    @property
    def is_due(self) -> bool:
        return any(at <= self.clock() for at, _ in self.waiting)

    def take(self) -> list[str]:
        """Remove and return the visible bodies."""
        due = [body for at, body in sorted(self.waiting) if at <= self.clock()]
        self.waiting = [(at, body) for at, body in self.waiting if at > self.clock()]
        return due


@dataclass
class FakeTopic:
    """The topic of alarms."""

    confirmed: bool = True

    def has_subscribers(self) -> bool:
        RECORD.add("sns:GetTopicAttributes", "alarms")
        return self.confirmed


@dataclass
class FakeFunctions:
    """Records asynchronous invocations; `answers` responds to synchronous ones."""

    started: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    answers: dict[str, Callable[[dict[str, Any]], Any]] = field(default_factory=dict)

    def start(self, name: str, event: dict[str, Any]) -> None:
        RECORD.add("lambda:InvokeFunction", name)
        self.started.append((name, json.loads(json.dumps(event))))

    def call(self, name: str, event: dict[str, Any]) -> Any:
        RECORD.add("lambda:InvokeFunction", name)
        return self.answers[name](json.loads(json.dumps(event)))

    def take(self, name: str) -> list[dict[str, Any]]:
        """Remove and return the events a function was started with."""
        taken = [event for started, event in self.started if started == name]
        self.started = [one for one in self.started if one[0] != name]
        return taken


@dataclass
class FakeChecker:
    """Returns results from a script by target id, or by the function `judge`; UP by default."""

    script: dict[str, CheckResult] = field(default_factory=dict)
    judge: Callable[[CheckSpec], CheckResult] = lambda _: UP
    seen: list[CheckSpec] = field(default_factory=list)
    before: Callable[[], object] = lambda: None

    def check_lanes(
        self,
        lanes: Mapping[int, Sequence[CheckSpec]],
        *,
        owner: Callable[[int], Hashable],
    ) -> Iterator[tuple[int, dict[int, CheckResult]]]:
        for number, specs in lanes.items():
            assert owner(number)
            with RECORD.working(""):
                self.before()
            self.seen += specs
            yield number, {s.place: self.script.get(s.target_id) or self.judge(s) for s in specs}


class ApiGateway(Gateway):
    """The gateway that sends the id of the API with each request, as AWS does."""

    def _generate_lambda_event(self, *args: Any) -> dict[str, Any]:
        event = super()._generate_lambda_event(*args)
        event["requestContext"]["apiId"] = "a1b2c3"
        return event


API_URL = "https://a1b2c3.execute-api.us-east-1.amazonaws.com/api"


class World:
    """One stage with its API and event handlers."""

    def __init__(self, settings: Settings) -> None:
        dynamodb.bind(settings)
        self.clock = Clock()
        self.queue = FakeQueue(self.clock, "checks")
        self.alerts = FakeQueue(self.clock, "alerts")
        self.dead = FakeQueue(self.clock, "alerts-dead")
        self.checker = FakeChecker()
        self.outbound, self.mailer = FakeOutbound(), FakeMailer()
        self.runtime = Runtime(settings, self.clock)
        self.runtime.__dict__.update(checks=self.queue, alerts=self.alerts, checker=self.checker)
        self.runtime.__dict__.update(outbound=self.outbound, mailer=self.mailer)
        self.functions = FakeFunctions()
        self.runtime.__dict__.update(alerts_dead=self.dead, functions=self.functions)
        self.dead_letters = {
            name: FakeQueue(self.clock, name) for name in ("checks-dead", "rollups-dead")
        }
        self.dead_letters["alerts-dead"] = self.dead
        self.alarm_topic = FakeTopic()
        self.runtime.__dict__.update(dead_letters=self.dead_letters, alarm_topic=self.alarm_topic)
        self.functions.answers["notify"] = lambda event: alerting_handler.handle_notices(
            self.runtime, event["Records"]
        )
        self.app = Chalice("monitum")
        self.app.api.binary_types = []
        attach(self.app, operations(), lambda: self.runtime)
        self.gateway = ApiGateway(self.app)

    def user(self, name: str = "alice", *, admin: bool = False) -> "Person":
        owner, token = users_service.create_user(name, admin=admin)
        return Person(self, owner, token)

    def tick(self) -> scheduler.TickReport:
        """Run the schedule and discard the watchdog's messages."""
        report = scheduler.run_tick(self.runtime)
        self.alerts.waiting = [one for one in self.alerts.waiting if '"watchdog"' not in one[1]]
        return report

    def deliver(
        self, bodies: Sequence[str] | None = None, attributes: Mapping[str, str] | None = None
    ) -> list[str]:
        """Pass the visible messages, or `bodies`, to the worker; returns the bodies that failed."""
        taken = self.queue.take() if bodies is None else list(bodies)
        records = [
            {
                "messageId": str(n),
                "body": body,
                "receiptHandle": f"receipt {n}",
                "attributes": {"ApproximateReceiveCount": "1", **(attributes or {})},
            }
            for n, body in enumerate(taken)
        ]
        response = worker_handler.handle_checks(self.runtime, records)
        return [taken[int(item["itemIdentifier"])] for item in response["batchItemFailures"]]

    def run_rollups(self) -> int:
        """Roll up the hours that have ended; returns the number of failed runs."""
        rollups_dispatch.fan_out(self.runtime)
        self.clock.time += 900
        return sum(self.roll_up(event) for event in self.functions.take("rollup"))

    def roll_up(self, event: dict[str, Any]) -> bool:
        """Run the rollup function for an event; returns whether it failed."""
        try:
            background_handler.run_background(self.runtime, event)
        except background_handler.UnfinishedError:
            return True
        return False

    def process_alerts(self, bodies: Sequence[str] | None = None) -> list[str]:
        """Pass the visible messages, or `bodies`, to `alert`; returns the bodies that failed."""
        taken = self.alerts.take() if bodies is None else list(bodies)
        records = [{"messageId": str(n), "body": body} for n, body in enumerate(taken)]
        response = alerting_handler.handle_alerts(self.runtime, records)
        return [taken[int(item["itemIdentifier"])] for item in response["batchItemFailures"]]

    def run_alerts(self, seconds: int = 0) -> None:
        """Advance the time second by second and process alerts; failed messages are retried."""
        end = self.clock.time + seconds
        again: list[str] = []
        while True:
            again = self.process_alerts(again) if again else []
            while self.alerts.is_due:
                again += self.process_alerts()
            if self.clock.time >= end:
                return
            self.clock.time += 1

    def run(self, seconds: int) -> None:
        """Advance the time second by second: tick each minute, check messages as they appear."""
        end = self.clock.time + seconds
        while self.clock.time < end:
            if self.clock.time % 60 == 0:
                self.tick()
            assert self.deliver() == []
            self.clock.time += 1


@dataclass
class Person:
    """A person who calls the API with a token."""

    world: World
    owner: str
    token: str

    def call(self, method: str, path: str, body: object = None, **headers: str) -> "Reply":
        given = {"Authorization": f"Token {self.token}", "Host": "monitum.test"}
        if body is not None:
            given["Content-Type"] = "application/json"
        given.update({name.replace("_", "-"): value for name, value in headers.items()})
        raw = (
            body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        )
        response = self.world.gateway.handle_request(method, path, given, raw)
        return Reply(HTTPResponse.create_from_dict(response))

    def get(self, path: str, **headers: str) -> "Reply":
        return self.call("GET", path, **headers)

    def post(self, path: str, body: object = None, **headers: str) -> "Reply":
        return self.call("POST", path, body, **headers)

    def patch(self, path: str, body: object, **headers: str) -> "Reply":
        return self.call("PATCH", path, body, **headers)

    def delete(self, path: str, **headers: str) -> "Reply":
        return self.call("DELETE", path, **headers)

    def make_target(self, **fields: Any) -> dict[str, Any]:
        body = {"name": "Shop", "kind": "http", "url": "https://shop.example/", **fields}
        reply = self.post("/v1/targets", body)
        assert reply.status == 201, reply.text
        created: dict[str, Any] = reply.json
        return created


@dataclass
class Reply:
    """A response of the API."""

    response: HTTPResponse

    @property
    def status(self) -> int:
        return int(self.response.status_code)

    @property
    def text(self) -> str:
        return self.response.body.decode()

    @property
    def json(self) -> Any:
        return json.loads(self.text)

    @property
    def headers(self) -> dict[str, str]:
        return {name.lower(): value for name, value in self.response.headers.items()}

    @property
    def fields(self) -> list[str]:
        """The fields named by a problem document, such as `body.url`."""
        return [".".join(map(str, error["loc"])) for error in self.json["errors"]]


def as_system() -> Any:
    """The system scope, for tests that read tables directly."""
    return acting_as_system()
