"""API operations for statistics and reports."""

import csv
from collections.abc import Collection, Iterable, Sequence
from io import StringIO
from typing import Any
from urllib.parse import urlencode

from chalicelib.access.authentication import Scope
from chalicelib.api.request import Call, Response
from chalicelib.api.routing import JSON, Routes
from chalicelib.common.errors import BadRequestError, Fault
from chalicelib.common.intervals import Span
from chalicelib.history.aggregation import QueryTooLargeError
from chalicelib.history.schemas import (
    REPORT_COLUMNS,
    WINDOWS_S,
    AllStatsQuery,
    ReportLine,
    ReportOut,
    ReportQuery,
    StatsOut,
    StatsQuery,
    month_span,
)
from chalicelib.history.service import each_over, retention, statistics
from chalicelib.monitoring.storage.target_repository import Targets
from chalicelib.monitoring.target import Target

routes = Routes()


@routes(
    "GET",
    "/v1/targets/{target_id}/stats",
    scope=Scope.READ,
    query=StatsQuery,
    response=StatsOut,
)
def get_target_stats(call: Call[None, StatsQuery]) -> Response:
    """Show a target's uptime, downtime and response times over a window or a range."""
    span = _span(call)
    target = Targets(call.owner).get(call.id("target_id", "target"))
    return _summed_up(call, span, [target])


@routes("GET", "/v1/stats", scope=Scope.READ, query=AllStatsQuery, response=StatsOut)
def get_stats(call: Call[None, AllStatsQuery]) -> Response:
    """Show the statistics of all targets together, or of those with a tag."""
    span, tag = _span(call), call.query.tag
    everything = list(Targets(call.owner).all())
    targets = [target for target in everything if tag is None or tag in target.tags]
    others = {target.lane for target in everything if tag is not None and tag not in target.tags}
    return _summed_up(call, span, targets, {target.lane for target in targets} - others)


def _summed_up(
    call: Call[None, StatsQuery] | Call[None, AllStatsQuery],
    span: Span,
    targets: Sequence[Target],
    whole_lanes: Collection[int] = (),
) -> Response:
    try:
        found = statistics(call.runtime, call.owner, targets, span, whole_lanes=whole_lanes)
    except QueryTooLargeError:
        name = "window" if call.query.from_ is None else "from"
        reason = f"is too long ago for {len(targets)} targets at once: start later or filter by tag"
        raise _refused(name, reason) from None
    return Response(StatsOut.of(found, len(targets)))


@routes(
    "GET",
    "/v1/reports/uptime",
    scope=Scope.READ,
    query=ReportQuery,
    response=ReportOut,
    media_types=[JSON, "text/csv"],
    response_headers=["Link"],
)
def get_uptime_report(call: Call[None, ReportQuery]) -> Response:
    """Report a month's uptime, target by target, as JSON or CSV."""
    query, cursors = call.query, call.cursors("uptime report")
    start, end = _kept(call, month_span(query.month), "month")
    targets, last = Targets(call.owner).page(cursors.read(query.cursor), query.limit)
    try:
        found = each_over(call.runtime, call.owner, targets, (start, end))
    except QueryTooLargeError:
        raise _refused("limit", "is too many targets at once: use a smaller page") from None
    lines = [ReportLine.of(target, found[target.id]) for target in targets]
    next_cursor = cursors.write(last)
    headers = {}
    if next_cursor:
        given = urlencode({**call.raw_query, "cursor": next_cursor})
        headers["Link"] = f'<?{given}>; rel="next"'
    if query.format == "csv":
        name = f"uptime-{query.month}.csv"
        headers["Content-Type"] = "text/csv; charset=utf-8; header=present"
        headers["Content-Disposition"] = f'attachment; filename="{name}"'
        return Response(_csv(lines), headers=headers)
    body = ReportOut(
        month=query.month,
        from_=start,
        to=min(end, call.runtime.now),
        items=lines,
        next_cursor=next_cursor,
    )
    return Response(body, headers=headers)


def _csv(lines: Iterable[ReportLine]) -> str:
    """The lines as CSV (RFC 4180)."""
    text = StringIO()
    writer = csv.writer(text)
    writer.writerow(REPORT_COLUMNS)
    writer.writerows(line.cells() for line in lines)
    return text.getvalue()


def _span(call: Call[None, StatsQuery] | Call[None, AllStatsQuery]) -> Span:
    """The requested range; raises BadRequestError, naming the parameter."""
    query, now = call.query, call.runtime.now
    if query.window is not None:
        for name, value in (("from", query.from_), ("to", query.to)):
            if value is not None:
                raise _refused(name, "cannot be combined with 'window': send one of the two")
    if query.from_ is None:
        if query.to is not None:
            raise _refused("to", "requires 'from'")
        length = WINDOWS_S[query.window or "24h"]
        oldest = retention(call.runtime).days
        return max(now - length, oldest), now
    if query.to is not None and query.from_ >= query.to:
        raise _refused("from", "must be before 'to'")
    return _kept(call, (query.from_, now if query.to is None else query.to), "from")


def _kept(call: Call[None, Any], span: Span, name: str) -> Span:
    """The range, if it can have history; raises BadRequestError."""
    if span[0] >= call.runtime.now:
        raise _refused(name, "must not be in the future")
    if span[0] < retention(call.runtime).days:
        days = call.runtime.settings.daily_retention_days
        raise _refused(name, f"is too long ago: history is kept for {days} days")
    return span


def _refused(name: str, reason: str) -> BadRequestError:
    return BadRequestError("invalid range", (Fault(("query", name), reason),))
