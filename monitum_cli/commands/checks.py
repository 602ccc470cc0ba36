"""Checks and what is counted of them."""

from datetime import datetime, timedelta
from itertools import islice
from typing import Any

import click

from monitum_cli.client import Api
from monitum_cli.commands.options import (
    duration,
    json_option,
    limit_option,
    milliseconds,
    moment,
    percent,
    with_session,
)
from monitum_cli.errors import Exit, Failure
from monitum_cli.finding import TARGET, find, find_id
from monitum_cli.session import Session

_VERDICTS = ("UP", "DOWN", "DEGRADED", "UNKNOWN")
_WINDOWS = ("1h", "24h", "7d", "30d", "90d", "365d")
_COLUMNS = ("CHECKED AT", "VERDICT", "RESPONSE", "CODE", "REASON", "ERROR")
_PERIODS_S = (2, 15)
"""The shortest and the longest time between two looks at what is followed."""


@click.command()
@click.argument("target", metavar="TARGET")
@click.option("--follow", "-f", is_flag=True, help="Go on with each new check, until Ctrl-C.")
@click.option("--verdict", type=click.Choice(_VERDICTS, case_sensitive=False))
@click.option("--from", "from_", metavar="TIME", help="Such as 2026-11-22T06:40:00Z.")
@click.option("--to", metavar="TIME")
@limit_option(20)
@json_option
@with_session
def checks(
    session: Session, /, target: str, *, follow: bool, limit: int, as_json: bool, **query: Any
) -> None:
    """List the checks of a target, newest first; followed, newest last."""
    if follow and query["to"]:
        raise Failure("--follow goes on: it takes no --to", Exit.USAGE)
    watched = find(session.api, TARGET, target)
    path = f"/v1/targets/{watched['id']}/checks"
    found = list(islice(session.api.each(path, **query, limit=min(limit, 200)), limit))
    if follow:
        _follow(session, watched, found, as_json=as_json, verdict=query["verdict"])
    else:
        session.output.listed(found, _COLUMNS, _row, as_json=as_json)


def _row(check: dict[str, Any]) -> tuple[object, ...]:
    return (
        moment(check["checked_at"]),
        check["verdict"],
        milliseconds(check["response_ms"]),
        check["status_code"],
        check["reason"],
        check["error"],
    )


def _follow(
    session: Session,
    target: dict[str, Any],
    before: list[dict[str, Any]],
    *,
    as_json: bool,
    verdict: str | None,
) -> None:
    """Print what is there, then what is new, until interrupted."""
    shown: dict[tuple[str, str], None] = {}
    path = f"/v1/targets/{target['id']}/checks"
    period = min(max(target["interval_s"] / 2, _PERIODS_S[0]), _PERIODS_S[1])
    fresh = before
    while True:
        for check in reversed(fresh):
            key = (check["checked_at"], check["region"])
            if key not in shown:
                shown[key] = None
                _print(session, check, as_json=as_json)
        session.sleep(period)
        since = _overlapping(next(reversed(shown), None), target["interval_s"])
        fresh = _look(session, path, from_=since, verdict=verdict)


def _look(session: Session, path: str, **query: Any) -> list[dict[str, Any]]:
    """The checks since then; nothing where the API is out of reach for a while."""
    try:
        return list(islice(session.api.each(path, **query), 1_000))
    except Failure as failure:
        if failure.code is not Exit.UNREACHABLE:
            raise
        session.output.warn(failure)
        return []


def _overlapping(last: tuple[str, str] | None, interval_s: int) -> str | None:
    """From when to look: a check that was late may be older than the last one shown."""
    if last is None:
        return None
    earlier = datetime.fromisoformat(last[0]) - timedelta(seconds=2 * interval_s)
    return earlier.strftime("%Y-%m-%dT%H:%M:%SZ")


def _print(session: Session, check: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        session.output.json_line(check)
        return
    at, verdict, took, code, reason, error = _row(check)
    why = f"  {reason}: {error}" if reason else ""
    style = {"DOWN": "bold red", "DEGRADED": "yellow", "UNKNOWN": "magenta"}.get(str(verdict), "")
    session.output.line(f"{at}  {verdict:<8}  {took:>9}  {code or '-':>3}{why}", style)


@click.command()
@click.argument("target", metavar="[TARGET]", required=False)
@click.option("--window", type=click.Choice(_WINDOWS), help="Up to now; 24h where nothing is said.")
@click.option("--from", "from_", metavar="TIME")
@click.option("--to", metavar="TIME")
@click.option("--tag", help="Of all targets with a tag together.")
@click.option("--month", metavar="YYYY-MM", help="One line per target for a month.")
@json_option
@with_session
def stats(
    session: Session,
    /,
    target: str | None,
    *,
    tag: str | None,
    month: str | None,
    as_json: bool,
    **span: Any,
) -> None:
    """Show uptime, downtime and response times of a target, a tag or everything."""
    if month is not None:
        _month(session, month, as_json=as_json)
        return
    found = _stats(session.api, target, tag, span)
    if as_json:
        session.output.json(found)
        return
    times = found["response_ms"]
    session.output.pairs(
        [
            ("from", moment(found["from"])),
            ("to", moment(found["to"])),
            ("targets", found["targets"]),
            ("uptime", percent(found["uptime_ratio"])),
            ("downtime", duration(found["downtime_s"])),
            ("incidents", found["incidents"]),
            (
                "checks",
                f"{found['checks']:,} ({found['down']:,} down, {found['unknown']:,} unknown)",
            ),
            ("mean time to recover", duration(found["mttr_s"])),
            ("mean time between failures", duration(found["mtbf_s"])),
            *((f"response {name}", milliseconds(times[name])) for name in ("p50", "p95", "p99")),
        ]
    )


def _stats(api: Api, target: str | None, tag: str | None, span: dict[str, Any]) -> dict[str, Any]:
    if target is not None and tag is not None:
        raise Failure("give a target or --tag, not both", Exit.USAGE)
    path = f"/v1/targets/{find_id(api, TARGET, target)}/stats" if target else "/v1/stats"
    found: dict[str, Any] = api.get(path, tag=tag, **span)
    return found


def _month(session: Session, month: str, *, as_json: bool) -> None:
    lines = list(session.api.each("/v1/reports/uptime", month=month))
    if as_json:
        session.output.json({"month": month, "items": lines, "next_cursor": None})
        return
    session.output.table(
        ("NAME", "UPTIME", "DOWNTIME", "CHECKS", "P95"),
        (
            (
                line["name"],
                percent(line["uptime_ratio"]),
                duration(line["downtime_s"]),
                line["checks"],
                milliseconds(line["response_ms"]["p95"]),
            )
            for line in lines
        ),
    )
