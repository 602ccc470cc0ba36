"""Quotas of users, and the limit on checks of one host by all users."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from chalicelib.access import usage
from chalicelib.aws.tenancy import acting_for
from chalicelib.common.limits import WIDE
from tests.support.threads import run_concurrently
from tests.support.world import Person, World

pytestmark = pytest.mark.shared_stage

HOOK = {"name": "Hook", "kind": "webhook", "url": "https://hooks.example/"}
SHOP = {"name": "Shop", "kind": "http", "url": "https://shop.example/"}


@pytest.fixture(autouse=True)
def _narrow(world: World) -> Iterator[None]:
    before = world.runtime.settings
    limits = replace(
        WIDE, quota_targets=3, quota_channels=2, quota_tokens=2, host_checks_per_minute=10
    )
    world.runtime.settings = replace(before, limits=limits)
    yield
    world.runtime.settings = before


def host_checks(host: str) -> int:
    with acting_for(f"host:{host}"):
        return usage.host_checks(host)


@pytest.mark.parametrize(
    ("noun", "path", "body", "fits"),
    [
        ("targets", "/v1/targets", {**SHOP, "interval_s": 3600}, 3),
        ("channels", "/v1/channels", HOOK, 2),
        ("tokens", "/v1/tokens", {"name": "one more"}, 1),
    ],
)
def test_quota_is_enforced_and_named(
    alice: Person, noun: str, path: str, body: dict[str, object], fits: int
) -> None:
    created = [alice.post(path, body) for _ in range(fits + 1)]
    assert [reply.status for reply in created] == [201] * fits + [403]
    problem = created[-1].json
    assert problem["type"] == "urn:monitum:problem:quota-exceeded"
    assert problem["errors"][0]["loc"] == ["quota", noun]
    used = alice.get("/v1/me").json["limits"][noun]
    assert used["used"] == used["limit"]
    assert alice.delete(f"{path}/{created[0].json['id']}").status == 204
    assert alice.post(path, body).status == 201


def test_quota_of_a_user_overrides_the_stage(world: World, alice: Person) -> None:
    admin = world.user("root", admin=True)
    admin.patch(f"/v1/users/{alice.owner}", {"limits": {"channels": 1}})
    assert [alice.post("/v1/channels", HOOK).status for _ in range(2)] == [201, 403]
    admin.patch(f"/v1/users/{alice.owner}", {"limits": {}})
    assert alice.post("/v1/channels", HOOK).status == 201


def test_concurrent_requests_do_not_exceed_the_quota(alice: Person) -> None:
    found = run_concurrently(lambda _: alice.post("/v1/channels", HOOK).status, 6)
    assert sorted(found) == [201] * 2 + [403] * 4


def test_batch_stops_at_the_quota(alice: Person) -> None:
    items = [{**SHOP, "interval_s": 3600}] * 4
    found = alice.post("/v1/targets/batch", {"items": items}).json["items"]
    assert [item["status"] for item in found] == [201, 201, 201, 403]


def test_host_limit_applies_to_all_users_together(alice: Person, mallory: Person) -> None:
    for person in (alice, mallory):
        person.make_target(url="https://Victim.example:444/a", interval_s=20)
    assert host_checks("victim.example") == 2 * 3 * 1440
    victim = {**SHOP, "url": "http://victim.example./", "interval_s": 10}
    refused = mallory.post("/v1/targets", victim)
    assert (refused.status, refused.json["type"]) == (
        422,
        "urn:monitum:problem:host-budget-exceeded",
    )
    assert mallory.post("/v1/targets", {**victim, "interval_s": 20}).status == 201
    tcp = {"name": "n", "kind": "tcp", "host": "VICTIM.example", "port": 1, "interval_s": 30}
    assert mallory.post("/v1/targets", tcp).status == 422, "the limit covers every kind of check"


def test_changes_and_deletions_free_the_host_limit(alice: Person) -> None:
    target = alice.make_target(url="https://a-host.example/", interval_s=10)
    path = f"/v1/targets/{target['id']}"
    assert alice.patch(path, {"interval_s": 60}).status == 200
    assert host_checks("a-host.example") == 1440
    assert alice.patch(path, {"url": "https://b-host.example/", "interval_s": 10}).status == 200
    assert (host_checks("a-host.example"), host_checks("b-host.example")) == (0, 6 * 1440)
    other = alice.make_target(url="https://b-host.example/", interval_s=60)
    refused = alice.patch(f"/v1/targets/{other['id']}", {"interval_s": 10})
    assert refused.status == 422
    assert alice.get(f"/v1/targets/{other['id']}").json["interval_s"] == 60
    alice.delete(path)
    assert host_checks("b-host.example") == 1440
