"""The worker: results are kept once, states follow, and a crash or a double changes nothing."""

import json
from dataclasses import replace

import pytest

from chalicelib.monitoring.result import CheckResult, Timings, Verdict
from chalicelib.worker import check_worker
from tests.support.world import DOWN, START, UNKNOWN, UP, Person, World


def state(person: Person, target: dict[str, object]) -> dict[str, object]:
    found: dict[str, object] = person.get(f"/v1/targets/{target['id']}").json["state"]
    return found


def history(person: Person, target: dict[str, object]) -> list[str]:
    checks = person.get(f"/v1/targets/{target['id']}/checks").json["items"]
    return [check["verdict"] for check in checks]


def test_a_new_target_is_checked_at_once(world: World) -> None:
    alice = world.user()
    target = alice.make_target()
    assert world.deliver() == []
    assert history(alice, target) == ["UP"]
    assert state(alice, target) == {
        "status": "UP",
        "since": "2026-11-18T11:06:40Z",
        "last_checked_at": "2026-11-18T11:06:40Z",
        "response_ms": 50,
        "consecutive_failures": 0,
        "open_incident_id": None,
        "in_maintenance": False,
        "stale": False,
    }


def test_two_failures_make_a_target_down_and_one_success_up(world: World) -> None:
    alice = world.user()
    target = alice.make_target(interval_s=10)
    world.run(60)
    world.checker.script[target["id"]] = DOWN
    world.run(10)
    assert state(alice, target)["status"] == "UP"
    world.run(10)
    assert state(alice, target)["status"] == "DOWN"
    world.run(60)
    assert state(alice, target)["consecutive_failures"] == 8
    del world.checker.script[target["id"]]
    world.run(10)
    assert state(alice, target)["status"] == "UP"
    assert state(alice, target)["consecutive_failures"] == 0


def test_unknown_is_stored_but_changes_no_state(world: World) -> None:
    alice = world.user()
    target = alice.make_target(interval_s=10)
    world.run(30)
    world.checker.script[target["id"]] = UNKNOWN
    world.run(10)
    assert state(alice, target)["status"] == "UP"
    world.run(50)
    assert state(alice, target)["status"] == "UNKNOWN", "there is no evidence any more"
    world.checker.script[target["id"]] = UP
    world.run(10)
    assert state(alice, target)["since"] == "2026-11-18T11:06:40Z", "nothing was written"
    assert history(alice, target)[1:4] == ["UNKNOWN"] * 3


def test_history_shows_stored_results(world: World) -> None:
    alice = world.user()
    target = alice.make_target()
    world.checker.script[target["id"]] = replace(DOWN, attempts=2, first_error="refused")
    world.deliver()
    (check,) = alice.get(f"/v1/targets/{target['id']}/checks").json["items"]
    assert check == {
        "target_id": target["id"],
        "checked_at": "2026-11-18T11:06:40Z",
        "region": "us-east-1",
        "verdict": "DOWN",
        "response_ms": 15,
        "status_code": 503,
        "reason": "status",
        "error": "got 503",
        "attempts": 2,
        "first_error": "refused",
        "timings_ms": {"dns": 1, "connect": 2, "tls": 3, "first_byte": 4, "body": 5},
    }


def test_a_duplicate_message_is_checked_once(world: World) -> None:
    alice = world.user()
    target = alice.make_target()
    bodies = world.queue.take()
    world.deliver(bodies)
    world.deliver(bodies)
    assert len(world.checker.seen) == 1
    assert history(alice, target) == ["UP"]


def test_a_duplicate_within_a_batch_is_checked_once(world: World) -> None:
    world.user().make_target()
    assert world.deliver(world.queue.take() * 2) == []
    assert len(world.checker.seen) == 1


def test_a_run_that_died_after_writing_results_is_finished_from_them(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice = world.user()
    target = alice.make_target(failure_threshold=1)
    world.checker.script[target["id"]] = DOWN
    bodies = world.queue.take()
    with monkeypatch.context() as patch:
        patch.setattr(check_worker, "_apply", _dies)
        assert world.deliver(bodies) == bodies
    assert state(alice, target)["status"] == "PENDING"
    del world.checker.script[target["id"]]
    assert world.deliver(bodies) == []
    assert state(alice, target)["status"] == "DOWN", "the result that was kept counts"
    assert len(world.checker.seen) == 1


def _dies(*_: object) -> None:
    raise RuntimeError("killed")


def test_results_of_a_concurrent_worker_are_kept(world: World) -> None:
    alice = world.user()
    target = alice.make_target(failure_threshold=1)
    bodies = world.queue.take()
    world.checker.script[target["id"]] = DOWN

    def other_worker_is_faster() -> None:
        world.checker.before = lambda: None
        world.deliver(bodies)
        world.checker.script[target["id"]] = UP

    world.checker.before = other_worker_is_faster
    world.deliver(bodies)
    assert history(alice, target) == ["DOWN"]
    assert state(alice, target)["status"] == "DOWN"


def test_an_older_result_after_a_newer_one_changes_no_state(world: World) -> None:
    alice = world.user()
    target = alice.make_target(interval_s=60, failure_threshold=1)
    job = json.loads(world.queue.take()[0])
    del job["place"]
    first, late, newest = ({**job, "tick": START + after} for after in (1, 60, 90))
    world.clock.time = START + 1
    world.deliver([json.dumps(first)])
    world.clock.time = START + 90
    world.deliver([json.dumps(newest)])
    world.checker.script[target["id"]] = DOWN
    world.deliver([json.dumps(late)])
    assert state(alice, target)["status"] == "UP"
    assert history(alice, target) == ["UP", "DOWN", "UP"], "it is history all the same"


def test_a_job_older_than_its_interval_is_dropped(world: World) -> None:
    alice = world.user()
    target = alice.make_target(interval_s=60)
    bodies = world.queue.take()
    world.clock.time += 60
    assert world.deliver(bodies) == []
    assert history(alice, target) == []


def test_a_target_paused_or_deleted_in_the_meantime_is_not_checked(world: World) -> None:
    alice = world.user()
    paused, deleted = alice.make_target(), alice.make_target()
    alice.post(f"/v1/targets/{paused['id']}/pause")
    alice.delete(f"/v1/targets/{deleted['id']}")
    assert world.deliver() == []
    assert world.checker.seen == []


def test_a_pause_during_the_check_is_kept(world: World) -> None:
    alice = world.user()
    target = alice.make_target()
    world.checker.before = lambda: alice.post(f"/v1/targets/{target['id']}/pause")
    assert world.deliver() == []
    assert state(alice, target)["status"] == "PAUSED"


def test_a_deletion_during_the_check_leaves_nothing_behind(world: World) -> None:
    alice = world.user()
    target = alice.make_target()
    world.checker.before = lambda: alice.delete(f"/v1/targets/{target['id']}")
    assert world.deliver() == []
    assert alice.get("/v1/summary").json["total"] == 0
    assert alice.get("/v1/me").json["limits"]["targets"]["used"] == 0


def test_the_next_target_in_a_place_inherits_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chalicelib.monitoring.lane.secrets.choice", min)
    alice = world.user()
    old = alice.make_target()
    world.checker.script[old["id"]] = DOWN
    world.deliver()
    alice.delete(f"/v1/targets/{old['id']}")
    world.clock.time += 1
    new = alice.make_target()
    assert history(alice, new) == []
    world.deliver()
    assert history(alice, new) == ["UP"]
    assert world.checker.seen[0].place == world.checker.seen[1].place


def test_the_next_target_in_a_place_is_checked_despite_messages_of_the_previous_one(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chalicelib.monitoring.lane.secrets.choice", min)
    alice = world.user()
    world.tick()
    before = alice.make_target(interval_s=10)
    alice.delete(f"/v1/targets/{before['id']}")
    target = alice.make_target(interval_s=10)
    for _ in range(61):
        assert world.deliver() == []
        world.clock.time += 1
    assert len(history(alice, target)) == 1 + 6


def test_an_invalid_message_does_not_affect_the_others(world: World) -> None:
    alice = world.user()
    target = alice.make_target()
    bad = ['{"v": 99}', "not json", '{"v": 1}', "[]", "null"]
    assert world.deliver([*bad, *world.queue.take()]) == bad
    assert history(alice, target) == ["UP"]


def test_in_the_steady_state_a_lane_costs_one_write(
    world: World, dynamodb_calls: list[str]
) -> None:
    alice = world.user()
    for n in range(5):
        alice.make_target(name=f"site {n}", interval_s=60)
    world.run(120)
    world.tick()
    body = min(body for _, body in world.queue.waiting)
    world.clock.time = json.loads(body)["tick"]
    dynamodb_calls.clear()
    world.deliver([body])
    assert sorted(dynamodb_calls) == ["BatchGetItem", "BatchGetItem", "PutItem"]


def test_a_steady_outage_writes_no_states_either(world: World, dynamodb_calls: list[str]) -> None:
    alice = world.user()
    target = alice.make_target(interval_s=60)
    world.checker.script[target["id"]] = DOWN
    world.run(240)
    dynamodb_calls.clear()
    world.run(60)
    assert dynamodb_calls.count("PutItem") == 1
    assert dynamodb_calls.count("UpdateItem") == 1, "the schedule's cursor alone"


def test_owners_in_one_batch_are_isolated(world: World) -> None:
    alice, bob = world.user("alice"), world.user("bob")
    hers, his = alice.make_target(), bob.make_target()
    world.checker.script[his["id"]] = DOWN
    assert world.deliver() == []
    assert history(alice, hers) == ["UP"]
    assert history(bob, his) == ["DOWN"]


def test_check_now_shows_in_the_current_status(world: World) -> None:
    alice = world.user()
    target = alice.make_target(interval_s=86_400)
    world.deliver()
    world.clock.time += 5_000
    world.checker.script[target["id"]] = CheckResult(
        Verdict.UP, status_code=200, timings=Timings(first_byte=777)
    )
    worker_runs_meanwhile(world)
    reply = alice.post(f"/v1/targets/{target['id']}/check")
    assert reply.status == 201
    assert reply.json["response_ms"] == 777
    assert state(alice, target)["response_ms"] == 777
    assert state(alice, target)["since"] == "2026-11-18T11:06:40Z"


def worker_runs_meanwhile(world: World) -> None:
    """Have messages worked off the moment they are sent."""
    send = world.queue.send

    def send_and_work(sent: object) -> None:
        send(sent)  # type: ignore[arg-type]
        world.deliver()

    world.queue.send = send_and_work  # type: ignore[method-assign]


def test_a_listed_status_is_that_of_the_latest_tick(world: World) -> None:
    alice = world.user()
    target = alice.make_target(interval_s=60)
    world.run(300)
    shown = alice.get("/v1/targets").json["items"][0]["state"]
    checks = alice.get(f"/v1/targets/{target['id']}/checks").json["items"]
    assert shown["last_checked_at"] == checks[0]["checked_at"]
    assert world.clock.time > START
