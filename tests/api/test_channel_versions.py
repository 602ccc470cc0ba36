"""ETag and If-Match on channels: no change overwrites one that was not seen."""

import pytest

from tests.world import Person

HOOK = {"name": "Hook", "kind": "webhook", "url": "https://hooks.example/"}


def test_every_answer_with_a_channel_has_its_version(alice: Person) -> None:
    made = alice.post("/v1/channels", HOOK)
    path = f"/v1/channels/{made.json['id']}"
    assert made.headers["etag"] == alice.get(path).headers["etag"] == '"1"'
    assert alice.patch(path, {"delay_s": 60}).headers["etag"] == '"2"'


def test_a_lost_update_is_refused(alice: Person) -> None:
    path = f"/v1/channels/{alice.post('/v1/channels', HOOK).json['id']}"
    assert alice.patch(path, {"delay_s": 60}, If_Match='"1"').status == 200
    refused = alice.patch(path, {"delay_s": 120}, If_Match='"1"')
    assert (refused.status, refused.json["type"]) == (
        412,
        "urn:monitum:problem:precondition-failed",
    )
    assert alice.delete(path, If_Match='"1"').status == 412
    assert alice.get(path).json["delay_s"] == 60
    assert alice.delete(path, If_Match='"2"').status == 204


@pytest.mark.parametrize("given", ["2", 'W/"1"', '"', "x" * 5_000, "\u00e9", '"1'])
def test_nonsense_fits_no_version(alice: Person, given: str) -> None:
    path = f"/v1/channels/{alice.post('/v1/channels', HOOK).json['id']}"
    assert alice.patch(path, {"delay_s": 60}, If_Match=given).status == 412
    assert alice.get(path).json["delay_s"] == 0
