"""An incident is the set of its flips, in any order."""

from dataclasses import replace
from itertools import permutations

import pytest

from chalicelib.alerting.incident import Acknowledgement, Ending, Incident, incident_id, mean_times
from chalicelib.monitoring.alert_messages import Entry
from chalicelib.monitoring.result import Reason
from chalicelib.monitoring.state_machine import Flip, FlipKind, Status

OPENED = Entry(
    target_id="t",
    flip=Flip(FlipKind.OPENED, Status.UP, Status.DOWN, 1200, Reason.STATUS, 1140, 1200),
    error="got 503",
)
FLAPPING = Entry(
    target_id="t",
    flip=Flip(FlipKind.FLAPPING, Status.UP, Status.DOWN, 1500, Reason.STATUS, 1140, 1200),
)
CLOSED = Entry(
    target_id="t", flip=Flip(FlipKind.CLOSED, Status.DOWN, Status.UP, 1800, opened_at=1200)
)
PAUSED = Entry(
    target_id="t", flip=Flip(FlipKind.CANCELLED, Status.DOWN, Status.PAUSED, 1700, opened_at=1200)
)


def incident(*entries: Entry, acknowledged_at: int | None = None) -> Incident:
    given = None if acknowledged_at is None else Acknowledgement("alice", acknowledged_at)
    return Incident(
        owner="o",
        target_id="t",
        opened_at=1200,
        target_name="Shop",
        target_url="",
        entries=sorted(entries, key=lambda entry: entry.flip.at),
        acknowledgement=given,
    )


@pytest.mark.parametrize("entries", list(permutations([OPENED, FLAPPING, CLOSED])))
def test_flips_may_arrive_in_any_order(entries: tuple[Entry, ...]) -> None:
    found = incident(*entries)
    assert found.opening == OPENED
    assert (found.closed_at, found.ended_as, found.cause) == (1800, Ending.RECOVERED, Reason.STATUS)
    assert (found.first_failed_at, found.duration_s(9_999), found.flapped) == (1140, 660, True)


def test_duration_grows_while_the_incident_is_open() -> None:
    assert incident(OPENED).ended_as is None
    assert incident(OPENED).duration_s(1300) == 160
    assert incident(OPENED).duration_s(1100) == 0


def test_incident_without_the_first_failing_check_counts_from_its_opening() -> None:
    old = replace(OPENED, flip=replace(OPENED.flip, first_failed_at=None))
    assert (incident(old).first_failed_at, incident(old).duration_s(1300)) == (1200, 100)


def test_recovery_without_an_opening_is_an_incident() -> None:
    assert (incident(CLOSED).opening, incident(CLOSED).cause) == (None, None)
    assert incident(CLOSED).closed_at == 1800


def test_pause_and_deletion_end_an_incident() -> None:
    deleted = Entry(target_id="t", flip=PAUSED.flip, name="Shop")
    assert incident(OPENED, PAUSED).ended_as is Ending.PAUSED
    assert incident(OPENED, deleted).ended_as is Ending.DELETED


def test_mean_times_cover_acknowledged_and_recovered_incidents() -> None:
    found = mean_times(
        [
            incident(OPENED, CLOSED, acknowledged_at=1260),
            incident(OPENED, acknowledged_at=1320),
            incident(OPENED, PAUSED),
        ]
    )
    assert (found.mtta_s, found.mttr_s) == (150, 660)
    assert (mean_times([]).mtta_s, mean_times([]).mttr_s) == (None, None)


def test_id_depends_on_owner_target_and_time() -> None:
    assert incident(OPENED).id == incident_id("o", "t", 1200)
    assert incident_id("o", "t", 1200) != incident_id("p", "t", 1200)
