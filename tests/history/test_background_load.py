"""Background work leaves the checks enough of Lambda's concurrency, even in a new AWS account."""

from collections import deque
from dataclasses import dataclass, field
from typing import Any

from chalicelib.aws.tenancy import acting_for
from chalicelib.history.dispatch import fan_out
from chalicelib.monitoring.storage.result_repository import Results
from chalicelib.monitoring.storage.target_repository import Targets
from tests.support.world import Person, World

LIMIT = 10
"""Concurrent executions of a new AWS account, which no function can reserve any of."""
RUN_S = 300
"""How long a run of `rollup` takes here."""
HOUR_S = 3_600
DISPATCH_S = 900
"""When in an hour `fan_out` runs: ten minutes or more after the targets were deleted."""


@dataclass
class Lambda:
    """The functions of a stage in an account of little concurrency, second by second.

    An asynchronous invocation waits until there is room, and the oldest is started first. The
    schedule's event is one of them. Messages of the queue wait until `check` can be started.
    """

    world: World
    waiting: deque[tuple[str, dict[str, Any]]] = field(default_factory=deque)
    ends: list[float] = field(default_factory=list)
    most_background: int = 0

    def run(self, seconds: int) -> None:
        clock = self.world.clock
        for _ in range(seconds):
            self.ends = [end for end in self.ends if end > clock.time]
            if clock.time % 60 == 0:
                self.waiting.append(("tick", {}))
            if clock.time % HOUR_S == DISPATCH_S:
                self.waiting.append(("fan_out", {}))
            self.waiting += [("rollup", event) for event in self.world.functions.take("rollup")]
            while self.waiting and len(self.ends) < LIMIT:
                self._start(*self.waiting.popleft())
            while self.world.queue.is_due and len(self.ends) < LIMIT:
                self._check()
            clock.time += 1

    def _start(self, name: str, event: dict[str, Any]) -> None:
        if name == "rollup":
            assert not self.world.roll_up(event)
            self.ends.append(self.world.clock.time + RUN_S)
            background = sum(end > self.world.clock.time + 1 for end in self.ends)
            self.most_background = max(self.most_background, background)
        else:
            if name == "tick":
                self.world.tick()
            else:
                fan_out(self.world.runtime)
            self.ends.append(self.world.clock.time + 1)

    def _check(self) -> None:
        taken = self.world.queue.take()
        self.world.queue.waiting += [(self.world.clock.time, body) for body in taken[5:]]
        assert self.world.deliver(taken[:5]) == []
        self.ends.append(self.world.clock.time + 1)


def make_targets(owner: Person, count: int) -> list[str]:
    made = []
    for start in range(0, count, 100):
        items = [
            {
                "name": f"{n}",
                "kind": "tcp",
                "host": f"h{n}.example",
                "port": 1,
                "interval_s": 86_400,
            }
            for n in range(start, start + 100)
        ]
        reply = owner.post("/v1/targets/batch", {"items": items})
        made += [item["target"]["id"] for item in reply.json["items"]]
    return made


def test_no_tick_is_lost_while_a_thousand_targets_of_another_owner_are_erased(
    world: World,
) -> None:
    world.clock.time += -world.clock.time % HOUR_S
    loud, quiet = world.user("loud"), world.user("quiet")
    watched = quiet.make_target(interval_s=10)["id"]
    functions = Lambda(world)
    deleted = make_targets(loud, 1_000)
    world.queue.waiting.clear()
    functions.run(120)
    for target_id in deleted:
        assert loud.delete(f"/v1/targets/{target_id}").status == 204
    start = world.clock.time

    functions.run(30 * 60)

    with acting_for(quiet.owner):
        target = Targets(quiet.owner).get(watched)
        span = int(start), int(world.clock.time) - 10
        found = [one.tick for one in Results(quiet.owner).between(target.lane, *span, now=0)]
    assert len(found) == (span[1] - span[0]) // 10
    assert functions.most_background == 1
