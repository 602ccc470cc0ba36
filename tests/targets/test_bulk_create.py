"""Creating targets in batches: each item has its own outcome."""

import json

import pytest

from chalicelib.aws.sqs import SendError
from tests.support.stages import stored
from tests.support.world import Person, World

pytestmark = pytest.mark.shared_stage

GOOD = {"name": "Shop", "kind": "http", "url": "https://shop.example/"}


def test_invalid_items_do_not_affect_the_others(world: World, alice: Person) -> None:
    items = [
        {**GOOD, "name": "one"},
        {**GOOD, "url": "ftp://shop.example/"},
        "not an object",
        {**GOOD, "name": "two", "headers": {"X-Key": "s3cret"}},
        {"name": "three"},
        {**GOOD, "unknown": 1},
    ]
    reply = alice.post("/v1/targets/batch", {"items": items})
    assert reply.status == 200
    outcomes = reply.json["items"]
    assert [outcome["status"] for outcome in outcomes] == [201, 422, 422, 201, 422, 422]
    for outcome in outcomes:
        assert (outcome["target"] is None) == (outcome["problem"] is not None)
    faults = [
        [".".join(map(str, fault["loc"])) for fault in outcome["problem"]["errors"]]
        for outcome in outcomes
        if outcome["problem"]
    ]
    assert faults == [["body.url"], ["body"], ["body.kind"], ["body.unknown"]]
    listed = alice.get("/v1/targets").json["items"]
    assert {target["name"] for target in listed} == {"one", "two"}
    assert all(outcomes[number]["target"] in listed for number in (0, 3))
    assert len(world.queue.take()) == 2, "created targets are checked immediately"


@pytest.mark.parametrize("items", [[], [GOOD] * 101, {}, None, "x"])
def test_empty_and_oversized_batches_are_refused(alice: Person, items: object) -> None:
    before = stored()
    reply = alice.post("/v1/targets/batch", {"items": items})
    assert (reply.status, reply.fields) == (422, ["body.items"])
    assert stored() == before


def test_internal_error_of_one_item_keeps_the_other_outcomes(
    alice: Person, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from chalicelib.targets import service as targets_service  # noqa: PLC0415 - next to the patch

    add, seen = targets_service._add, []

    def failing(*args: object) -> object:
        seen.append(args)
        if len(seen) == 2:
            raise RuntimeError("the second one dies")
        return add(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(targets_service, "_add", failing)
    outcomes = alice.post("/v1/targets/batch", {"items": [GOOD] * 3}).json["items"]
    assert [outcome["status"] for outcome in outcomes] == [201, 503, 201]
    assert "dies" not in json.dumps(outcomes)
    assert "an item of a batch failed" in caplog.text


def test_target_is_created_even_if_the_queue_fails(
    world: World, alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: object) -> None:
        raise SendError("no")

    monkeypatch.setattr(world.queue, "send", refuse)
    target = alice.make_target()
    assert alice.get(f"/v1/targets/{target['id']}").status == 200
