"""Compatibility of stored formats and messages between versions that run side by side.

`samples.json` contains what this and earlier versions wrote, oldest first. Samples are only added,
never changed: the newest is what is written now, and the older ones must still be read correctly.
test_before.py checks that old code reads new output. For later versions, the current readers must
ignore unknown fields and refuse unknown versions.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from chalicelib.history.rollups.histogram import Histogram
from chalicelib.history.rollups.job import RollupJob, UnreadableRollupJobError
from chalicelib.history.rollups.lane_summary import LaneSummary
from chalicelib.history.rollups.repository import Rollup, UnreadableRollupError
from chalicelib.history.rollups.rollup import Segment
from chalicelib.monitoring.alert_messages import (
    DeliverJob,
    Entry,
    FlipsJob,
    FlushJob,
    UnreadableMessageError,
    WatchdogJob,
    read_job,
)
from chalicelib.monitoring.check_job import CheckJob, UnreadableJobError
from chalicelib.monitoring.check_spec import CheckSpec
from chalicelib.monitoring.result import CheckResult, Reason, Timings, Verdict
from chalicelib.monitoring.state import Flip, FlipKind, State, Status
from chalicelib.monitoring.storage.result_codec import UnreadableResultsError, pack, unpack
from chalicelib.status_pages.page import Section
from chalicelib.status_pages.repository import read_sections, write_sections

SAMPLES: dict[str, list[str]] = json.loads(
    (Path(__file__).parent / "samples.json").read_text(encoding="utf-8")
)
OWNER, TARGET = "01900000-0000-7000-8000-000000000001", "01900000-0000-7000-8000-000000000002"
TICK = 1_795_000_000
SPEC = CheckSpec(
    target_id=TARGET,
    place=3,
    kind="http",
    interval_s=60,
    timeout_s=10,
    failure_threshold=2,
    recovery_threshold=1,
    config={"url": "https://shop.example/", "method": "GET"},
    expect={"status_codes": ["200-299"]},
    has_secrets=True,
    version=5,
    secrets_version=4,
)
UNCHANGED = replace(SPEC, version=0, secrets_version=0)
FLIP = Flip(FlipKind.OPENED, Status.UP, Status.DOWN, TICK, Reason.STATUS, TICK - 60, TICK)
ENTRY = Entry(target_id=TARGET, flip=FLIP, error="got 503: ü", status_code=503, name="Shop")
STATE = State(
    Status.DOWN,
    TICK,
    TICK,
    2,
    1,
    1,
    TICK - 60,
    TICK,
    flapping=True,
    changes=(TICK - 600, TICK),
    settled=True,
)
SECTIONS = [Section("", (TARGET,)), Section("Post: ü", (), ("mail", "prod"))]
RESULTS = {
    number: CheckResult(
        verdict,
        reason,
        503 if reason else None,
        Timings(1, 2, 3, number, 65_535),
        f"text {number}" if reason else None,
        tls_days_left=None if number % 2 else number - 3,
        attempts=1 + number % 2,
    )
    for number, (verdict, reason) in enumerate(
        [*((verdict, None) for verdict in Verdict), *((Verdict.DOWN, reason) for reason in Reason)]
    )
}
ERRORS = {str(place): result.error for place, result in RESULTS.items() if result.error}
ROLLUP = Rollup.of(
    TICK,
    {
        3: Segment(
            TICK, TICK + 60, TICK + 120, 1, (1, 1, 0, 0), (60, 0, 0, 0), Histogram.of([183])
        ),
        7: Segment(TICK, TICK, TICK + 60, 0, (1, 0, 0, 0)),
    },
    2,
)


@dataclass(frozen=True, slots=True)
class Format:
    """A value that one process writes and another reads, as text."""

    value: Any
    write: Callable[[Any], str]
    read: Callable[[str], Any]
    unreadable: type[Exception] = ValueError


FORMATS = {
    "check job": Format(
        CheckJob(OWNER, 7, TICK, [SPEC]), CheckJob.to_json, CheckJob.from_json, UnreadableJobError
    ),
    "check outside the schedule": Format(
        CheckJob(OWNER, 7, TICK, [SPEC], place=3),
        CheckJob.to_json,
        CheckJob.from_json,
        UnreadableJobError,
    ),
    "fold": Format(
        RollupJob(OWNER, 7, [(TICK, TICK + 3600)]),
        RollupJob.to_json,
        RollupJob.from_json,
        UnreadableRollupJobError,
    ),
    "flips": Format(
        FlipsJob(OWNER, 7, [ENTRY]), FlipsJob.to_json, read_job, UnreadableMessageError
    ),
    "flush": Format(FlushJob(OWNER, 7), FlushJob.to_json, read_job, UnreadableMessageError),
    "delivery": Format(
        DeliverJob(OWNER, "key", again=True, is_chat=True),
        DeliverJob.to_json,
        read_job,
        UnreadableMessageError,
    ),
    "watchdog": Format(WatchdogJob(TICK), WatchdogJob.to_json, read_job, UnreadableMessageError),
    "outbox": Format(ENTRY, Entry.to_json, Entry.from_json),
    "state": Format(
        STATE,
        lambda state: json.dumps(state.to_list()),
        lambda text: State.from_list(json.loads(text)),
    ),
    "sections of a page": Format(
        SECTIONS,
        lambda sections: json.dumps(write_sections(sections)),
        lambda text: read_sections(json.loads(text)),
    ),
    "results": Format(
        RESULTS,
        lambda results: pack(results, dict.fromkeys(RESULTS, 60)).hex(),
        lambda text: unpack(bytes.fromhex(text), ERRORS),
        UnreadableResultsError,
    ),
    "sums of a rollup": Format(
        LaneSummary.of(ROLLUP.segments),
        lambda sums: sums.to_bytes(TICK).hex(),
        lambda text: LaneSummary.from_bytes(bytes.fromhex(text), TICK),
    ),
    "rollup": Format(
        ROLLUP.segments,
        lambda segments: Rollup.of(TICK, segments, 2).packed.hex(),
        lambda text: Rollup(TICK, bytes.fromhex(text), 2).segments,
        UnreadableRollupError,
    ),
}
NOT_MESSAGES = {"results", "rollup", "sections of a page", "state", "sums of a rollup"}
MESSAGES = [name for name in FORMATS if name not in NOT_MESSAGES]
PLAIN = replace(
    ENTRY,
    name=None,
    error=None,
    status_code=None,
    flip=Flip(FlipKind.RECOVERED, Status.DOWN, Status.UP, TICK, None, None, None),
)
OLDER: dict[str, list[Any]] = {
    # Before targets had expectations and secrets, and before definitions had versions.
    "check job": [
        CheckJob(OWNER, 7, TICK, [replace(UNCHANGED, expect={}, has_secrets=False)]),
        CheckJob(OWNER, 7, TICK, [UNCHANGED]),
    ],
    "check outside the schedule": [CheckJob(OWNER, 7, TICK, [UNCHANGED], place=3)],
    # Before chat services had a separate function, and before dead letters were retried.
    "delivery": [DeliverJob(OWNER, "key"), DeliverJob(OWNER, "key", again=True)],
    "outbox": [PLAIN],
    # Before people were notified of what lasts while a target is flapping.
    "state": [State(Status.UP, TICK, TICK), replace(STATE, settled=False)],
    # Before chat services had a separate watchdog.
    "watchdog": [WatchdogJob(TICK)],
    # Format 1, without the interval.
    "results": [RESULTS],
    # Format 1, without the excluded time.
    "rollup": [ROLLUP.segments],
}


def test_every_format_has_its_samples() -> None:
    assert {name: len(samples) for name, samples in SAMPLES.items()} == {
        name: 1 + len(OLDER.get(name, [])) for name in FORMATS
    }


@pytest.mark.parametrize("name", FORMATS)
def test_newest_sample_is_what_is_written_now(name: str) -> None:
    """If this fails a format has changed: add a sample, and keep the previous one readable."""
    assert FORMATS[name].write(FORMATS[name].value) == SAMPLES[name][-1]


@pytest.mark.parametrize("name", FORMATS)
def test_every_sample_is_read(name: str) -> None:
    expected = [*OLDER.get(name, []), FORMATS[name].value]

    assert [FORMATS[name].read(sample) for sample in SAMPLES[name]] == expected


def with_extra_fields(value: Any) -> Any:
    """Return the JSON as later code might write it: with one more field in every object."""
    if isinstance(value, dict):
        return {"new": [1, {}], **{key: with_extra_fields(inner) for key, inner in value.items()}}
    if isinstance(value, list):
        return [with_extra_fields(inner) for inner in value]
    return value


@pytest.mark.parametrize("name", MESSAGES)
def test_unknown_fields_of_messages_are_ignored(name: str) -> None:
    message = json.loads(SAMPLES[name][-1])
    # `config` is passed on unread, so later code cannot add fields to it.
    kept = [spec["config"] for _, spec in message.get("specs", [])]
    later = with_extra_fields(message)
    for (_, spec), config in zip(later.get("specs", []), kept, strict=True):
        spec["config"] = config
        spec["expect"].pop("new")

    assert FORMATS[name].read(json.dumps(later)) == FORMATS[name].value


def test_unknown_fields_of_a_state_are_ignored() -> None:
    later = [*json.loads(SAMPLES["state"][-1]), "more", [1]]

    assert FORMATS["state"].read(json.dumps(later)) == STATE


def test_unknown_fields_of_a_section_are_ignored() -> None:
    later = with_extra_fields(json.loads(SAMPLES["sections of a page"][-1]))

    assert FORMATS["sections of a page"].read(json.dumps(later)) == SECTIONS


@pytest.mark.parametrize("name", [name for name in MESSAGES if name != "outbox"])
def test_unknown_version_of_a_message_is_refused(name: str) -> None:
    later = {**json.loads(SAMPLES[name][-1]), "v": 99}

    with pytest.raises(FORMATS[name].unreadable, match="99"):
        FORMATS[name].read(json.dumps(later))


@pytest.mark.parametrize("name", ["results", "rollup"])
def test_unknown_binary_format_is_refused(name: str) -> None:
    with pytest.raises(FORMATS[name].unreadable, match="63"):
        FORMATS[name].read("63" + SAMPLES[name][-1][2:])
