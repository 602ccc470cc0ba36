"""When a cron expression fires in a time zone, as Debian's cron does on the days clocks change.

A time that the clocks skip fires at the first one behind it, a time that comes twice fires once;
but where minute or hour is `*`, every hour that passes counts, as it does for cron.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice, pairwise
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

_MARGIN_S = 3 * 3_600
"""More than clocks are ever put back: so much earlier an hour that comes twice is begun before."""
_LENGTH = 100


class BadCronError(ValueError):
    """An expression or a zone that cannot be read, or a time that never comes."""


def fires(cron: str, timezone: str, start: int, end: int) -> Iterator[int]:
    """The epoch seconds in [start, end) at which it fires, in order; raises BadCronError."""
    for at in _from(cron, timezone, start):
        if at >= end:
            return
        yield at


def shortest_pause_s(cron: str, timezone: str, now: int, count: int = 60) -> int | None:
    """The shortest time between two of the next `count` fires; None where it fires once only.

    Raises BadCronError.
    """
    times = list(islice(_from(cron, timezone, now), count))
    if not times:
        raise BadCronError("never comes")
    return min((b - a for a, b in pairwise(times)), default=None)


def read_zone(timezone: str) -> ZoneInfo:
    """The zone of an IANA name such as Europe/Berlin; raises BadCronError."""
    try:
        return ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise BadCronError("must be a time zone such as Europe/Berlin or UTC") from None


def _from(cron: str, timezone: str, start: int) -> Iterator[int]:
    zone = read_zone(timezone)
    if len(cron.split()) != 5 or len(cron) > _LENGTH:
        raise BadCronError("must have five fields: minute, hour, day, month, day of the week")
    begin = datetime.fromtimestamp(max(start - _MARGIN_S, 0), UTC).astimezone(zone)
    last = start - 1
    try:
        for moment in CronSim(cron, begin):
            at = int(moment.timestamp())
            if at > last:
                last = at
                yield at
    except CronSimError as error:
        raise BadCronError(str(error)) from None
