"""Lists of targets, filtered and sorted, and their summary."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from chalicelib.common.runtime import BaseRuntime
from chalicelib.monitoring.state_machine import Status
from chalicelib.monitoring.storage.lane_repository import Lanes
from chalicelib.monitoring.storage.target_repository import Order, Targets, position
from chalicelib.monitoring.target import Target
from chalicelib.targets.current_status import CurrentStatus, current_statuses

_BATCH = 200
_MAX_READ = 1_000
"""Targets read for one page in search of matches; the page then ends early, with a cursor."""
_MAX_DOWN = 100
_ID_LENGTH = 36
_SEVERITY = [Status.DOWN, Status.DEGRADED, Status.PENDING, Status.UP, Status.PAUSED]

_Page = tuple[list[tuple[str, Target]], str | None]
"""Targets with their positions, and the position to continue after."""
_Pages = Callable[[str | None, int], _Page]


class Sort(StrEnum):
    """Orders of the list; a page costs the same however long the list is."""

    OLDEST = "oldest"
    NEWEST = "newest"
    NAME = "name"
    STATUS = "status"


@dataclass(frozen=True, slots=True)
class Filters:
    """Filters of the list; None matches every target."""

    status: Status | None = None
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
    pages = _by_status(owner, filters.status) if sort is Sort.STATUS else _stored(owner, sort)
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


def _by_status(owner: str, wanted: Status | None) -> _Pages:
    """Return pages of targets with status `wanted`, the worst and then the longest first.

    Statuses are stored in the lanes, which are all read: about three hundred lanes per call.
    """
    places = sorted(
        f"{_SEVERITY.index(status)}{since:011d}{target_id}"
        for target_id, status, since in Lanes(owner).statuses()
        if wanted in (None, status)
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
    states = {
        place.target_id: place.state
        for lane in Lanes(owner).all()
        for place in lane.places.values()
    }
    total: Counter[str] = Counter()
    by_tag: dict[str, Counter[str]] = {}
    down: list[Target] = []
    for target in Targets(owner).all():
        if (tag is not None and tag not in target.tags) or target.id not in states:
            continue
        status = states[target.id].status
        total[status] += 1
        for name in target.tags:
            by_tag.setdefault(name, Counter())[status] += 1
        if status is Status.DOWN:
            down.append(target)
    down.sort(key=lambda target: states[target.id].since)
    worst = down[:_MAX_DOWN]
    current = current_statuses(runtime, owner, worst)
    return Summary(
        total=total.total(),
        by_status=_counts(total),
        by_tag={name: _counts(counts) for name, counts in sorted(by_tag.items())},
        down=[(target, current[target.id]) for target in worst],
    )


def _counts(counts: Counter[str]) -> dict[str, int]:
    return {status.value: counts[status] for status in _SEVERITY}
