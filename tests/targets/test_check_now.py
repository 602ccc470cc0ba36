"""Checking a target now: the request waits for the worker."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from chalicelib.targets import service
from tests.support.world import DOWN, Person, World

pytestmark = pytest.mark.shared_stage


@contextmanager
def running_worker(world: World) -> Iterator[None]:
    """Run a worker in a separate thread, as the queue would feed it."""
    done = threading.Event()

    def pump() -> None:
        while not done.wait(0.01):
            world.deliver()

    thread = threading.Thread(target=pump)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def test_response_is_the_check(world: World, alice: Person) -> None:
    target = alice.make_target(failure_threshold=1)
    world.deliver()
    world.clock.time += 5
    world.checker.script[target["id"]] = DOWN
    with running_worker(world):
        reply = alice.post(f"/v1/targets/{target['id']}/check")
    assert reply.status == 201
    assert reply.json == {
        "target_id": target["id"],
        "checked_at": "2026-11-18T11:06:45Z",
        "region": "us-east-1",
        "verdict": "DOWN",
        "response_ms": 15,
        "status_code": 503,
        "reason": "status",
        "error": "got 503",
        "attempts": 1,
        "first_error": None,
        "timings_ms": {"dns": 1, "connect": 2, "tls": 3, "first_byte": 4, "body": 5},
    }
    history = alice.get(f"/v1/targets/{target['id']}/checks").json["items"]
    assert history[0] == reply.json
    state = alice.get(f"/v1/targets/{target['id']}").json["state"]
    assert (state["status"], state["last_checked_at"]) == ("DOWN", "2026-11-18T11:06:45Z")


def test_a_paused_target_is_not_checked(world: World, alice: Person) -> None:
    target = alice.make_target(enabled=False)
    reply = alice.post(f"/v1/targets/{target['id']}/check")
    assert reply.status == 409
    assert reply.json["detail"] == "the target is paused; resume it first"
    assert world.queue.waiting == []


def test_wait_for_the_worker_is_limited(
    world: World, alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "_REQUEST_S", 0)
    target = alice.make_target(timeout_s=1)
    reply = alice.post(f"/v1/targets/{target['id']}/check")
    assert reply.status == 503
    assert reply.headers["content-type"] == "application/problem+json"


def test_two_requests_in_one_second_are_one_check(world: World, alice: Person) -> None:
    target = alice.make_target()
    with running_worker(world):
        replies = [alice.post(f"/v1/targets/{target['id']}/check") for _ in range(2)]
    assert replies[0].json == replies[1].json
    assert len(alice.get(f"/v1/targets/{target['id']}/checks").json["items"]) == 1
