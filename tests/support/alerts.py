"""Helpers for tests of alerts: create channels and targets, make targets fail and recover."""

from typing import Any

from tests.support.world import DOWN, UP, Person, World

HOOK = "https://hooks.example/a"
OTHER = "https://hooks.example/b"


def channel(person: Person, url: str = HOOK, **fields: Any) -> dict[str, Any]:
    body = {"name": "Hook", "kind": "webhook", "url": url, **fields}
    reply = person.post("/v1/channels", body)
    assert reply.status == 201, reply.text
    created: dict[str, Any] = reply.json
    return created


def target(person: Person, **fields: Any) -> dict[str, Any]:
    return person.make_target(interval_s=10, failure_threshold=1, **fields)


def fail(world: World, *targets: dict[str, Any], seconds: int = 10) -> None:
    world.checker.script.update({one["id"]: DOWN for one in targets})
    world.tick()
    world.run(seconds)


def heal(world: World, *targets: dict[str, Any], seconds: int = 10) -> None:
    world.checker.script.update({one["id"]: UP for one in targets})
    world.tick()
    world.run(seconds)


def skip(world: World, seconds: int) -> None:
    """Advance the time from message to message and process alerts."""
    end = world.clock.time + seconds
    while world.alerts.waiting and (at := min(at for at, _ in world.alerts.waiting)) <= end:
        world.clock.time = max(world.clock.time, at)
        world.run_alerts()
    world.clock.time = end


def types(world: World, url: str = HOOK) -> list[str]:
    return [payload["type"] for payload in world.outbound.received(url)]


def incidents(person: Person, query: str = "") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = person.get(f"/v1/incidents{query}").json["items"]
    return found
