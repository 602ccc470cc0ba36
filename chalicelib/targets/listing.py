"""Lists of targets, filtered and sorted, and their summary."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from chalicelib.common.runtime import BaseRuntime
from chalicelib.maintenance.reported_status import all_reported_statuses
from chalicelib.monitoring.staleness import ReportedStatus
from chalicelib.monitoring.storage.target_repository import Order, Targets, position
from chalicelib.monitoring.target import Target
from chalicelib.targets.current_status import CurrentStatus, current_statuses

_BATCH = 200
_MAX_READ = 1_000
"""Targets read for one page in search of matches; the page then ends early, with a cursor."""
_MAX_DOWN = 100
_ID_LENGTH = 36
_SEVERITY = list(ReportedStatus)

_Page = tuple[list[tuple[str, Target]], str | None]
"""Targets with their positions, and the position to continue after."""
_Pages = Callable[[str | None, int], _Page]


class Sort(StrEnum):
    """Orders of the list. A page costs the same however long the list is, except by status."""

    OLDEST = "oldest"
    NEWEST = "newest"
    NAME = "name"
    STATUS = "status"


@dataclass(frozen=True, slots=True)
class Filters:
    """Filters of the list; None matches every target."""

    status: ReportedStatus | None = None
    tag: str | None = None
    kind: str | None = None
    enabled: bool | None = None
    q: str | None = None

    def matches(self, target: Target) -> bool:
        """Whether all filters but the status match."""
        text = (self.q or "").casefold()
        return (
            (self.tag is None or self.tag in target.tags)
            and self.kind in (None, target.spec.kind)
            and self.enabled in (None, target.enabled)
            and (text in target.name.casefold() or text in target.url.casefold())
        )


@dataclass(frozen=True, slots=True)
class Summary:
    """Number of targets per status, in total and per tag, and those down, longest first."""

    total: int
    by_status: dict[str, int]
    by_tag: dict[str, dict[str, int]]
    down: list[tuple[Target, CurrentStatus]]


def page_of_targets(
    runtime: BaseRuntime,
    owner: str,
    filters: Filters,
    after: str | None,
    limit: int,
    sort: Sort = Sort.OLDEST,
) -> tuple[list[tuple[Target, CurrentStatus]], str | None]:
    """Return up to `limit` matching targets in order, and the position to continue after."""
    pages = (
        _by_status(runtime, owner, filters.status) if sort is Sort.STATUS else _stored(owner, sort)
    )
    found: list[tuple[Target, CurrentStatus]] = []
    read = 0
    # With filters, read larger batches: reading `limit` at a time could take a call per match.
    batch = limit if filters == Filters() else max(limit, _BATCH)
    while True:
        page, last = pages(after, batch)
        read += len(page)
        matching = [(place, target) for place, target in page if filters.matches(target)]
        states = current_statuses(runtime, owner, [target for _, target in matching])
        for place, target in matching:
            if filters.status in (None, states[target.id].status):
                found.append((target, states[target.id]))
            if len(found) == limit:
                return found, place if target is not page[-1][1] else last
        if last is None or read >= _MAX_READ:
            return found, last
        after = last


def _stored(owner: str, sort: Sort) -> _Pages:
    """Return pages in an order that the table or one of its indexes has."""
    order = Order(sort)

    def read(after: str | None, limit: int) -> _Page:
        targets, last = Targets(owner).page(after, limit, order)
        return [(position(target, order), target) for target in targets], last

    return read


def _by_status(runtime: BaseRuntime, owner: str, wanted: ReportedStatus | None) -> _Pages:
    """Return pages of targets with status `wanted`, the worst and then the longest first.

    No index has that order, so all lanes, their newest results and the outlines of all targets are
    read: some fifteen calls for ten thousand targets.
    """
    places = sorted(
        f"{_SEVERITY.index(reported.status)}{reported.state.since:011d}{one.id}"
        for one, reported in all_reported_statuses(runtime, owner)
        if wanted in (None, reported.status)
    )

    def read(after: str | None, limit: int) -> _Page:
        start = bisect_right(places, after or "")
        chosen = places[start : start + limit]
        found = Targets(owner).some(place[-_ID_LENGTH:] for place in chosen)
        page = [
            (place, found[place[-_ID_LENGTH:]]) for place in chosen if place[-_ID_LENGTH:] in found
        ]
        return page, chosen[-1] if start + limit < len(places) else None

    return read


def summary(runtime: BaseRuntime, owner: str, tag: str | None) -> Summary:
    """Summarize the owner's targets, or those with `tag`."""
    total: Counter[str] = Counter()
    by_tag: dict[str, Counter[str]] = {}
    down: list[tuple[int, str]] = []
    for one, reported in all_reported_statuses(runtime, owner):
        if tag is not None and tag not in one.tags:
            continue
        total[reported.status] += 1
        for name in one.tags:
            by_tag.setdefault(name, Counter())[reported.status] += 1
        if reported.status is ReportedStatus.DOWN:
            down.append((reported.state.since, one.id))
    worst = [target_id for _, target_id in sorted(down)[:_MAX_DOWN]]
    targets = Targets(owner).some(worst)
    current = current_statuses(runtime, owner, list(targets.values()))
    return Summary(
        total=total.total(),
        by_status=_counts(total),
        by_tag={name: _counts(counts) for name, counts in sorted(by_tag.items())},
        down=[(targets[one], current[one]) for one in worst if one in targets],
    )


def _counts(counts: Counter[str]) -> dict[str, int]:
    return {status.value: counts[status] for status in _SEVERITY}
