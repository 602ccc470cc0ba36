"""The stage for benchmarks.faults: the functions on moto, queues that deliver again, receivers."""

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO
from itertools import count
from typing import Any
from unittest.mock import patch

from botocore.client import BaseClient
from moto import mock_aws
from moto.backends import get_backend
from moto.core.serialize import AttributePicker, AttributePickerContext

from benchmarks.fault_parts import START, Checker, Clock, Death, Receiver, Sent, Serial, tap_queue
from chalicelib.alerting import handler as alerting_handler
from chalicelib.alerting.notifiers.ses import Mailer
from chalicelib.aws import dynamodb
from chalicelib.aws.sqs import Queue
from chalicelib.common.ids import new_id
from chalicelib.common.settings import Settings
from chalicelib.runtime import Runtime
from chalicelib.worker import handler as worker_handler
from chalicelib.worker import scheduler
from ops import resources

_VISIBILITY_S = 10
"""Shorter than the interval of the targets: a check that comes again later than that is dropped."""
_SENDER = "monitum@ours.example"
_ENV = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_REGION": "us-east-1",
    "STAGE": "local",
    "MAIL_FROM": _SENDER,
}
_QUEUES = ("checks", "alerts", "alerts_dead")
Shuffle = Callable[[list[Any]], list[Any]]


class Stage:
    """Functions that run on moto, die and are run again."""

    def __init__(self, env: Mapping[str, str]) -> None:
        settings = Settings.from_env(env)
        dynamodb.bind(settings)
        self.clock = Clock()
        self.runtime = Runtime(settings, self.clock)
        self.receiver, self.checker = Receiver(), Checker()
        self.queues = {name: self._queue(name) for name in _QUEUES}
        self.runtime.__dict__.update(
            outbound=self.receiver, checker=self.checker, mailer=self._mailer()
        )
        self.owner = new_id(START)
        self.has_died = False

    def _queue(self, name: str) -> Sent:
        queue = Queue.connect(getattr(self.runtime.settings, f"{name}_queue_url"), "us-east-1")
        self.runtime.__dict__[name] = queue
        sent = Sent(self.clock)
        tap_queue(queue._client, sent)  # noqa: SLF001 - to see what is sent
        return sent

    def _mailer(self) -> Mailer:
        mailer = Mailer.connect("us-east-1", _SENDER)
        mailer._client.create_email_identity(EmailIdentity=_SENDER)  # noqa: SLF001 - as above
        self.receiver.tap_mails(mailer._client)  # noqa: SLF001 - as above
        return mailer

    def invoke(self, asked: Mapping[str, Any]) -> Mapping[str, Any]:
        """What Lambda does for `alert`: runs the function for chat services, which may die."""
        answer: dict[str, Any] = {}
        assert asked["FunctionName"].endswith("-notify")
        records = json.loads(asked["Payload"])["Records"]
        if not self.survive(
            lambda: answer.update(alerting_handler.handle_notices(self.runtime, records))
        ):
            return {"FunctionError": "Unhandled"}
        return {"Payload": BytesIO(json.dumps(answer).encode())}

    def tick(self) -> None:
        scheduler.run_tick(self.runtime)

    def survive(self, act: Callable[[], object]) -> bool:
        """Whether `act` came to its end."""
        try:
            act()
        except Death:
            self.has_died = True
            return False
        return True

    def mark(self) -> str:
        """All that is stored, under way and received, as one value to compare."""
        backend = get_backend("dynamodb")["123456789012"]["us-east-1"]
        items = sorted(
            json.dumps(item.to_json()["Attributes"], sort_keys=True, default=repr)
            for table in backend.tables.values()
            for item in table.all_items()
        )
        waiting = [
            [(at, body) for at, _, body in sorted(queue.waiting)] for queue in self.queues.values()
        ]
        everything = repr((items, waiting, sorted(set(self.receiver.got), key=repr)))
        return hashlib.sha256(everything.encode()).hexdigest()

    def pump(self, shuffle: Shuffle) -> None:
        """Hand out what is visible; what failed or died is visible again later."""
        for name, handle in (
            ("checks", worker_handler.handle_checks),
            ("alerts", alerting_handler.handle_alerts),
        ):
            for _ in range(20):
                bodies = self.queues[name].take()
                if not bodies:
                    break
                self._invoke(name, handle, shuffle(bodies))

    def _invoke(self, name: str, handle: Callable[..., Any], bodies: list[str]) -> None:
        for start in range(0, len(bodies), 10):
            batch = bodies[start : start + 10]
            records = [
                {
                    "messageId": str(n),
                    "body": body,
                    "receiptHandle": str(n),
                    "attributes": {"ApproximateReceiveCount": "1"},
                }
                for n, body in enumerate(batch)
            ]
            if name == "checks":
                self.checker.ticks = [json.loads(body)["tick"] for body in batch]
            try:
                answer = handle(self.runtime, records)
                failed = {int(one["itemIdentifier"]) for one in answer["batchItemFailures"]}
            except Death:
                self.has_died = True
                failed = set(range(len(batch)))
            for number in failed:
                self.queues[name].put(batch[number], _VISIBILITY_S)


@contextmanager
def stage() -> Iterator[Stage]:
    """Empty tables and queues, ids and chances that are the same in every life."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    with patch.dict(os.environ, {**kept, **_ENV}, clear=True), mock_aws():
        numbers = count(1)
        with (
            patch("chalicelib.common.ids.secrets.randbits", lambda _: next(numbers)),
            patch("chalicelib.monitoring.lane.secrets.choice", min),
            patch("random.random", float),
            patch.object(alerting_handler, "ThreadPoolExecutor", Serial),
            patch.object(AttributePicker, "__call__", _picked),
        ):
            found = Stage({**_ENV, **resources.create("monitum-faults-")})
            with _lambda(found):
                yield found


@contextmanager
def _lambda(found: Stage) -> Iterator[None]:
    """Have the stage run the functions that others call."""
    call = BaseClient._make_api_call  # noqa: SLF001 - where all calls of botocore pass

    def called(client: BaseClient, name: str, asked: Any) -> Any:
        return found.invoke(asked) if name == "Invoke" else call(client, name, asked)

    with patch.object(BaseClient, "_make_api_call", called):
        yield


_PICK = AttributePicker.__call__


def _picked(picker: AttributePicker, context: AttributePickerContext) -> Any:
    """What moto shows under a name; it would look for each kind of a value under a dozen others,
    which takes half of its time.
    """
    value = context.obj
    if type(value) is dict and value.keys() <= _KINDS:
        return value.get(context.key)
    return _PICK(picker, context)


_KINDS = {"S", "N", "B", "SS", "NS", "BS", "M", "L", "NULL", "BOOL"}
