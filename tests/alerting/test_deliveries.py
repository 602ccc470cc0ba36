"""When deliveries are due and retried, and the text of alerts."""

import pytest

from chalicelib.alerting.alert import Alert, AlertedTarget, format_duration, one_line
from chalicelib.alerting.channel import Event
from chalicelib.alerting.delivery import Due, next_attempt
from chalicelib.common.ids import derived_id, id_time, is_id
from chalicelib.common.times import retry_at


def test_single_failure_is_due_immediately() -> None:
    assert Due(600, 1, now=630).at(0) == 630


def test_mass_failure_is_due_at_the_end_of_the_minute() -> None:
    assert Due(600, 5, now=630).at(0) == 665


def test_later_failures_are_due_at_the_end_of_the_minute() -> None:
    assert Due(600, 1, now=630).at(2) == 665
    assert Due(600, 1, now=900).at(1) == Due(600, 1, now=900).at(2) == 900


def test_delivery_is_not_due_before_its_delay_ends() -> None:
    assert Due(600, 1, now=630, not_before=900).at(0) == 900


def test_pauses_double_up_to_an_hour_with_jitter() -> None:
    sure = [next_attempt(tries, 0, 0, 0.0) for tries in range(1, 12)]
    assert sure == [5, 10, 20, 40, 80, 160, 320, 640, 1280, 1800, 1800]
    assert next_attempt(1, 0, 0, 0.999) == 10


def test_there_are_no_attempts_after_a_day() -> None:
    assert next_attempt(30, 0, 86_400 - 1800, 0.0) is None
    assert next_attempt(30, 0, 86_400 - 1801, 0.0) == 86_399


def test_receiver_may_request_a_longer_pause_within_the_day() -> None:
    assert next_attempt(1, 0, 100, 0.0, not_before=700) == 700
    assert next_attempt(1, 0, 100, 0.0, not_before=50) == 105
    assert next_attempt(1, 0, 100, 0.0, not_before=999_999) == 86_399
    assert next_attempt(1, 0, 86_399, 0.0, not_before=86_400) is None


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("120", 1_120),
        ("0", 1_000),
        (" 1.25 ", 1_002),
        ("Thu, 01 Jan 1970 01:00:00 GMT", 3_600),
        ("Thu, 01 Jan 1970 01:00:00", 3_600),
        ("-5", None),
        ("soon", None),
        ("", None),
        (None, None),
        ("9" * 400, None),
        ("Thu, 01 Jan 99999 01:00:00 GMT", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(text: str | None, at: int | None) -> None:
    assert retry_at(text, 1_000) == at


def test_foreign_text_is_cut_to_one_line() -> None:
    assert one_line("a\r\nb\0c") == "a\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}b�c"
    assert len(one_line("x" * 10_000)) == 200


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0 s"), (59, "59 s"), (3_725, "1 h 2 min"), (90_061, "1 d 1 h")]
)
def test_durations_have_two_units(seconds: int, text: str) -> None:
    assert format_duration(seconds) == text


def test_alert_lists_some_targets_and_counts_the_rest() -> None:
    subject = AlertedTarget(target_id="t", name="Shop", url="", status="DOWN", since=0)
    alert = Alert(
        id="i", event=Event.DOWN, at=0, targets=[subject] * 27, public_url="https://m.test"
    )
    assert alert.title == "27 targets are down"
    assert len(alert.entries) == 21
    assert alert.entries[-1] == ("and 7 more", "https://m.test/#/incidents")


def test_derived_id_is_a_uuid_of_its_time_and_parts() -> None:
    created = derived_id(1_795_000_000, "incident", "o", "t")
    assert is_id(created)
    assert id_time(created) == 1_795_000_000
    assert created == derived_id(1_795_000_000, "incident", "o", "t")
    assert created != derived_id(1_795_000_000, "incident", "ot", "")
