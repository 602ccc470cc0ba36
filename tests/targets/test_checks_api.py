"""GET /v1/targets/{id}/checks: shape, range and pages."""

from typing import Any

import pytest

from chalicelib.api.schemas import render_time
from tests.support.stages import reset_world
from tests.support.world import DOWN, START, Person, World

pytestmark = pytest.mark.shared_stage


@pytest.fixture(scope="module")
def alice(shared_stage: World) -> Person:
    return shared_stage.user("alice")


@pytest.fixture(scope="module")
def path(shared_stage: World, alice: Person) -> str:
    """Return the path of the checks of a target checked five times, ten seconds apart."""
    world = reset_world(shared_stage)
    target = alice.make_target(interval_s=10, timeout_s=5)
    for number in range(5):
        if number:
            world.clock.time = START + 10 * number - 1
            alice.patch(f"/v1/targets/{target['id']}", {"url": f"https://shop.example/{number}"})
        world.clock.time = START + 10 * number
        world.checker.script = {target["id"]: DOWN} if number % 2 else {}
        queued = [body for body in world.queue.take() if f'"tick":{START + 10 * number}' in body]
        assert world.deliver(queued[:1]) == []
    return f"/v1/targets/{target['id']}/checks"


def times(items: list[dict[str, Any]]) -> list[str]:
    return [item["checked_at"] for item in items]


def at(*seconds: int) -> list[str]:
    return [render_time(START + second) for second in seconds]


def test_checks_are_listed_newest_first(alice: Person, path: str) -> None:
    reply = alice.get(path).json
    assert times(reply["items"]) == at(40, 30, 20, 10, 0)
    assert reply["next_cursor"] is None
    assert reply["items"][1] == {
        "target_id": path.split("/")[3],
        "checked_at": render_time(START + 30),
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
    assert (reply["items"][0]["reason"], reply["items"][0]["error"]) == (None, None)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("verdict=DOWN", at(30, 10)),
        ("verdict=UP", at(40, 20, 0)),
        ("verdict=UNKNOWN", []),
        (f"from={at(20)[0]}", at(40, 30, 20)),
        (f"to={at(20)[0]}", at(10, 0)),
        (f"from={at(10)[0]}&to={at(40)[0]}&verdict=UP", at(20)),
        (f"from={at(20)[0]}&to={at(20)[0]}", []),
        ("to=2200-01-01T00:00:00Z", at(40, 30, 20, 10, 0)),
        ("from=1970-01-01T00:00:00Z", at(40, 30, 20, 10, 0)),
        ("from=2026-11-18T12:07:00%2B01:00", at(40, 30, 20)),
    ],
)
def test_ranges_and_verdicts(alice: Person, path: str, query: str, expected: list[str]) -> None:
    assert times(alice.get(f"{path}?{query}").json["items"]) == expected


@pytest.mark.parametrize("verdict", ["", "&verdict=DOWN"])
def test_pages_add_up_to_the_list(alice: Person, path: str, verdict: str) -> None:
    whole = alice.get(f"{path}?limit=200{verdict}").json["items"]
    found, cursor = [], ""
    for _ in range(10):
        reply = alice.get(f"{path}?limit=2{verdict}{cursor}")
        found += reply.json["items"]
        if reply.json["next_cursor"] is None:
            break
        assert f"cursor={reply.json['next_cursor']}" in reply.headers["link"]
        cursor = f"&cursor={reply.json['next_cursor']}"
    assert found == whole


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("from=2026-11-18T11:06:40", "query.from"),
        ("to=2026-11-18", "query.to"),
        ("from=1795000000", "query.from"),
        ("from=yesterday", "query.from"),
        ("from=", "query.from"),
        ("to=9999-12-31T23:59:59Z", "query.to"),
        ("from=2026-11-18T11:06:41Z&to=2026-11-18T11:06:40Z", "query.from"),
        ("from=2026-11-19T00:00:00Z", "query.from"),
        ("verdict=up", "query.verdict"),
        ("from_=2026-11-18T11:06:40Z", "query.from_"),
        ("limit=0", "query.limit"),
        ("status=UP", "query.status"),
        ("cursor=x", "query.cursor"),
        ("to=2026-11-18T11:06:40Z&to=2026-11-18T11:06:40Z", "query.to"),
    ],
)
def test_invalid_parameter_is_named(alice: Person, path: str, query: str, field: str) -> None:
    reply = alice.get(f"{path}?{query}")
    assert (reply.status, reply.fields) == (400, [field])


def test_cursor_is_bound_to_target_and_filters(alice: Person, path: str) -> None:
    cursor = alice.get(f"{path}?limit=1").json["next_cursor"]
    other = alice.make_target()
    assert alice.get(f"/v1/targets/{other['id']}/checks?cursor={cursor}").status == 400
    assert alice.get(f"{path}?verdict=UP&cursor={cursor}").status == 400
    assert alice.get(f"{path}?limit=5&cursor={cursor}").status == 200
