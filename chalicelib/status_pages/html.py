"""A status page as one self-contained HTML document that also works without its script."""

from collections.abc import Iterable, Sequence
from html import escape
from string import Template

from chalicelib.api import assets
from chalicelib.status_pages.page import Condition
from chalicelib.status_pages.text import CONDITION, OVERALL, day, duration, percent, stamp, utc_time
from chalicelib.status_pages.view import (
    DAY_S,
    Day,
    IncidentView,
    MaintenanceView,
    SectionView,
    StatusPage,
    TargetView,
    uptime,
)
from chalicelib.status_pages.view_builder import PAST_S

_MARKS = {
    Condition.UP: "✓",
    Condition.DOWN: "✕",
    Condition.DEGRADED: "!",
    Condition.MAINTENANCE: "⚒",
    Condition.UNKNOWN: "?",
    Condition.PENDING: "?",
    Condition.PAUSED: "·",
}
_SHORTER = (7, 30)


def render(page: StatusPage) -> str:
    """Return the page. All text of its owner is escaped in this module."""
    planned = [one for one in page.maintenance if not one.active]
    active = [one for one in page.maintenance if one.active]
    now = [one for one in page.incidents if one.closed_at is None]
    past = [one for one in page.incidents if one.closed_at is not None]
    return Template(assets.read(__package__, "status.html")).substitute(
        title=escape(page.title),
        slug=escape(page.slug),
        description=f"<p>{escape(page.description)}</p>" if page.description else "",
        overall=page.status,
        says=OVERALL[page.status],
        now=_part("Now", [*map(_incident, now), *map(_maintenance, active)]),
        sections="".join(_section(page, section) for section in page.sections)
        or '<p class="card quiet">Nothing is shown on this page yet.</p>',
        planned=_part("Planned maintenance", map(_maintenance, planned)),
        past=_past(past),
        made_at=_time(page.made_at),
    )


def _part(heading: str, entries: Iterable[str]) -> str:
    listed = "".join(f"<li>{entry}</li>" for entry in entries)
    return f"<section><h2>{heading}</h2><ul class=card>{listed}</ul></section>" if listed else ""


def _past(incidents: Sequence[IncidentView]) -> str:
    none = f"<p class=quiet>None in the last {PAST_S // DAY_S} days.</p>"
    return _part("Past incidents", map(_incident, incidents) if incidents else [none])


def _incident(incident: IncidentView) -> str:
    name = escape(incident.target)
    start = _time(incident.first_failed_at)
    if incident.closed_at is not None:
        lasted = duration(incident.closed_at - incident.first_failed_at)
        return f"<b>{name} was down for {lasted}</b><p>{start} to {_time(incident.closed_at)}</p>"
    seen = incident.acknowledged_at
    note = f" Being looked into since {_time(seen)}." if seen is not None else ""
    return f"<b class=DOWN>{name} is down</b><p>Since {start}.{note}</p>"


def _maintenance(window: MaintenanceView) -> str:
    names = ", ".join(map(escape, window.targets))
    span = f"{_time(window.starts_at)} to {_time(window.ends_at)}"
    return f"<b class=MAINTENANCE>{escape(window.name)}</b><p>{span}</p><p class=quiet>{names}</p>"


def _section(page: StatusPage, section: SectionView) -> str:
    name = section.name
    heading = f"<h2>{escape(name)}</h2>" if name else "<h2 class=unseen>Services</h2>"
    rows = "".join(_target(page, target) for target in section.targets)
    return f"<section>{heading}<ul class=card>{rows}</ul></section>"


def _target(page: StatusPage, target: TargetView) -> str:
    name, state = escape(target.name), target.status
    since = f" since {_time(target.since)}" if target.stale else ""
    ratio = f"{percent(target.uptime_ratio)} up" if target.uptime_ratio is not None else "no data"
    outages = sum(1 for one in target.days if one.downtime_s)
    days = f", {outages} with outages" if outages else ""
    summary = f"The last {len(target.days)} days{days}: {ratio}"
    bars = "".join(_bar(one, page.made_at) for one in target.days)
    return (
        f"<li><div class=row><h3>{name}</h3>"
        f'<span class="state {state}"><span aria-hidden=true>{_MARKS[state]}</span>'
        f" {CONDITION[state]}{since}</span></div>"
        f'<div class=days role=img aria-label="{summary}">{bars}</div>'
        f"<div class=row><small>{len(target.days)} days ago</small>"
        f"<small>{_figures(target)}</small><small>today</small></div></li>"
    )


def _figures(target: TargetView) -> str:
    """Return the uptime over 7, 30 and all days; narrow screens show only the last."""
    if target.uptime_ratio is None:
        return "no data"
    days = target.days
    shorter = "".join(
        f"{count} days {percent(uptime(days[-count:]))} · "
        for count in _SHORTER
        if count < len(days)
    )
    speed = "" if target.response_ms is None else f" · {target.response_ms} ms"
    return (
        f"<span class=wide>{shorter}{len(days)} days </span>{percent(target.uptime_ratio)}{speed}"
    )


def _bar(one: Day, now: int) -> str:
    return f'<i class="{_bar_class(one, now)}" title="{day(one.start)}: {_describe(one)}"></i>'


def _bar_class(one: Day, now: int) -> str:
    """Return the CSS classes of a day. An unknown day is a gap and never looks like a good one."""
    ratio = one.uptime_ratio
    if ratio is None:
        return "w" if one.maintenance_s else "g"
    kind = "u" if ratio == 1 else "m" if ratio >= 0.99 else "d" if ratio >= 0.95 else "x"
    if kind == "u" and one.degraded_s * 100 > one.known_s:
        kind = "m"
    passed = min(DAY_S, max(1, now - one.start))
    is_partly_known = (one.known_s + one.maintenance_s) * 2 < passed
    return f"{kind} p" if is_partly_known else kind


def _describe(one: Day) -> str:
    parts = [percent(one.uptime_ratio)]
    if parts[0] != "no data":
        parts[0] += " up"
    if one.downtime_s:
        parts.append(f"down for {duration(one.downtime_s)}")
    if one.maintenance_s:
        parts.append(f"maintenance for {duration(one.maintenance_s)}")
    if one.response_ms is not None:
        parts.append(f"{one.response_ms} ms")
    return ", ".join(parts)


def _time(at: int) -> str:
    return f'<time datetime="{stamp(at)}">{utc_time(at)}</time>'
