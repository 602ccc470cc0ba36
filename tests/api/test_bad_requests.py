"""Invalid headers, versions and cursors are rejected quickly and change nothing."""

import time

import pytest

from chalicelib.monitoring.storage.models import TargetItem
from tests.support.stages import stored
from tests.support.world import Person, as_system

pytestmark = pytest.mark.shared_stage

SHOP = {"name": "Shop", "kind": "http", "url": "https://shop.example/"}
HUGE = "x" * 100_000


@pytest.mark.parametrize(
    ("header", "status"),
    [("Authorization", 401), ("Idempotency-Key", 422), ("Content-Type", 415), ("X-Other", 201)],
)
def test_header_of_a_hundred_kilobytes(alice: Person, header: str, status: int) -> None:
    before = stored("targets")
    started = time.perf_counter()
    reply = alice.call("POST", "/v1/targets", SHOP, **{header.replace("-", "_"): HUGE})
    assert reply.status == status
    assert time.perf_counter() - started < 5
    assert HUGE not in reply.text
    assert (stored("targets") == before) == (status != 201)


@pytest.mark.parametrize("given", ["1", 'W/"1"', '"', '"1', "\u00e9", ",,,", HUGE])
@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
def test_invalid_if_match_matches_no_version(alice: Person, method: str, given: str) -> None:
    target = alice.make_target()
    body = {"name": "Other"} if method == "PATCH" else None
    reply = alice.call(method, f"/v1/targets/{target['id']}", body, If_Match=given)
    assert reply.status == 412
    assert alice.get(f"/v1/targets/{target['id']}").json["name"] == "Shop"


@pytest.mark.parametrize("path", ["/v1/targets", "/v1/tokens", "/v1/channels", "/v1/audit"])
def test_cursor_is_valid_for_one_owner_and_list(alice: Person, mallory: Person, path: str) -> None:
    for _ in range(2):
        alice.make_target()
    cursor = alice.get("/v1/targets?limit=1").json["next_cursor"]
    reply = mallory.get(f"{path}?limit=1&cursor={cursor}")
    assert (reply.status, reply.fields) == (400, ["query.cursor"])
    if path != "/v1/targets":
        assert alice.get(f"{path}?limit=1&cursor={cursor}").status == 400


def test_stored_values_that_break_a_newer_schema_are_returned(alice: Person) -> None:
    """A schema that has become stricter rejects new input, not stored data."""
    target = alice.make_target(tags=["prod"])
    with as_system():
        item = TargetItem.get(alice.owner, target["id"])
        spec = {**item.spec, "interval_s": 45, "config": {**item.spec["config"], "method": "BREW"}}
        item.update([TargetItem.spec.set(spec), TargetItem.name.set(" padded ")])
    for shown in (
        alice.get(f"/v1/targets/{target['id']}").json,
        alice.get("/v1/targets").json["items"][0],
    ):
        assert shown["interval_s"] == 45
        assert shown["name"] == " padded "
        assert shown["tags"] == ["prod"]
