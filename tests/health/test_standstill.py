"""GET /healthz, asked regularly, names a part that stands still within three minutes."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from chalicelib.aws.lambda_client import FunctionError
from chalicelib.aws.sqs import SendError
from chalicelib.worker import handler as worker_handler
from chalicelib.worker.scheduler import run_tick
from tests.support.stages import memory_stage
from tests.support.world import FakeQueue, Person, World

EUROPE = "eu-west-1"


class Stage:
    """A stage of one or two regions that runs second by second, and of which parts can stop."""

    def __init__(self, world: World) -> None:
        self.world, self.stopped = world, set[str]()
        self._visitor = Person(world, "", "")
        home = replace(world.runtime.settings, canaries=(("one.example", 443),))
        world.runtime.settings = home
        self.elsewhere = FakeQueue(world.clock, "checks")
        further = {EUROPE: self.elsewhere} if home.further_regions else {}
        world.runtime.__dict__["further_checks"] = further

    def run(self, seconds: int) -> None:
        world = self.world
        for _ in range(seconds):
            if world.clock.time % 60 == 0 and "schedule" not in self.stopped:
                run_tick(world.runtime)
            if "checks" not in self.stopped and world.queue.is_due:
                assert world.deliver() == []
            if EUROPE not in self.stopped and self.elsewhere.is_due:
                self._check_elsewhere()
            if "alerts" not in self.stopped and world.alerts.is_due:
                world.run_alerts()
            world.clock.time += 1

    def _check_elsewhere(self) -> None:
        home = self.world.runtime.settings
        self.world.runtime.settings = replace(home, region=EUROPE)
        records = [{"messageId": "1", "body": body} for body in self.elsewhere.take()]
        worker_handler.handle_checks(self.world.runtime, records)
        self.world.runtime.settings = home

    def health(self) -> tuple[int, list[str]]:
        reply = self._visitor.get("/healthz")
        return reply.status, reply.json["silent"]

    def ask(self, seconds: int, every_s: int) -> list[tuple[int, list[str]]]:
        """Run and ask at regular times; returns the responses."""
        found = []
        for _ in range(0, seconds, every_s):
            found.append(self.health())
            self.run(every_s)
        return found


@pytest.fixture
def stage(world: World) -> Stage:
    return Stage(world)


@pytest.fixture
def two_regions() -> Iterator[Stage]:
    with memory_stage({"CHECK_REGIONS": EUROPE}) as world:
        yield Stage(world)


@pytest.mark.parametrize("every_s", [10, 30, 60])
@pytest.mark.parametrize("part", ["schedule", "checks", "alerts"])
def test_part_that_stands_still_is_named(stage: Stage, part: str, every_s: int) -> None:
    stage.run(120)
    assert stage.ask(300, every_s) == [(200, [])] * (300 // every_s)
    stage.stopped.add(part)
    expected = ["alerts", "chat"] if part == "alerts" else [part]
    responses = stage.ask(181, every_s)
    assert responses[-1] == (503, expected)
    assert all(silent in ([], expected) for _, silent in responses)
    # It stays named, however long it lasts, and recovers.
    assert stage.ask(300, every_s) == [(503, expected)] * (300 // every_s)
    stage.stopped.clear()
    assert stage.ask(240, every_s)[-1] == (200, [])


def test_silent_chat_function_is_named(stage: Stage) -> None:
    def fail(_: object) -> Any:
        raise FunctionError("notify")

    stage.run(120)
    stage.ask(300, 30)
    stage.world.functions.answers["notify"] = fail
    stage.stopped.add("alerts")
    for _ in range(6):
        stage.health()
        stage.run(30)
        stage.world.process_alerts()
    assert stage.health() == (503, ["chat"])


@pytest.mark.parametrize("region", ["us-east-1", EUROPE])
def test_silent_region_is_named(two_regions: Stage, region: str) -> None:
    two_regions.run(120)
    assert two_regions.ask(600, 30) == [(200, [])] * 20
    two_regions.stopped.add("checks" if region == "us-east-1" else region)
    assert two_regions.ask(181, 30)[-1] == (503, [f"checks:{region}"])


def test_first_request_after_a_long_time_is_no_alarm(stage: Stage) -> None:
    stage.run(120)
    assert stage.health() == (200, [])
    stage.run(3_000)
    assert stage.health() == (200, [])


def test_a_request_a_minute_sends_one_probe(stage: Stage) -> None:
    stage.run(120)
    stage.ask(120, 60)
    stage.world.checker.seen.clear()
    stage.ask(600, 5)
    assert 10 <= len(stage.world.checker.seen) <= 13


def test_failing_queues_do_not_fail_the_request(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: object) -> None:
        raise SendError("refused")

    def fail() -> int:
        raise ClientError({"Error": {"Code": "AccessDenied"}}, "GetQueueAttributes")

    stage.run(120)
    for queue in (stage.world.queue, stage.world.alerts):
        monkeypatch.setattr(queue, "send", refuse)
    monkeypatch.setattr(stage.world.dead, "count", fail)
    monkeypatch.setattr(stage.world.alarm_topic, "has_subscribers", fail)
    assert stage.health() == (200, [])


@pytest.mark.parametrize("name", ["checks-dead", "alerts-dead", "rollups-dead"])
def test_dead_letters_are_named(stage: Stage, name: str) -> None:
    stage.run(120)
    stage.world.dead_letters[name].waiting.append((0, "{}"))
    assert stage.health() == (503, ["dead_letters"])
    stage.world.dead_letters[name].waiting.clear()
    assert stage.health() == (200, [])


def test_alarm_address_that_is_not_confirmed_is_named(stage: Stage) -> None:
    stage.run(120)
    stage.world.alarm_topic.confirmed = False
    assert stage.health() == (503, ["alarm_address"])


def test_without_an_alarm_address_nothing_is_asked_of_it(stage: Stage) -> None:
    stage.run(120)
    stage.world.runtime.__dict__["alarm_topic"] = None
    assert stage.health() == (200, [])
