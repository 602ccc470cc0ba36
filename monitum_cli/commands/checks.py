"""Check results and statistics."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

import click

from monitum_cli.commands.common import limit_option, with_session
from monitum_cli.errors import CliError, ExitCode
from monitum_cli.formatting import duration, milliseconds, percent, timestamp
from monitum_cli.lookup import TARGET, find, find_id
from monitum_cli.output import STYLES
from monitum_cli.session import Session

_VERDICTS = ("UP", "DOWN", "DEGRADED", "UNKNOWN")
_WINDOWS = ("1h", "24h", "7d", "30d", "90d", "365d")
_MIN_POLL_S, _MAX_POLL_S = 2, 15
"""The shortest and longest time between two requests of `--follow`."""
_MAX_PER_POLL = 1_000


@click.command()
@click.argument("target", metavar="TARGET")
@click.option("--follow", "-f", is_flag=True, help="Print new checks until interrupted by Ctrl-C.")
@click.option("--verdict", type=click.Choice(_VERDICTS, case_sensitive=False))
@click.option("--from", "from_", metavar="TIME", help="For example 2026-11-22T06:40:00Z.")
@click.option("--to", metavar="TIME")
@limit_option(20)
@with_session
def checks(session: Session, /, target: str, *, follow: bool, limit: int, **query: Any) -> None:
    """List the checks of a target, newest first, or newest last with --follow."""
    if follow and query["to"]:
        raise CliError("--follow cannot be combined with --to", ExitCode.USAGE)
    found = find(session.api, TARGET, target)
    path = f"/v1/targets/{found['id']}/checks"
    listed = list(islice(session.api.paginate(path, **query, limit=min(limit, 200)), limit))
    if follow:
        _follow(session, found, listed, verdict=query["verdict"])
    else:
        columns = ("CHECKED AT", "VERDICT", "RESPONSE", "CODE", "REASON", "ERROR")
        session.output.items(listed, columns, _row)


def _row(check: dict[str, Any]) -> tuple[object, ...]:
    return (
        timestamp(check["checked_at"]),
        check["verdict"],
        milliseconds(check["response_ms"]),
        check["status_code"],
        check["reason"],
        check["error"],
    )


def _follow(
    session: Session,
    target: dict[str, Any],
    checks: list[dict[str, Any]],
    *,
    verdict: str | None,
) -> None:
    """Print `checks`, then new ones, until interrupted."""
    printed: dict[tuple[str, str], None] = {}
    path = f"/v1/targets/{target['id']}/checks"
    period = min(max(target["interval_s"] / 2, _MIN_POLL_S), _MAX_POLL_S)
    while True:
        for check in reversed(checks):
            key = (check["checked_at"], check["region"])
            if key not in printed:
                printed[key] = None
                _print(session, check)
        session.sleep(period)
        since = _poll_start(next(reversed(printed), None), target["interval_s"])
        checks = _poll(session, path, from_=since, verdict=verdict)


def _poll(session: Session, path: str, **query: Any) -> list[dict[str, Any]]:
    """Return the newest checks; warn and return none while the API is unreachable."""
    try:
        return list(islice(session.api.paginate(path, **query), _MAX_PER_POLL))
    except CliError as error:
        if error.exit_code is not ExitCode.UNREACHABLE:
            raise
        session.output.warning(error)
        return []


def _poll_start(last: tuple[str, str] | None, interval_s: int) -> str | None:
    """Return the time to poll from.

    It overlaps with what is printed: a late check may be older than the last one printed.
    """
    if last is None:
        return None
    start = datetime.fromisoformat(last[0]) - timedelta(seconds=2 * interval_s)
    return start.strftime("%Y-%m-%dT%H:%M:%SZ")


def _print(session: Session, check: dict[str, Any]) -> None:
    if session.output.as_json:
        session.output.json(check, indent=None)
        return
    at, verdict, response, code, reason, error = _row(check)
    details = f"  {reason}: {error}" if reason else ""
    style = "" if verdict == "UP" else STYLES.get(str(verdict), "")
    session.output.line(f"{at}  {verdict:<8}  {response:>9}  {code or '-':>3}{details}", style)


@click.command()
@click.argument("target", metavar="[TARGET]", required=False)
@click.option("--window", type=click.Choice(_WINDOWS), help="The time until now; default 24h.")
@click.option("--from", "from_", metavar="TIME")
@click.option("--to", metavar="TIME")
@click.option("--tag", help="All targets with a tag.")
@click.option("--month", metavar="YYYY-MM", help="A month's report with a line per target.")
@with_session
def stats(
    session: Session, /, target: str | None, *, tag: str | None, month: str | None, **period: Any
) -> None:
    """Show uptime, downtime and response times of a target, a tag or all targets."""
    if month is not None:
        _print_report(session, month)
        return
    if target is not None and tag is not None:
        raise CliError("give either a target or --tag, not both", ExitCode.USAGE)
    path = "/v1/stats"
    if target:
        path = f"/v1/targets/{find_id(session.api, TARGET, target)}/stats"
    found = session.api.get(path, tag=tag, **period)
    session.output.item(found, _stats_fields(found))


def _stats_fields(stats: dict[str, Any]) -> Iterator[tuple[str, object]]:
    yield "from", timestamp(stats["from"])
    yield "to", timestamp(stats["to"])
    yield "targets", stats["targets"]
    yield "uptime", percent(stats["uptime_ratio"])
    yield "downtime", duration(stats["downtime_s"])
    yield "incidents", stats["incidents"]
    failed = f"{stats['down']:,} down, {stats['unknown']:,} unknown"
    yield "checks", f"{stats['checks']:,} ({failed})"
    yield "mean time to recover", duration(stats["mttr_s"])
    yield "mean time between failures", duration(stats["mtbf_s"])
    for name in ("p50", "p95", "p99"):
        yield f"response {name}", milliseconds(stats["response_ms"][name])


def _print_report(session: Session, month: str) -> None:
    lines = list(session.api.paginate("/v1/reports/uptime", month=month))
    if session.output.as_json:
        session.output.json({"month": month, "items": lines, "next_cursor": None})
    else:
        columns = ("NAME", "UPTIME", "DOWNTIME", "CHECKS", "P95")
        session.output.table(columns, map(_report_row, lines))


def _report_row(line: dict[str, Any]) -> tuple[object, ...]:
    return (
        line["name"],
        percent(line["uptime_ratio"]),
        duration(line["downtime_s"]),
        line["checks"],
        milliseconds(line["response_ms"]["p95"]),
    )
