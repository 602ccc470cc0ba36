"""Targets that are checked from several regions: DOWN only by quorum, each region's word kept."""

import dataclasses

import pytest

from chalicelib.aws.sqs import Message, SendError
from chalicelib.common.settings import Settings, SettingsError
from chalicelib.monitoring.result import CheckResult, Timings
from chalicelib.runtime import Runtime
from chalicelib.worker import handler as worker_handler
from tests.support.world import DOWN, UNKNOWN, UP, FakeChecker, FakeQueue, Person, World

HOME, EUROPE, ASIA = "us-east-1", "eu-west-1", "ap-southeast-1"
SLOW = dataclasses.replace(UP, timings=Timings(first_byte=900))


class Worldwide(World):
    """A stage whose targets are checked from three regions, each with a queue and a worker."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.checkers = {HOME: self.checker, EUROPE: FakeChecker(), ASIA: FakeChecker()}
        self.queues = {HOME: self.queue, EUROPE: FakeQueue(self.clock), ASIA: FakeQueue(self.clock)}
        further = {region: self.queues[region] for region in (EUROPE, ASIA)}
        self.runtime.__dict__["further_checks"] = further
        self.runtimes = {region: self._runtime(region) for region in self.queues}

    def _runtime(self, region: str) -> Runtime:
        made = Runtime(dataclasses.replace(self.runtime.settings, region=region), self.clock)
        made.__dict__.update(
            self.runtime.__dict__ | {"settings": made.settings, "checker": self.checkers[region]}
        )
        return made

    def say(self, target: dict[str, object], **results: CheckResult) -> None:
        """What each region finds from now on: `home`, `europe`, `asia`."""
        for name, region in {"home": HOME, "europe": EUROPE, "asia": ASIA}.items():
            self.checkers[region].script[str(target["id"])] = results.get(name, UP)

    def check_from(self, region: str) -> None:
        """Hand a region's worker what is visible in its queue."""
        records = [
            {"messageId": str(n), "body": body} for n, body in enumerate(self.queues[region].take())
        ]
        answer = worker_handler.handle_checks(self.runtimes[region], records)
        assert answer == {"batchItemFailures": []}

    def round(self, *regions: str) -> None:
        """One tick of a target that is checked each ten seconds, from these regions or from all."""
        for region in regions or (HOME, EUROPE, ASIA):
            self.check_from(region)
        self.clock.time += 10


@pytest.fixture
def world(aws: dict[str, str]) -> Worldwide:
    return Worldwide(Settings.from_env({**aws, "CHECK_REGIONS": f"{EUROPE}, {ASIA}"}))


@pytest.fixture
def alice(world: Worldwide) -> Person:
    return world.user()


@pytest.fixture
def target(world: Worldwide, alice: Person) -> dict[str, object]:
    world.tick()
    made: dict[str, object] = alice.make_target(interval_s=10, failure_threshold=1)
    world.round()
    return made


def status(alice: Person, target: dict[str, object]) -> str:
    found: str = alice.get(f"/v1/targets/{target['id']}").json["state"]["status"]
    return found


def test_a_target_is_checked_from_every_region(
    world: Worldwide, alice: Person, target: dict[str, object]
) -> None:
    checks = alice.get(f"/v1/targets/{target['id']}/checks").json["items"]
    assert sorted(check["region"] for check in checks) == sorted([HOME, EUROPE, ASIA])
    assert status(alice, target) == "UP"


@pytest.mark.parametrize("order", [(HOME, EUROPE, ASIA), (ASIA, EUROPE, HOME)])
def test_a_single_region_does_not_make_a_target_down(
    world: Worldwide, alice: Person, target: dict[str, object], order: tuple[str, ...]
) -> None:
    world.say(target, home=DOWN)
    for _ in range(3):
        world.round(*order)
    assert status(alice, target) == "UP"
    assert alice.get("/v1/incidents").json["items"] == []


@pytest.mark.parametrize("order", [(HOME, EUROPE, ASIA), (EUROPE, ASIA, HOME)])
def test_two_of_three_regions_open_and_close_an_incident(
    world: Worldwide, alice: Person, target: dict[str, object], order: tuple[str, ...]
) -> None:
    world.say(target, home=DOWN, asia=DOWN)
    world.round(*order)
    assert status(alice, target) == "DOWN"
    world.say(target, asia=DOWN)
    world.round(*order)
    assert status(alice, target) == "UP"
    world.run_alerts()
    (incident,) = alice.get("/v1/incidents").json["items"]
    assert incident["duration_s"] == 10


def test_states_do_not_change_before_enough_regions_report(
    world: Worldwide, alice: Person, target: dict[str, object]
) -> None:
    world.say(target, home=DOWN, asia=DOWN)
    world.check_from(HOME)
    assert status(alice, target) == "UP"
    world.check_from(ASIA)
    assert status(alice, target) == "DOWN"


def test_unknown_is_not_a_vote(world: Worldwide, alice: Person, target: dict[str, object]) -> None:
    world.say(target, home=DOWN, europe=UNKNOWN, asia=UNKNOWN)
    world.round()
    assert status(alice, target) == "DOWN"


def test_a_region_without_its_queue_does_not_stop_the_others(
    world: Worldwide, alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: list[Message]) -> None:
        raise SendError("away")

    monkeypatch.setattr(world.queues[EUROPE], "send", refuse)
    world.tick()
    target = alice.make_target(interval_s=10, failure_threshold=1)
    world.say(target, home=DOWN, asia=DOWN)
    world.round(HOME, ASIA)
    assert status(alice, target) == "DOWN"


def test_statistics_count_the_agreed_result_of_a_tick_once(
    world: Worldwide, alice: Person, target: dict[str, object]
) -> None:
    world.say(target, home=DOWN, europe=SLOW, asia=SLOW)
    world.round()
    world.say(target, home=DOWN, europe=DOWN)
    world.round()
    world.say(target)
    world.round()
    stats = alice.get(f"/v1/targets/{target['id']}/stats?window=1h").json
    assert (stats["checks"], stats["up"], stats["down"]) == (4, 3, 1)
    assert stats["downtime_s"] == 10
    before = {name: stats[name] for name in ("checks", "up", "down", "downtime_s", "uptime_ratio")}
    world.clock.time += 7_200
    assert not world.run_rollups()
    raw = alice.get(f"/v1/targets/{target['id']}/stats?window=24h").json
    assert {name: raw[name] for name in before} == before


def test_a_duplicate_message_in_a_region_changes_nothing(
    world: Worldwide, alice: Person, target: dict[str, object]
) -> None:
    world.say(target, home=DOWN, asia=DOWN)
    for region in (HOME, ASIA):
        bodies = list(world.queues[region].waiting)
        world.check_from(region)
        world.queues[region].waiting = bodies
        world.check_from(region)
    assert status(alice, target) == "DOWN"
    world.run_alerts()
    assert len(alice.get("/v1/incidents").json["items"]) == 1


@pytest.mark.parametrize(
    ("regions", "quorum", "text"),
    [
        ("eu-west-1,eu-west-1", "", "repeats a region"),
        ("us-east-1", "", "or the home region"),
        ("Europe", "", "CHECK_REGIONS"),
        ("eu-west-1", "3", "at most the number of regions, 2"),
        ("eu-west-1", "0", "CHECK_QUORUM"),
    ],
)
def test_invalid_region_settings_are_rejected(
    aws: dict[str, str], regions: str, quorum: str, text: str
) -> None:
    with pytest.raises(SettingsError, match=text):
        Settings.from_env({**aws, "CHECK_REGIONS": regions, "CHECK_QUORUM": quorum})


def test_a_configured_quorum(aws: dict[str, str]) -> None:
    world = Worldwide(
        Settings.from_env({**aws, "CHECK_REGIONS": f"{EUROPE},{ASIA}", "CHECK_QUORUM": "3"})
    )
    alice = world.user()
    world.tick()
    target = alice.make_target(interval_s=10, failure_threshold=1)
    world.say(target, home=DOWN, asia=DOWN)
    world.round()
    assert status(alice, target) == "UP"
    world.say(target, home=DOWN, asia=DOWN, europe=DOWN)
    world.round()
    assert status(alice, target) == "DOWN"


def two_regions(aws: dict[str, str], **quorum: str) -> tuple[Worldwide, Person]:
    world = Worldwide(Settings.from_env({**aws, "CHECK_REGIONS": EUROPE, **quorum}))
    alice = world.user()
    world.tick()
    return world, alice


def rounds(world: Worldwide, count: int, *regions: str) -> None:
    for _ in range(count):
        if world.clock.time % 60 < 10:
            world.tick()
        world.round(*regions)


def test_an_outage_ends_after_three_intervals_without_the_other_region(
    aws: dict[str, str],
) -> None:
    world, alice = two_regions(aws)
    shop = alice.make_target(interval_s=10, failure_threshold=1)
    rounds(world, 5, HOME, EUROPE)
    world.say(shop, home=DOWN, europe=DOWN)
    rounds(world, 1, HOME, EUROPE)
    assert status(alice, shop) == "DOWN"
    world.say(shop)
    rounds(world, 3, HOME)
    assert status(alice, shop) == "DOWN", "three intervals are not over"
    rounds(world, 1, HOME)
    assert status(alice, shop) == "UP"


def test_an_outage_begins_after_three_intervals_without_the_other_region_of_a_quorum(
    aws: dict[str, str],
) -> None:
    world, alice = two_regions(aws, CHECK_QUORUM="2")
    shop = alice.make_target(interval_s=10, failure_threshold=1)
    rounds(world, 5, HOME, EUROPE)
    world.say(shop, home=DOWN)
    rounds(world, 3, HOME)
    assert status(alice, shop) == "UP", "three intervals are not over"
    rounds(world, 1, HOME)
    assert status(alice, shop) == "DOWN"


def test_a_region_that_reports_again_counts_again(aws: dict[str, str]) -> None:
    world, alice = two_regions(aws, CHECK_QUORUM="2")
    shop = alice.make_target(interval_s=10, failure_threshold=1)
    rounds(world, 9, HOME)
    assert status(alice, shop) == "UP"
    rounds(world, 1, HOME, EUROPE)
    world.say(shop, home=DOWN)
    rounds(world, 3, HOME)
    assert status(alice, shop) == "UP", "it was silent for three intervals only"
    rounds(world, 1, HOME)
    assert status(alice, shop) == "DOWN"


def test_a_new_target_is_pending_for_three_intervals_without_a_region(aws: dict[str, str]) -> None:
    world, alice = two_regions(aws)
    shop = alice.make_target(interval_s=10, failure_threshold=1)
    rounds(world, 3, HOME)
    assert status(alice, shop) == "PENDING"
    rounds(world, 2, HOME)
    assert status(alice, shop) == "UP"


def test_while_nothing_changes_no_earlier_results_are_read(
    world: Worldwide, alice: Person, target: dict[str, object], dynamodb_calls: list[str]
) -> None:
    world.tick()
    world.round(HOME)
    dynamodb_calls.clear()
    world.round(HOME)
    assert dynamodb_calls.count("BatchGetItem") == 3, "lane, stored results, all regions' results"


def test_a_change_takes_effect_in_every_region_at_once(
    world: Worldwide, alice: Person, target: dict[str, object]
) -> None:
    alice.patch(f"/v1/targets/{target['id']}", {"url": "https://other.example/"})
    for checker in world.checkers.values():
        checker.seen.clear()
        checker.judge = lambda spec: DOWN if "shop" in spec.config["url"] else UP
    for _ in range(6):
        world.round()
    assert status(alice, target) == "UP"
    for checker in world.checkers.values():
        assert len(checker.seen) >= 5
        assert {spec.config["url"] for spec in checker.seen} == {"https://other.example/"}
