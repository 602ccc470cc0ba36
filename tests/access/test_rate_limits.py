"""Rate limits are exact, cost one write per request, appear in headers and fail open."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from chalicelib.access import rate_limiting
from chalicelib.common.limits import Limits
from tests.support.threads import run_concurrently
from tests.support.world import Person, World

pytestmark = pytest.mark.shared_stage

NARROW = Limits(checks_per_minute=2, tests_per_minute=2, failures_per_minute=3)


@pytest.fixture(autouse=True)
def _narrow(world: World) -> Iterator[None]:
    before = world.runtime.settings
    world.runtime.settings = replace(before, limits=NARROW)
    yield
    world.runtime.settings = before


def statuses(person: Person, times: int, path: str = "/v1/me") -> list[int]:
    return [person.get(path).status for _ in range(times)]


def test_sixty_at_once_then_five_a_second(world: World, alice: Person) -> None:
    assert statuses(alice, 62) == [200] * 60 + [429] * 2
    world.clock.time += 1
    assert statuses(alice, 6) == [200] * 5 + [429]
    world.clock.time += 60
    assert statuses(alice, 61) == [200] * 60 + [429]


def test_limit_continues_into_the_next_minute(world: World, alice: Person) -> None:
    world.clock.time += 59 - world.clock.time % 60
    statuses(alice, 60)
    world.clock.time += 1
    assert statuses(alice, 6) == [200] * 5 + [429]


def test_headers_show_remaining_requests_and_retry_time(alice: Person) -> None:
    reply = alice.get("/v1/me")
    assert reply.headers["ratelimit-policy"] == '"requests";q=60;w=12'
    assert reply.headers["ratelimit"] == '"requests";r=59;t=1'
    statuses(alice, 59)
    refused = alice.get("/v1/me")
    assert refused.status == 429
    assert refused.headers["ratelimit"] == '"requests";r=0;t=12'
    assert refused.headers["retry-after"] == "1"
    assert refused.json["type"] == "urn:monitum:problem:too-many-requests"


def test_tokens_are_counted_separately(alice: Person, mallory: Person) -> None:
    other = Person(alice.world, alice.owner, alice.post("/v1/tokens", {"name": "x"}).json["token"])
    statuses(alice, 60)
    assert alice.get("/v1/me").status == 429
    assert [other.get("/v1/me").status, mallory.get("/v1/me").status] == [200, 200]


def test_limits_of_a_user_override_the_stage(world: World, alice: Person) -> None:
    admin = world.user("root", admin=True)
    wanted = {"limits": {"rate_per_minute": 60, "rate_burst": 2}}
    assert admin.patch(f"/v1/users/{alice.owner}", wanted).json["limits"] == wanted["limits"]
    assert statuses(alice, 3) == [200, 200, 429]
    world.clock.time += 1
    assert statuses(alice, 2) == [200, 429]


def test_sixty_of_two_hundred_concurrent_requests_are_admitted(alice: Person) -> None:
    found = run_concurrently(lambda _: statuses(alice, 20), 10)
    counts = Counter(status for some in found for status in some)
    assert counts == {200: 60, 429: 140}


def test_counting_costs_one_write_and_no_read(alice: Person, dynamodb_calls: list[str]) -> None:
    alice.get("/v1/me")  # stores the time of the last use, once an hour
    dynamodb_calls.clear()
    assert alice.get("/v1/tokens").status == 200
    assert dynamodb_calls == ["BatchGetItem", "UpdateItem", "Query"]


def test_checks_and_channel_tests_have_separate_limits(
    world: World, alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = alice.make_target(enabled=False)
    path = f"/v1/targets/{target['id']}/check"
    assert [alice.post(path).status for _ in range(3)] == [409, 409, 429]
    reply = alice.post(path)
    assert reply.headers["ratelimit-policy"] == '"requests";q=60;w=12, "checks";q=2;w=60'
    assert reply.headers["retry-after"] == "30"
    hook = {"name": "Hook", "kind": "webhook", "url": "https://hooks.example/"}
    channel = alice.post("/v1/channels", hook).json
    path = f"/v1/channels/{channel['id']}/test"
    assert [alice.post(path).status for _ in range(3)] == [202, 202, 429]
    assert alice.get("/v1/me").status == 200


def test_invalid_tokens_are_limited_by_address(world: World, alice: Person) -> None:
    wrong = "Token mon_garbage"
    found = [alice.get("/v1/me", Authorization=wrong).status for _ in range(5)]
    assert found == [401] * 3 + [429] * 2
    assert alice.get("/v1/me").status == 200, "a valid token is still accepted"
    assert alice.get("/v1/me", Authorization="").status == 401, "a missing token does not count"
    world.clock.time += 60
    assert alice.get("/v1/me", Authorization=wrong).status == 401


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("", "unknown"),
    ],
)
def test_ipv6_addresses_are_limited_by_network(address: str, network: str) -> None:
    assert rate_limiting._network(address) == network


def test_limits_fail_open_and_log_an_error(
    alice: Person, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: Any) -> Any:
        raise EndpointConnectionError(endpoint_url="https://dynamodb")

    monkeypatch.setattr(rate_limiting, "count_request", fail)
    monkeypatch.setattr(rate_limiting, "count_failure", fail)
    reply = alice.get("/v1/me")
    assert (reply.status, "ratelimit" in reply.headers) == (200, False)
    assert alice.get("/v1/me", Authorization="Token mon_garbage").status == 401
    lines = [vars(record) for record in caplog.records if "RateLimitsOpen" in vars(record)]
    assert len(lines) == 2
    (directive,) = lines[0]["emf"]["CloudWatchMetrics"]
    assert directive["Metrics"] == [{"Name": "RateLimitsOpen", "Unit": "Count"}]
    assert json.dumps(lines[0]["emf"])
