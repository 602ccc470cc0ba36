"""When a cron expression fires in a time zone.

When clocks change, this behaves like Debian's cron. If the minute or the hour begins with `*`, the
expression fires whenever the clock shows a matching time. Otherwise, a time that the clocks skip
fires at the first time after the gap, and a time that occurs twice fires once.
"""

from bisect import bisect_left
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from itertools import islice, pairwise
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

_MARGIN_S = 3 * 3_600
"""More than clocks are ever set back, so that a search starts before an hour that occurs twice."""
_MAX_LENGTH = 100
_DAY_S = 86_400
_SYSTEM_ZONES = {"localtime", "posixrules", "Factory"}
"""Files of the zone database that depend on the machine or name no zone."""


class BadCronError(ValueError):
    """An invalid expression or time zone, or an expression that never fires."""


def fire_times(cron: str, timezone: str, start: int, end: int) -> Iterator[int]:
    """The epoch seconds in [start, end) at which it fires, in order; raises BadCronError."""
    for at in _fire_times_from(cron, timezone, start):
        if at >= end:
            return
        yield at


def min_interval_s(cron: str, timezone: str, now: int, count: int = 60) -> int | None:
    """The shortest time between two of the next `count` fire times; None if it fires only once.

    Raises BadCronError.
    """
    times = list(islice(_fire_times_from(cron, timezone, now), count))
    if not times:
        raise BadCronError("must match a date that exists")
    return min((b - a for a, b in pairwise(times)), default=None)


def read_zone(name: str) -> ZoneInfo:
    """Return the zone of an IANA name such as Europe/Berlin; raises BadCronError."""
    try:
        if name not in _SYSTEM_ZONES and not name.startswith(("posix/", "right/")):
            return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        pass
    raise BadCronError("must be a time zone such as Europe/Berlin or UTC")


def _fire_times_from(cron: str, zone_name: str, start: int) -> Iterator[int]:
    zone = read_zone(zone_name)
    fields = cron.split()
    if len(fields) != 5 or len(cron) > _MAX_LENGTH:
        raise BadCronError("must have five fields: minute, hour, day, month, day of the week")
    follows_clock = fields[0].startswith("*") or fields[1].startswith("*")
    found = _by_offset(cron, zone, start) if follows_clock else _by_day(cron, zone, start)
    try:
        yield from found
    except CronSimError as error:
        raise BadCronError(f"is not a cron expression: {error}") from None


def _by_day(cron: str, zone: ZoneInfo, start: int) -> Iterator[int]:
    last = start - 1
    for at in _simulate(cron, zone, max(start - _MARGIN_S, 0)):
        if at > last:
            last = at
            yield at


def _by_offset(cron: str, zone: ZoneInfo, start: int) -> Iterator[int]:
    """Simulate each period between two changes of the clocks on its own.

    CronSim loses times around changes by less than an hour, such as Lord Howe Island's.
    """
    while True:
        offset, end = _offset(zone, start), start
        for at in _simulate(cron, timezone(offset), start - 1):
            end = end if end > at else _end_of_offset(zone, offset, end, at)
            if end <= at:
                break
            yield at
        start = end


def _end_of_offset(zone: ZoneInfo, offset: timedelta, start: int, at: int) -> int:
    """When the clocks change next; any time after `at` if they do not change before that."""
    for day in range(start, at + 1, _DAY_S):
        if _offset(zone, day + _DAY_S) != offset:
            seconds = range(day, day + _DAY_S + 1)
            return seconds[bisect_left(seconds, 1, key=lambda s: _offset(zone, s) != offset)]
    return at + 1


def _offset(zone: ZoneInfo, at: int) -> timedelta:
    return datetime.fromtimestamp(at, zone).utcoffset() or timedelta()


def _simulate(cron: str, zone: tzinfo, start: int) -> Iterator[int]:
    """The epoch seconds after `start` at which the expression fires."""
    begin = datetime.fromtimestamp(start, UTC).astimezone(zone)
    return (int(moment.timestamp()) for moment in CronSim(cron, begin))
