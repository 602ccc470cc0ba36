"""Text for times, percentages and states on status pages, in feeds and on badges."""

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from chalicelib.status_pages.page import Condition, Overall

OVERALL: Final[Mapping[Overall, str]] = {
    Overall.OPERATIONAL: "All systems operational",
    Overall.DEGRADED: "Degraded performance",
    Overall.PARTIAL_OUTAGE: "Partial outage",
    Overall.MAJOR_OUTAGE: "Major outage",
    Overall.MAINTENANCE: "Maintenance under way",
    Overall.UNKNOWN: "No current data",
}
CONDITION: Final[Mapping[Condition, str]] = {
    Condition.UP: "Operational",
    Condition.DOWN: "Down",
    Condition.DEGRADED: "Degraded",
    Condition.MAINTENANCE: "Maintenance",
    Condition.UNKNOWN: "No data",
    Condition.PENDING: "Not checked yet",
    Condition.PAUSED: "Paused",
}
_UNITS: Final = (("d", 86_400), ("h", 3_600), ("min", 60))


def percent(ratio: float | None) -> str:
    """Format a share as a percentage, never rounded up: 100 % means all of it."""
    if ratio is None:
        return "no data"
    return "100 %" if ratio >= 1 else f"{math.floor(ratio * 10_000) / 100:.2f} %"


def duration(seconds: int) -> str:
    """Format a duration in its two largest units: `2 h 5 min`."""
    parts, left = list[str](), seconds
    for unit, size in _UNITS:
        count, left = divmod(left, size)
        if count and len(parts) < 2:
            parts.append(f"{count} {unit}")
    return " ".join(parts) or f"{seconds} s"


def utc_time(at: int) -> str:
    """Format a time for people, in UTC."""
    return f"{datetime.fromtimestamp(at, UTC):%-d %b %Y, %H:%M} UTC"


def day(at: int) -> str:
    """Format a day for people, in UTC."""
    return f"{datetime.fromtimestamp(at, UTC):%-d %b %Y}"


def stamp(at: int) -> str:
    """Format a time as RFC 3339 in UTC."""
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%dT%H:%M:%SZ}"
