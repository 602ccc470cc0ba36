"""Request and response schemas of statistics and reports."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from chalicelib.api.schemas import GivenMoment, Model, Moment, Schema, Tag
from chalicelib.history.rollups.histogram import Histogram
from chalicelib.history.rollups.statistics import Tally
from chalicelib.history.service import Statistics
from chalicelib.monitoring.target import Target

WINDOWS_S: Mapping[str, int] = {
    "1h": 3_600,
    "24h": 86_400,
    "7d": 7 * 86_400,
    "30d": 30 * 86_400,
    "90d": 90 * 86_400,
    "365d": 365 * 86_400,
}


class StatsQuery(Schema):
    """A `window` that ends now (default 24h), or a range from `from` to `to` (default now)."""

    window: Literal["1h", "24h", "7d", "30d", "90d", "365d"] | None = None
    from_: Annotated[GivenMoment | None, Field(alias="from")] = None
    to: GivenMoment | None = None


class AllStatsQuery(StatsQuery):
    """With `tag`, only targets that have it."""

    tag: Tag | None = None


class ResponseTimesOut(Model):
    """Response times of UP and DEGRADED checks in milliseconds; null if there are none.

    `avg`, `min` and `max` are exact, percentiles within 2 %.
    """

    avg: float | None
    min: int | None
    max: int | None
    p50: int | None
    p95: int | None
    p99: int | None

    @classmethod
    def of(cls, found: Histogram) -> "ResponseTimesOut":
        mean = found.mean
        return cls(
            avg=None if mean is None else round(mean, 1),
            min=None if mean is None else found.low,
            max=None if mean is None else found.high,
            p50=found.percentile(0.50),
            p95=found.percentile(0.95),
            p99=found.percentile(0.99),
        )


class TallyOut(Model):
    """Totals over a range. `known_s` is the time that counts: neither UNKNOWN nor a gap.

    All checks are counted; `maintenance_s` seconds of excluded maintenance are left out of times.
    """

    uptime_ratio: float | None
    checks: int
    up: int
    down: int
    degraded: int
    unknown: int
    downtime_s: int
    known_s: int
    maintenance_s: int
    response_ms: ResponseTimesOut


def _sums(found: Tally) -> dict[str, Any]:
    up, down, degraded, unknown = found.counts
    return {
        "uptime_ratio": found.uptime_ratio,
        "checks": found.checks,
        "up": up,
        "down": down,
        "degraded": degraded,
        "unknown": unknown,
        "downtime_s": found.downtime_s,
        "known_s": found.known_s,
        "maintenance_s": found.maintenance_s,
        "response_ms": ResponseTimesOut.of(found.latency),
    }


class PointOut(TallyOut):
    """One bucket of a series."""

    start: Moment


class StatsOut(TallyOut):
    """Statistics from `from` to `to`.

    Where only hourly or daily rollups are kept, the range is extended to full hours or days.
    `mttr_s` is null if nothing recovered, `mtbf_s` if nothing failed.
    """

    from_: Annotated[Moment, Field(serialization_alias="from")]
    to: Moment
    targets: int
    incidents: int
    mttr_s: int | None
    mtbf_s: int | None
    bucket_s: int
    series: list[PointOut]

    @classmethod
    def of(cls, found: Statistics, targets: int) -> "StatsOut":
        whole = found.whole
        return cls(
            **_sums(whole),
            incidents=found.outages.count,
            mttr_s=found.outages.mttr_s,
            mtbf_s=found.outages.mtbf_s(whole.up_s),
            from_=whole.start,
            to=whole.end,
            targets=targets,
            bucket_s=found.bucket_s,
            series=[PointOut(start=part.start, **_sums(part)) for part in found.series],
        )


def month_span(month: str) -> tuple[int, int]:
    """The epoch seconds of a month, in UTC; raises ValueError if it is invalid."""
    if not re.fullmatch(r"\d{4}-\d{2}", month, re.ASCII):
        raise ValueError("must be a month such as 2026-11")
    try:
        first = datetime.strptime(month, "%Y-%m").replace(tzinfo=UTC)
        following = (first + timedelta(days=32)).replace(day=1)
    except (ValueError, OverflowError):
        raise ValueError("there is no such month") from None
    return int(first.timestamp()), int(following.timestamp())


def _month(month: str) -> str:
    month_span(month)
    return month


class ReportQuery(Schema):
    """One month in UTC; a page has up to 1,000 targets, oldest first."""

    month: Annotated[
        str,
        AfterValidator(_month),
        Field(
            json_schema_extra={"pattern": "^20[0-9]{2}-(0[1-9]|1[0-2])$", "examples": ["2026-11"]}
        ),
    ]
    format: Literal["json", "csv"] = "json"
    limit: int = Field(default=1_000, ge=1, le=1_000)
    cursor: str | None = Field(default=None, max_length=1000)


class ReportLine(TallyOut):
    """One target's month."""

    target_id: str
    name: str

    @classmethod
    def of(cls, target: Target, found: Tally) -> "ReportLine":
        return cls(target_id=target.id, name=target.name, **_sums(found))

    def cells(self) -> list[str]:
        """The cells of a CSV line in the order of REPORT_COLUMNS; empty for null."""
        values = {**self.model_dump(exclude={"response_ms"}), **self._times()}
        return [_cell(values[name]) for name in REPORT_COLUMNS]

    def _times(self) -> dict[str, Any]:
        return {f"response_ms_{name}": value for name, value in self.response_ms}


def _cell(value: object) -> str:
    text = "" if value is None else str(value)
    # Prevent spreadsheets from reading a name as a formula.
    return f"'{text}" if isinstance(value, str) and text[:1] in "=+-@\t\r" and text else text


REPORT_COLUMNS = (
    "target_id",
    "name",
    "uptime_ratio",
    "downtime_s",
    "known_s",
    "checks",
    "up",
    "down",
    "degraded",
    "unknown",
    "response_ms_avg",
    "response_ms_p50",
    "response_ms_p95",
    "response_ms_p99",
    "maintenance_s",
)


class ReportOut(Model):
    """The uptime of each target in a month; `to` is now if the month is not over."""

    month: str
    from_: Annotated[Moment, Field(serialization_alias="from")]
    to: Moment
    items: list[ReportLine]
    next_cursor: str | None
