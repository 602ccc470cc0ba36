"""What waits in an outbox, and the messages of the alerts queue."""

import json

import pytest

from chalicelib.monitoring.alert_messages import (
    DeliverJob,
    Entry,
    FlipsJob,
    FlushJob,
    Job,
    UnreadableMessageError,
    read_job,
)
from chalicelib.monitoring.result import Reason
from chalicelib.monitoring.state_machine import Flip, FlipKind, Status

OPENED = Flip(FlipKind.OPENED, Status.UP, Status.DOWN, 1200, Reason.STATUS, 1140, 1200)
RECOVERED = Flip(FlipKind.RECOVERED, Status.DEGRADED, Status.UP, 1800)


@pytest.mark.parametrize(
    "entry",
    [
        Entry(target_id="t1", flip=OPENED, error='got 503, "sorry"', status_code=503),
        Entry(target_id="t2", flip=RECOVERED),
        Entry(target_id="t3", flip=OPENED, name="Läden"),
    ],
)
def test_an_outbox_entry_round_trips(entry: Entry) -> None:
    assert Entry.from_json(entry.to_json()) == entry


def test_fields_of_a_later_version_are_ignored() -> None:
    entry = Entry(target_id="t1", flip=OPENED)
    text = json.dumps({**json.loads(entry.to_json()), "mood": "bad"})
    assert Entry.from_json(text) == entry


@pytest.mark.parametrize(
    "job",
    [
        FlipsJob("o", 3, [Entry(target_id="t1", flip=OPENED)]),
        FlushJob("o", 3),
        DeliverJob("o", "key"),
        DeliverJob("o", "key", again=True),
    ],
)
def test_a_job_round_trips(job: Job) -> None:
    assert read_job(job.to_json()) == job


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"v":2,"what":"flush"}', '{"v":1,"what":"x","owner":"o"}', '{"v":1}'],
)
def test_an_unreadable_job_is_rejected_without_quoting_it(text: str) -> None:
    with pytest.raises(UnreadableMessageError) as caught:
        read_job(text)
    assert "flush" not in str(caught.value)
