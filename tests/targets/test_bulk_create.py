"""Creating targets in batches: one answer per item, none lost because of another."""

import json

import pytest

from chalicelib.aws.sqs import SendError
from tests.support.stages import stored
from tests.support.world import Person, World

pytestmark = pytest.mark.shared_stage

GOOD = {"name": "Shop", "kind": "http", "url": "https://shop.example/"}


def test_a_bad_item_hinders_no_other(world: World, alice: Person) -> None:
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
    answers = reply.json["items"]
    assert [answer["status"] for answer in answers] == [201, 422, 422, 201, 422, 422]
    for answer in answers:
        assert (answer["target"] is None) == (answer["problem"] is not None)
    faults = [
        [".".join(map(str, fault["loc"])) for fault in answer["problem"]["errors"]]
        for answer in answers
        if answer["problem"]
    ]
    assert faults == [["body.url"], ["body"], ["body.kind"], ["body.unknown"]]
    listed = alice.get("/v1/targets").json["items"]
    assert {target["name"] for target in listed} == {"one", "two"}
    assert all(answers[number]["target"] in listed for number in (0, 3))
    assert len(world.queue.take()) == 2, "what was made is checked at once"


@pytest.mark.parametrize("items", [[], [GOOD] * 101, {}, None, "x"])
def test_none_and_too_many_are_refused(alice: Person, items: object) -> None:
    before = stored()
    reply = alice.post("/v1/targets/batch", {"items": items})
    assert (reply.status, reply.fields) == (422, ["body.items"])
    assert stored() == before


def test_our_own_failure_in_the_middle_loses_no_answer(
    alice: Person, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from chalicelib.targets import service as targets_service  # noqa: PLC0415 - what is patched, beside the patch

    add, seen = targets_service._add, []

    def failing(*args: object) -> object:
        seen.append(args)
        if len(seen) == 2:
            raise RuntimeError("the second one dies")
        return add(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(targets_service, "_add", failing)
    answers = alice.post("/v1/targets/batch", {"items": [GOOD] * 3}).json["items"]
    assert [answer["status"] for answer in answers] == [201, 503, 201]
    assert "dies" not in json.dumps(answers)
    assert "an item of a batch failed" in caplog.text


def test_a_queue_that_refuses_does_not_make_a_stored_target_fail(
    world: World, alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: object) -> None:
        raise SendError("no")

    monkeypatch.setattr(world.queue, "send", refuse)
    target = alice.make_target()
    assert alice.get(f"/v1/targets/{target['id']}").status == 200
