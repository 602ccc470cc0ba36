"""Pausing and resuming: repeating is harmless, and a resumed target is checked at once."""

import pytest

from chalicelib.monitoring.state_machine import State, pause
from chalicelib.targets import lifecycle as service
from tests.support.world import DOWN, Person, World

pytestmark = pytest.mark.shared_stage


def test_a_paused_target_is_not_checked(world: World, alice: Person) -> None:
    target = alice.make_target()
    reply = alice.post(f"/v1/targets/{target['id']}/pause")
    assert reply.status == 200
    assert (reply.json["enabled"], reply.json["state"]["status"]) == (False, "PAUSED")
    world.deliver()
    assert world.checker.seen == [], "the check that was ordered before is dropped"


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


def test_a_resumed_target_begins_anew_and_is_checked_at_once(world: World, alice: Person) -> None:
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
    world.deliver()
    assert alice.get(path).json["state"]["status"] == "UP"


def test_a_state_that_moves_under_a_pause_is_not_written_over(
    world: World, alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker writes the lane between the reading of the state and the pause."""
    target = alice.make_target()
    seen: list[str] = []

    def interrupted(state: State, now: int) -> object:
        seen.append(state.status)
        if len(seen) == 1:
            world.deliver()
        return pause(state, now)

    monkeypatch.setattr(service, "pause", interrupted)
    assert alice.post(f"/v1/targets/{target['id']}/pause").json["state"]["status"] == "PAUSED"
    assert seen == ["PENDING", "UP"], "the pause was reckoned again from the state that was there"


def test_two_who_pause_at_once_pause_it_once(
    alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = alice.make_target()
    path = f"/v1/targets/{target['id']}/pause"

    def interrupted(state: State, now: int) -> object:
        monkeypatch.setattr(service, "pause", pause)
        assert alice.post(path).headers["etag"] == '"2"'
        return pause(state, now)

    monkeypatch.setattr(service, "pause", interrupted)
    reply = alice.post(path)
    assert (reply.status, reply.headers["etag"]) == (200, '"2"')
