"""When windows recur: in the owner's zone, on the days clocks change too."""

from collections.abc import Callable
from datetime import UTC, datetime
from itertools import islice
from zoneinfo import ZoneInfo

import pytest
from cronsim import CronSim

from chalicelib.maintenance.cron import BadCronError, fires, shortest_pause_s

YEAR_S = 366 * 86_400


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


def told(cron: str, zone: str, start: str, count: int) -> list[str]:
    found = islice(fires(cron, zone, at(start), at(start) + YEAR_S), count)
    return [datetime.fromtimestamp(one, UTC).strftime("%m-%d %H:%M") for one in found]


@pytest.mark.parametrize(
    ("cron", "zone", "start", "wanted"),
    [
        # The same time on the clock, another one in UTC.
        ("0 3 * * *", "Europe/Berlin", "2026-03-28", ["03-28 02:00", "03-29 01:00", "03-30 01:00"]),
        ("0 3 * * *", "Europe/Berlin", "2026-10-24", ["10-24 01:00", "10-25 02:00", "10-26 02:00"]),
        # 02:30 does not come on the 29th of March: it is what comes instead, once.
        (
            "30 2 * * *",
            "Europe/Berlin",
            "2026-03-28",
            ["03-28 01:30", "03-29 01:00", "03-30 00:30"],
        ),
        # 02:30 comes twice on the 25th of October: it is the first one, once.
        (
            "30 2 * * *",
            "Europe/Berlin",
            "2026-10-24",
            ["10-24 00:30", "10-25 00:30", "10-26 01:30"],
        ),
        # An hour that comes twice is two hours to what comes every hour.
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
def test_days_on_which_clocks_change(cron: str, zone: str, start: str, wanted: list[str]) -> None:
    assert told(cron, zone, start, len(wanted)) == wanted


def test_a_time_is_found_from_wherever_it_is_looked_for() -> None:
    """On the day with two hours of the same name: none is lost or told twice."""
    start, end = at("2026-10-24T20:00"), at("2026-10-25T08:00")
    for cron in ("30 2 * * *", "15 1-4 * * *", "0 * * * *"):
        whole = list(fires(cron, "Europe/Berlin", start, end))
        for cut in range(start, end, 600):
            parts = [
                *fires(cron, "Europe/Berlin", start, cut),
                *fires(cron, "Europe/Berlin", cut, end),
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
        wanted = [one for one in minutes if matches(datetime.fromtimestamp(one, ZoneInfo(zone)))]
        assert list(fires(cron, zone, start, end)) == wanted


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
def test_what_never_comes_is_refused(cron: str, zone: str) -> None:
    with pytest.raises(BadCronError):
        shortest_pause_s(cron, zone, at("2026-11-22"))


def test_how_often_it_comes() -> None:
    assert shortest_pause_s("*/20 * * * *", "UTC", 0) == 1_200
    assert shortest_pause_s("0 0 * * *", "Europe/Berlin", at("2026-03-01")) == 23 * 3_600
