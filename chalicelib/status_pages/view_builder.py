"""Status pages as visitors see them: what is published, and nothing else of its owner's.

Here is decided what leaves the owner's data. No address, error text, tag or id of a target does; an
id on a page is a hash that means nothing elsewhere.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Final

from chalicelib.alerting.incident import Incident, incident_key
from chalicelib.alerting.storage.incident_repository import Incidents
from chalicelib.aws.tenancy import acting_for
from chalicelib.common.errors import NotFoundError
from chalicelib.common.ids import id_time
from chalicelib.common.intervals import Span
from chalicelib.maintenance.occurrences import Calendar, next_time, read_calendar
from chalicelib.monitoring.storage.target_repository import Targets
from chalicelib.monitoring.target import Target
from chalicelib.status_pages.daily_uptime import read_days, response, uptime
from chalicelib.status_pages.page import Condition, Page, arranged, is_slug, overall, public_id
from chalicelib.status_pages.repository import read_published, whose
from chalicelib.status_pages.runtime import PagesRuntime
from chalicelib.status_pages.view import (
    Day,
    ShownIncident,
    ShownMaintenance,
    ShownTarget,
    StatusPage,
)
from chalicelib.targets.current_status import CurrentStatus, current_statuses

_DAY_S: Final = 86_400
PAST_S: Final = 14 * _DAY_S
"""How far back incidents are shown, and how far ahead maintenance."""
_MOST_READ: Final = 400
"""Incidents that are looked through for those of the page's targets; open ones are always found."""
_MOST_SHOWN: Final = 50


def status_page(runtime: PagesRuntime, slug: str) -> StatusPage:
    """The published page with this slug, at most some seconds old.

    Raises NotFoundError, whether there is none, or it is not published, or its user is disabled.
    """
    return runtime.page_caches.pages.get(slug, lambda: _made(runtime, slug))


def _made(runtime: PagesRuntime, slug: str) -> StatusPage:
    found = whose(slug) if is_slug(slug) else None
    if found is None:
        raise _gone()
    owner, page_id = found
    with acting_for(owner):
        page = read_published(owner, page_id)
        if page is None or page.slug != slug:
            raise _gone()
        return _shown(runtime, page)


def _gone() -> NotFoundError:
    return NotFoundError("there is no such status page")


def _shown(runtime: PagesRuntime, page: Page) -> StatusPage:
    now, sections = runtime.now, _sections(runtime, page)
    targets = [target for _, some in sections for target in some]
    presences = current_statuses(runtime, page.owner, targets)
    days = read_days(runtime, page, targets)
    calendar = read_calendar(page.owner, now - PAST_S, now)
    shown = {one.id: _target(page, one, presences[one.id], days.get(one.id, ())) for one in targets}
    return StatusPage(
        id=public_id(page.id),
        slug=page.slug,
        title=page.title or page.name,
        description=page.description,
        overall=overall(one.condition for one in shown.values()),
        sections=[(name, [shown[one.id] for one in some]) for name, some in sections],
        incidents=_incidents(page, targets, presences, calendar, now),
        maintenance=_maintenance(page, targets, calendar, now),
        history_days=page.history_days,
        show_response_times=page.show_response_times,
        updated_at=page.updated_at,
        made_at=now,
    )


def _sections(runtime: PagesRuntime, page: Page) -> list[tuple[str, list[Target]]]:
    """The page's parts with their targets as they are now; what was deleted is not there."""
    targets = Targets(page.owner)
    tagged: Mapping[str, tuple[str, ...]] = {}
    if page.tags:
        key = (page.id, page.tags)
        tagged = runtime.page_caches.tagged.get(key, lambda: targets.tagged(page.tags))
    # Of however many that have its tags, only those are read that have room on the page.
    chosen = arranged(page, {**dict.fromkeys(page.target_ids, ()), **tagged}, tagged)
    found = targets.some([target_id for _, ids in chosen for target_id in ids])
    tags_of = {target_id: target.tags for target_id, target in found.items()}
    return [
        (name, [found[target_id] for target_id in ids])
        for name, ids in arranged(page, tags_of, tagged)
    ]


def _target(
    page: Page, target: Target, presence: CurrentStatus, days: Sequence[Day]
) -> ShownTarget:
    if not page.show_response_times:
        days = [replace(day, response_ms=None) for day in days]
    return ShownTarget(
        id=public_id(page.id, target.id),
        name=target.name,
        condition=Condition.of(presence.status, in_maintenance=presence.in_maintenance),
        since=presence.since,
        days=days,
        uptime=uptime(days),
        response_ms=response(days),
    )


def _incidents(
    page: Page,
    targets: Sequence[Target],
    presences: dict[str, CurrentStatus],
    calendar: Calendar,
    now: int,
) -> list[ShownIncident]:
    """Open incidents, however old, and those of the last days; planned work is none."""
    names = {target.id: target.name for target in targets}
    opened = [
        incident_key(target_id, id_time(presence.open_incident_id))
        for target_id, presence in presences.items()
        if presence.open_incident_id is not None
    ]
    stored = Incidents(page.owner)
    recent = islice(stored.newest_first(start=now - PAST_S), _MOST_READ) if targets else ()
    found = {one.key: one for one in recent if one.target_id in names}
    found |= stored.some(key for key in opened if key not in found)
    excluded = {target.id: calendar.excluded(target) for target in targets}
    unplanned = (
        one
        for one in found.values()
        if not excluded[one.target_id].holds(one.opened_at, _end(one, now))
    )
    newest_first = sorted(unplanned, key=lambda one: (one.closed_at is None, one.key), reverse=True)
    return [_incident(page, one, names[one.target_id]) for one in newest_first[:_MOST_SHOWN]]


def _end(incident: Incident, now: int) -> int:
    return incident.opened_at + incident.duration_s(now)


def _incident(page: Page, incident: Incident, name: str) -> ShownIncident:
    acknowledged = incident.acknowledgement
    return ShownIncident(
        id=public_id(page.id, incident.id),
        target=name,
        opened_at=incident.opened_at,
        closed_at=incident.closed_at,
        acknowledged_at=acknowledged.at if acknowledged else None,
    )


def _maintenance(
    page: Page, targets: Iterable[Target], calendar: Calendar, now: int
) -> list[ShownMaintenance]:
    """The windows for targets of the page that are in force, or will be soon."""
    every, found = list(targets), list[ShownMaintenance]()
    for window in calendar.windows:
        covered = [one.name for one in every if window.covers(one.id, one.tags)]
        coming: Span | None = next_time(window, now) if window.until is None and covered else None
        if coming is None or coming[0] > now + PAST_S:
            continue
        found.append(
            ShownMaintenance(
                id=public_id(page.id, window.id, str(coming[0])),
                name=window.name,
                targets=covered,
                starts_at=coming[0],
                ends_at=coming[1],
                active=coming[0] <= now,
                announced_at=window.updated_at,
            )
        )
    return sorted(found, key=lambda one: (one.starts_at, one.id))[:_MOST_SHOWN]
