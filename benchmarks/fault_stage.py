"""The stage for benchmarks.faults: moto, queues that deliver again, a receiver, and a story."""

import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import count
from typing import Any
from unittest.mock import patch

from moto import mock_aws

from benchmarks.fault_parts import START, Checker, Clock, Receiver, Sent, Tap
from chalicelib.domain.channels import ChannelKind
from chalicelib.domain.errors import NotFoundError
from chalicelib.domain.ids import new_id
from chalicelib.ops import resources
from chalicelib.services import alerting, channels, messages, scheduling, targets
from chalicelib.services.channels import ChannelDraft
from chalicelib.services.drafts import Draft
from chalicelib.services.runtime import Runtime
from chalicelib.settings import Settings
from chalicelib.store import base
from chalicelib.store.incidents import Incidents
from chalicelib.store.lanes import Lanes
from chalicelib.store.queues import Queue
from chalicelib.store.results import Results
from chalicelib.store.tripwire import acting_for

_VISIBILITY_S = 10
"""Shorter than the interval of the targets: a check that comes again later than that is dropped."""
_ENV = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_REGION": "us-east-1",
    "STAGE": "local",
}
Outcome = dict[str, Any]


class Stage:
    """Functions that run on moto, die and are run again."""

    def __init__(self, env: Mapping[str, str], death: type[BaseException]) -> None:
        settings = Settings.from_env(env)
        base.bind(settings)
        self.death = death
        self.clock = Clock()
        self.runtime = Runtime(settings, self.clock)
        self.receiver, self.checker = Receiver(), Checker(self.clock)
        self.queues = {name: Sent(self.clock) for name in ("checks", "alerts", "dead")}
        self.taps = [self._tap(name, queue) for name, queue in self.queues.items()]
        self.runtime.__dict__.update(outbound=self.receiver, checker=self.checker)
        self.owner = new_id(START)
        self.targets: dict[str, Any] = {}

    def _tap(self, name: str, sent: Sent) -> Tap:
        urls = self.runtime.settings
        url = {
            "checks": urls.checks_queue_url,
            "alerts": urls.alerts_queue_url,
            "dead": urls.alerts_dead_queue_url,
        }[name]
        queue = Queue.connect(url, "us-east-1")
        self.runtime.__dict__["alerts_dead" if name == "dead" else name] = queue
        return Tap(queue._client, sent)  # noqa: SLF001 - to see what is sent

    @property
    def clients(self) -> list[Any]:
        return [base.connection().client, *(tap.client for tap in self.taps)]

    def live(self, shuffle: Callable[[list[Any]], list[Any]] | None) -> Outcome:
        """The story: targets fail together and alone, recover, are paused and deleted."""
        ticks = set(range(0, 360, 60))
        for second in range(0, 700, 10):
            self.clock.time = START + second
            if second in ticks and not self._survive(self._tick):
                # EventBridge tries an event again.
                ticks.add(second + 10)
            if second == 200:
                self._owner_acts()
            self._pump(shuffle)
        return self._outcome()

    def furnish(self) -> None:
        """Give the owner a channel and targets, two of which are to fail together."""
        with acting_for(self.owner):
            self._furnish()

    def _furnish(self) -> None:
        hook = ChannelDraft(
            name="Hook", kind=ChannelKind.WEBHOOK, url="https://hooks.example/", delay_s=0
        )
        channels.create(self.runtime, self.owner, hook)
        spans = {"a": [(60, 130)], "b": [(60, 130)], "paused": [(90, 400)], "deleted": [(90, 400)]}
        for name in (*spans, "well"):
            draft = Draft(
                name=name,
                kind="http",
                interval_s=30,
                timeout_s=10,
                failure_threshold=1,
                recovery_threshold=1,
                config={"url": f"https://{name}.example/"},
                expect={},
            )
            made = targets.create(self.runtime, self.owner, draft)
            self.targets[name] = made
            self.checker.script[made.id] = spans.get(name, [])

    def _tick(self) -> None:
        scheduling.run_tick(self.runtime)

    def _owner_acts(self) -> None:
        """What the owner does through the API, who tries again when it fails."""
        paused, deleted = self.targets["paused"].id, self.targets["deleted"].id
        with acting_for(self.owner):
            self._persist(lambda: targets.switch(self.runtime, self.owner, paused, enabled=False))
            self._persist(lambda: targets.remove(self.runtime, self.owner, deleted, lambda _: None))

    def _persist(self, act: Callable[[], object]) -> None:
        if not self._survive(act):
            try:
                act()
            except NotFoundError:
                return

    def _survive(self, act: Callable[[], object]) -> bool:
        """Whether `act` came to its end."""
        try:
            act()
        except self.death:
            return False
        return True

    def _pump(self, shuffle: Callable[[list[Any]], list[Any]] | None) -> None:
        """Hand out what is visible; what failed or died is visible again later."""
        for name, handle in (
            ("checks", messages.handle_checks),
            ("alerts", alerting.handle_alerts),
        ):
            for _ in range(20):
                bodies = self.queues[name].take()
                if not bodies:
                    break
                self._invoke(name, handle, shuffle(bodies) if shuffle else bodies)

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
                self.checker.tick = json.loads(batch[0])["tick"]
            try:
                answer = handle(self.runtime, records)
                failed = {int(one["itemIdentifier"]) for one in answer["batchItemFailures"]}
            except self.death:
                failed = set(range(len(batch)))
            for number in failed:
                self.queues[name].put(batch[number], _VISIBILITY_S)

    def _outcome(self) -> Outcome:
        names = {made.id: name for name, made in self.targets.items()}
        with acting_for(self.owner):
            lanes = Lanes(self.owner).all()
            states = {
                names[seat.target_id]: seat.state.to_list()
                for lane in lanes
                for seat in lane.places.values()
            }
            incidents = sorted(
                (names[one.target_id], one.opened_at, one.closed_at, one.ended_as, one.cause)
                for one in Incidents(self.owner).newest_first()
            )
            results = self._results()
        return {
            "states": states,
            "outboxes": [lane.outbox for lane in lanes if lane.outbox],
            "incidents": incidents,
            "results": results,
            "alerts": sorted({(url, what) for url, what, _ in self.receiver.got}),
            "doubles": _doubles(self.receiver.got),
            "dead": len(self.queues["dead"].waiting),
        }

    def _results(self) -> list[Any]:
        stored = Results(self.owner).newest_first(0, START, START + 1_000, now=START)
        return sorted(
            (found.tick, place, result.verdict)
            for found in stored
            for place, result in found.by_place.items()
        )


def _doubles(got: list[tuple[str, str, str]]) -> list[str]:
    """What was told under more than one id: the receiver could not tell that it is the same."""
    ids: dict[str, set[str]] = {}
    for _, what, identifier in got:
        ids.setdefault(what, set()).add(identifier)
    return [what for what, found in ids.items() if len(found) > 1]


def difference(wanted: Outcome, got: Outcome) -> str:
    """Which parts of two outcomes differ, and how; empty if none does."""
    parts = [name for name in wanted if wanted[name] != got[name]]
    return "; ".join(f"{name}: {wanted[name]} became {got[name]}" for name in parts)


@contextmanager
def stage(death: type[BaseException]) -> Iterator[Stage]:
    """Empty tables and queues, ids and chances that are the same in every life."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    with patch.dict(os.environ, {**kept, **_ENV}, clear=True), mock_aws():
        env = {**_ENV, **resources.create("monitum-faults-")}
        numbers = count(1)
        with (
            patch("chalicelib.domain.ids.secrets.randbits", lambda _: next(numbers)),
            patch("chalicelib.domain.lanes.secrets.choice", min),
            patch("random.random", float),
        ):
            yield Stage(env, death)
