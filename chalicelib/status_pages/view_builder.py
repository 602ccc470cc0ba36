"""Build status pages from an owner's data. This module decides what leaves that data.

URLs, error texts, tags and ids of targets never do. The ids on a page are hashes that are valid for
that page only.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Final

from chalicelib.alerting.incident import Incident, incident_key
from chalicelib.alerting.storage.incident_repository import Incidents
from chalicelib.aws.tenancy import acting_for
from chalicelib.common.errors import NotFoundError, UnavailableError
from chalicelib.common.ids import id_time
from chalicelib.common.url_keys import mask_keys
from chalicelib.history.aggregation import QueryTooLargeError
from chalicelib.history.read_plan import SETTLED_S
from chalicelib.history.rollups.statistics import Tally
from chalicelib.history.service import each_by_day
from chalicelib.maintenance.occurrences import Calendar, next_occurrence, read_calendar
from chalicelib.monitoring.storage.target_repository import Targets
from chalicelib.monitoring.target import Target
from chalicelib.status_pages.page import Condition, Page, arrange, is_slug, overall, public_id
from chalicelib.status_pages.repository import find_slug, read_published
from chalicelib.status_pages.runtime import PagesRuntime
from chalicelib.status_pages.view import (
    DAY_S,
    Day,
    IncidentView,
    MaintenanceView,
    SectionView,
    StatusPage,
    TargetView,
)
from chalicelib.targets.current_status import CurrentStatus, current_statuses

PAST_S: Final = 14 * DAY_S
"""How far back incidents are shown, and how far ahead maintenance."""
_MAX_READ: Final = 400
"""How many recent incidents are searched for those of the page. Open ones are read by key."""
_MAX_SHOWN: Final = 50


def status_page(runtime: PagesRuntime, slug: str) -> StatusPage:
    """Return the published page with this slug, from the cache or built from current data.

    Raises NotFoundError if it does not exist, is not published, or its user is disabled: callers
    cannot tell which.
    """
    return runtime.page_caches.pages.get(slug, lambda: _build(runtime, slug))


def _build(runtime: PagesRuntime, slug: str) -> StatusPage:
    missing = NotFoundError("the status page does not exist")
    found = find_slug(slug) if is_slug(slug) else None
    if found is None:
        raise missing
    owner, page_id = found
    with acting_for(owner):
        page = read_published(owner, page_id)
        # The slug may have been read just before the page was renamed.
        if page is None or page.slug != slug:
            raise missing
        return _view(runtime, page)


def _view(runtime: PagesRuntime, page: Page) -> StatusPage:
    now, sections = runtime.now, _sections(runtime, page)
    targets = [target for _, section in sections for target in section]
    statuses = current_statuses(runtime, page.owner, targets)
    days = _read_days(runtime, page, targets)
    calendar = read_calendar(page.owner, now - PAST_S, now)
    views = {one.id: _target(page, one, statuses[one.id], days.get(one.id, ())) for one in targets}
    return StatusPage(
        id=public_id(page.id),
        slug=page.slug,
        title=page.title or page.name,
        description=page.description,
        status=overall(view.status for view in views.values()),
        sections=[
            SectionView(name or None, [views[target.id] for target in section])
            for name, section in sections
        ],
        incidents=_incidents(page, targets, statuses, calendar, now),
        maintenance=_maintenance(page, targets, calendar, now),
        history_days=page.history_days,
        show_response_times=page.show_response_times,
        updated_at=page.updated_at,
        made_at=now,
    )


def _sections(runtime: PagesRuntime, page: Page) -> list[tuple[str, list[Target]]]:
    """Return the names of the page's sections with their existing targets."""
    targets = Targets(page.owner)
    tagged: Mapping[str, tuple[str, ...]] = {}
    if page.tags:
        key = (page.id, page.tags)
        tagged = runtime.page_caches.tagged.get(key, lambda: targets.tagged(page.tags))
    # Arrange by the cached tags first, to read only the targets that fit on the page, and then by
    # their current tags, because a target that has lost its tag must disappear at once.
    cached = arrange(page, {**dict.fromkeys(page.target_ids, ()), **tagged}, tagged)
    found = targets.some([target_id for _, ids in cached for target_id in ids])
    tags_of = {target_id: target.tags for target_id, target in found.items()}
    return [
        (name, [found[target_id] for target_id in ids])
        for name, ids in arrange(page, tags_of, tagged)
    ]


def _read_days(
    runtime: PagesRuntime, page: Page, targets: Sequence[Target]
) -> dict[str, list[Day]]:
    """Return the page's days of each target by id, oldest first.

    Settled days are read once an hour; the recent ones, from hours and single results, every time.
    """
    first = (runtime.now // DAY_S + 1 - page.history_days) * DAY_S
    settled = max(first, (runtime.now - SETTLED_S) // DAY_S * DAY_S)

    def read(start: int, end: int) -> dict[str, list[Day]]:
        if start >= end:
            return {}
        try:
            found = each_by_day(runtime, page.owner, targets, (start, end))
        except QueryTooLargeError:
            raise UnavailableError("the page takes too long to build; try again") from None
        return {target_id: list(map(_day, tallies)) for target_id, tallies in found.items()}

    ids = frozenset(target.id for target in targets)
    key = (page.id, first, settled, ids)
    past = runtime.page_caches.days.get(key, lambda: read(first, settled))
    recent = read(settled, runtime.now)
    return {one: [*past.get(one, ()), *recent.get(one, ())] for one in ids}


def _day(tally: Tally) -> Day:
    return Day(
        start=tally.start // DAY_S * DAY_S,
        up_s=tally.up_s,
        downtime_s=tally.downtime_s,
        degraded_s=tally.degraded_s,
        maintenance_s=tally.maintenance_s,
        response_ms=tally.latency.percentile(0.5),
    )


def _target(page: Page, target: Target, status: CurrentStatus, days: Sequence[Day]) -> TargetView:
    if not page.show_response_times:
        days = [replace(day, response_ms=None) for day in days]
    condition = Condition.of(status.status, in_maintenance=status.in_maintenance)
    shown_id, name = public_id(page.id, target.id), mask_keys(target.name)
    checked_at = status.last_checked_at
    return TargetView(shown_id, name, condition, status.since, days, checked_at)


def _incidents(
    page: Page,
    targets: Sequence[Target],
    statuses: Mapping[str, CurrentStatus],
    calendar: Calendar,
    now: int,
) -> list[IncidentView]:
    """Return all open incidents and the recent ones, except those in excluded maintenance."""
    names = {target.id: mask_keys(target.name) for target in targets}
    opened = [
        incident_key(target_id, id_time(status.open_incident_id))
        for target_id, status in statuses.items()
        if status.open_incident_id is not None
    ]
    stored = Incidents(page.owner)
    recent = islice(stored.newest_first(start=now - PAST_S), _MAX_READ) if targets else ()
    found = {one.key: one for one in recent if one.target_id in names}
    found |= stored.some(key for key in opened if key not in found)
    excluded = {target.id: calendar.excluded(target) for target in targets}
    unplanned = (
        one
        for one in found.values()
        if not excluded[one.target_id].holds(one.first_failed_at, one.closed_at or now)
    )
    newest_first = sorted(unplanned, key=lambda one: (one.closed_at is None, one.key), reverse=True)
    return [_incident(page, one, names[one.target_id]) for one in newest_first[:_MAX_SHOWN]]


def _incident(page: Page, incident: Incident, name: str) -> IncidentView:
    acknowledged = incident.acknowledgement
    return IncidentView(
        id=public_id(page.id, incident.id),
        target=name,
        first_failed_at=incident.first_failed_at,
        opened_at=incident.opened_at,
        closed_at=incident.closed_at,
        acknowledged_at=acknowledged.at if acknowledged else None,
    )


def _maintenance(
    page: Page, targets: Sequence[Target], calendar: Calendar, now: int
) -> list[MaintenanceView]:
    """Return the page's windows that are active or start soon."""
    found = []
    for window in calendar.windows:
        covered = [mask_keys(one.name) for one in targets if window.covers(one.id, one.tags)]
        occurrence = next_occurrence(window, now) if window.until is None and covered else None
        if occurrence is None or occurrence[0] > now + PAST_S:
            continue
        starts_at, ends_at = occurrence
        found.append(
            MaintenanceView(
                id=public_id(page.id, window.id, str(starts_at)),
                name=window.name,
                targets=covered,
                starts_at=starts_at,
                ends_at=ends_at,
                active=starts_at <= now,
                announced_at=window.updated_at,
            )
        )
    return sorted(found, key=lambda one: (one.starts_at, one.id))[:_MAX_SHOWN]
