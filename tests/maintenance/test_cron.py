"""Cron expressions in a time zone, also on days when clocks change."""

from collections.abc import Callable
from datetime import UTC, datetime
from itertools import islice
from zoneinfo import ZoneInfo

import pytest
from cronsim import CronSim

from chalicelib.maintenance.cron import BadCronError, fire_times, min_interval_s

YEAR_S = 366 * 86_400


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


def formatted(cron: str, zone: str, start: str, count: int) -> list[str]:
    found = islice(fire_times(cron, zone, at(start), at(start) + YEAR_S), count)
    return [datetime.fromtimestamp(one, UTC).strftime("%m-%d %H:%M") for one in found]


@pytest.mark.parametrize(
    ("cron", "zone", "start", "expected"),
    [
        # The same local time, a different time in UTC.
        ("0 3 * * *", "Europe/Berlin", "2026-03-28", ["03-28 02:00", "03-29 01:00", "03-30 01:00"]),
        ("0 3 * * *", "Europe/Berlin", "2026-10-24", ["10-24 01:00", "10-25 02:00", "10-26 02:00"]),
        # 02:30 does not exist on the 29th of March; it fires once, at the next time that exists.
        (
            "30 2 * * *",
            "Europe/Berlin",
            "2026-03-28",
            ["03-28 01:30", "03-29 01:00", "03-30 00:30"],
        ),
        # 02:30 occurs twice on the 25th of October; it fires once, at the first.
        (
            "30 2 * * *",
            "Europe/Berlin",
            "2026-10-24",
            ["10-24 00:30", "10-25 00:30", "10-26 01:30"],
        ),
        # An hourly expression fires in both hours of the same name.
        (
            "30 * * * *",
            "Europe/Berlin",
            "2026-10-25",
            ["10-25 00:30", "10-25 01:30", "10-25 02:30"],
        ),
        # The clocks of Lord Howe Island change by half an hour: 01:30 comes twice, 02:00 to 02:29
        # are skipped.
        (
            "30 * * * *",
            "Australia/Lord_Howe",
            "2026-04-04T14:00",
            ["04-04 14:30", "04-04 15:00", "04-04 16:00"],
        ),
        (
            "30 * * * *",
            "Australia/Lord_Howe",
            "2026-10-03T15:00",
            ["10-03 15:00", "10-03 15:30", "10-03 16:30"],
        ),
        ("* 2 25 10 *", "Europe/Berlin", "2026-10-24T23:59", ["10-25 00:00", "10-25 00:01"]),
        ("0 0 29 2 *", "UTC", "2028-01-01", ["02-29 00:00"]),
        ("0 1 * * SUN#1", "America/New_York", "2026-11-01", ["11-01 05:00", "12-06 06:00"]),
    ],
)
def test_days_when_clocks_change(cron: str, zone: str, start: str, expected: list[str]) -> None:
    assert formatted(cron, zone, start, len(expected)) == expected


def test_searches_from_any_start_find_the_same_times() -> None:
    """On the day with two hours of the same name, no time is missed or repeated."""
    start, end = at("2026-10-24T20:00"), at("2026-10-25T08:00")
    for cron in ("30 2 * * *", "15 1-4 * * *", "0 * * * *"):
        whole = list(fire_times(cron, "Europe/Berlin", start, end))
        for cut in range(start, end, 600):
            parts = [
                *fire_times(cron, "Europe/Berlin", start, cut),
                *fire_times(cron, "Europe/Berlin", cut, end),
            ]
            assert parts == whole


@pytest.mark.parametrize("zone", ["Australia/Lord_Howe", "Europe/Berlin", "America/New_York"])
@pytest.mark.parametrize("cron", ["30 * * * *", "*/7 1-2 * * *", "* 2 * * SUN", "45 */2 * 4,10 *"])
def test_wildcards_fire_whenever_the_clock_shows_a_matching_time(cron: str, zone: str) -> None:
    """Compared with matching every minute of a year's months with changes of the clocks."""
    matches = _fields(cron)
    for start in map(at, ("2026-03-01", "2026-10-01")):
        end = start + 40 * 86_400
        minutes = range(start, end, 60)
        expected = [one for one in minutes if matches(datetime.fromtimestamp(one, ZoneInfo(zone)))]
        assert list(fire_times(cron, zone, start, end)) == expected


def _fields(cron: str) -> Callable[[datetime], bool]:
    parts = CronSim(cron, datetime(2026, 1, 1, tzinfo=UTC))
    return lambda local: (
        local.minute in parts.minutes
        and local.hour in parts.hours
        and local.month in parts.months
        and ("SUN" not in cron or local.weekday() == 6)
    )


@pytest.mark.parametrize(
    ("cron", "zone"),
    [
        ("61 * * * *", "UTC"),
        ("* * * *", "UTC"),
        ("0 0 0 * * *", "UTC"),
        ("0 0 31 2 *", "UTC"),
        ("", "UTC"),
        ("0 0 * * * " * 50, "UTC"),
        ("0 0 * * *", "Mars/Olympus"),
        ("0 0 * * *", ""),
        ("0 0 * * *", "localtime"),
        ("0 0 * * *", "posixrules"),
        ("0 0 * * *", "Factory"),
        ("0 0 * * *", "right/UTC"),
        ("0 0 * * *", "../../etc/passwd"),
    ],
)
def test_invalid_expressions_and_zones_are_rejected(cron: str, zone: str) -> None:
    with pytest.raises(BadCronError):
        min_interval_s(cron, zone, at("2026-11-22"))


def test_min_interval() -> None:
    assert min_interval_s("*/20 * * * *", "UTC", 0) == 1_200
    assert min_interval_s("0 0 * * *", "Europe/Berlin", at("2026-03-01")) == 23 * 3_600
