"""Pausing and resuming: idempotent, and a resumed target is checked immediately."""

import pytest

from chalicelib.monitoring.state_machine import State, pause
from chalicelib.targets import lifecycle
from tests.support.world import DOWN, Person, World

pytestmark = pytest.mark.shared_stage


def test_a_paused_target_is_not_checked(world: World, alice: Person) -> None:
    target = alice.make_target()
    reply = alice.post(f"/v1/targets/{target['id']}/pause")
    assert reply.status == 200
    assert (reply.json["enabled"], reply.json["state"]["status"]) == (False, "PAUSED")
    world.deliver()
    assert world.checker.seen == [], "the queued check is dropped"


@pytest.mark.parametrize(("action", "status"), [("pause", "PAUSED"), ("resume", "PENDING")])
def test_repeating_changes_nothing(world: World, alice: Person, action: str, status: str) -> None:
    target = alice.make_target(enabled=action == "resume")
    first = alice.post(f"/v1/targets/{target['id']}/{action}")
    world.queue.waiting.clear()
    world.clock.time += 7
    again = alice.post(f"/v1/targets/{target['id']}/{action}")
    assert again.status == 200
    assert again.json["state"]["status"] == status
    assert (again.json, again.headers["etag"]) == (first.json, first.headers["etag"])
    assert world.queue.waiting == []


def test_resumed_target_starts_over_and_is_checked_immediately(world: World, alice: Person) -> None:
    target = alice.make_target(failure_threshold=1)
    world.checker.script[target["id"]] = DOWN
    world.deliver()
    path = f"/v1/targets/{target['id']}"
    assert alice.get(path).json["state"]["status"] == "DOWN"
    alice.post(f"{path}/pause")
    world.clock.time += 300
    state = alice.post(f"{path}/resume").json["state"]
    assert (state["status"], state["consecutive_failures"]) == ("PENDING", 0)
    assert state["since"] == "2026-11-18T11:11:40Z"
    del world.checker.script[target["id"]]
    world.clock.time += 1
    world.deliver()
    assert alice.get(path).json["state"]["status"] == "UP"


def test_pause_does_not_overwrite_a_concurrent_state_change(
    world: World, alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker writes the lane between the pause's read and write."""
    target = alice.make_target()
    seen: list[str] = []

    def interrupted(state: State, now: int) -> object:
        seen.append(state.status)
        if len(seen) == 1:
            world.deliver()
        return pause(state, now)

    monkeypatch.setattr(lifecycle, "pause", interrupted)
    assert alice.post(f"/v1/targets/{target['id']}/pause").json["state"]["status"] == "PAUSED"
    assert seen == ["PENDING", "UP"], "the pause was computed again from the new state"


def test_concurrent_pauses_are_one_change(alice: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    target = alice.make_target()
    path = f"/v1/targets/{target['id']}/pause"

    def interrupted(state: State, now: int) -> object:
        monkeypatch.setattr(lifecycle, "pause", pause)
        assert alice.post(path).headers["etag"] == '"2"'
        return pause(state, now)

    monkeypatch.setattr(lifecycle, "pause", interrupted)
    reply = alice.post(path)
    assert (reply.status, reply.headers["etag"]) == (200, '"2"')
