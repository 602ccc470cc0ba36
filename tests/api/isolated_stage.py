"""A stage that is restored before each call, so that calls do not depend on each other."""

import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
from schemathesis import Case

from chalicelib.common import ids
from tests.support.dynamo import Dynamo, Snapshot
from tests.support.stages import quick_stage
from tests.support.world import DOWN, START, Person, World

_LIMITS = {"rate_per_minute": 100_000, "rate_burst": 100_000}


@dataclass
class Stage:
    """A stage whose user alice has one resource of every kind.

    `existing` has their ids by path parameter. `reset` restores all data, and the sequence of ids.
    """

    world: World
    dynamo: Dynamo
    alice: Person
    existing: Mapping[str, str]
    snapshot: Snapshot = field(default_factory=dict)

    def reset(self) -> None:
        world = self.world
        self.dynamo.restore(self.snapshot)
        world.queue.waiting.clear()
        world.alerts.waiting.clear()
        world.functions.started.clear()
        world.runtime.__dict__.pop("skips", None)
        _restart_ids(1)

    def call(self, case: Case[Any]) -> Any:
        """Send a case with a token that has all scopes."""
        return case.call(headers={"Authorization": f"Token {self.alice.token}"})


def _restart_ids(seed: int) -> None:
    randomness = SimpleNamespace(randbits=random.Random(seed).getrandbits)
    vars(ids).update(_GENERATOR=ids.IdGenerator(), secrets=randomness)


@contextmanager
def isolated_stage() -> Iterator[Stage]:
    with quick_stage() as (world, dynamo), pytest.MonkeyPatch.context() as patch:
        for name in ("_GENERATOR", "secrets"):
            patch.setattr(ids, name, vars(ids)[name])
        _restart_ids(0)
        send = world.queue.send

        def send_and_check(messages: Any) -> None:
            send(messages)
            world.deliver()

        patch.setattr(world.queue, "send", send_and_check)
        alice = world.user("alice", admin=True)
        stage = Stage(world, dynamo, alice, _create_one_of_each(alice))
        world.clock.time = START + 1_800
        world.tick()
        world.queue.waiting.clear()
        stage.snapshot = dynamo.snapshot()
        yield stage


def _create_one_of_each(alice: Person) -> dict[str, str]:
    world = alice.world
    assert alice.patch(f"/v1/users/{alice.owner}", {"limits": _LIMITS}).status == 200
    target = alice.make_target(failure_threshold=1, tags=["prod"])
    world.checker.script[target["id"]] = DOWN
    world.run(150)
    hook = {"name": "Hook", "kind": "webhook", "url": "https://hooks.example/"}
    channel = alice.post("/v1/channels", hook).json
    world.run_alerts(60)
    (incident,) = alice.get("/v1/incidents").json["items"]
    window = {"name": "x", "tags": ["x"], "cron": "0 3 * * 0", "duration_s": 60}
    page = {"name": "Shop", "slug": "shop", "tags": ["prod"], "published": True}
    return {
        "page_id": alice.post("/v1/pages", page).json["id"],
        "slug": "shop",
        "badge": "shop",
        "picture": "status.svg",
        "target_id": target["id"],
        "channel_id": channel["id"],
        "delivery_id": alice.post(f"/v1/channels/{channel['id']}/test").json["id"],
        "incident_id": incident["id"],
        "token_id": alice.post("/v1/tokens", {"name": "second"}).json["id"],
        "user_id": world.user("bob").owner,
        "window_id": alice.post("/v1/maintenance", window).json["id"],
    }
