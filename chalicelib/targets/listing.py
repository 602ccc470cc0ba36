"""Lists of targets: filtered, with their present states, and summed up."""

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

_READ_AT_ONCE = 200
_MOST_READ = 1_000
"""Targets one page may read in search of those that fit; it then ends early, with a cursor."""
_MOST_DOWN = 100
_ID = 36
_SEVERITY = [Status.DOWN, Status.DEGRADED, Status.PENDING, Status.UP, Status.PAUSED]


_Page = tuple[list[tuple[str, Target]], str | None]
"""Targets with their positions, and the position to go on from."""
_Pages = Callable[[str | None, int], _Page]


class Sort(StrEnum):
    """Orders of the list; each page of one costs the same."""

    OLDEST = "oldest"
    NEWEST = "newest"
    NAME = "name"
    STATUS = "status"


@dataclass(frozen=True, slots=True)
class Filters:
    """What a target must be like to be listed; None lets everything pass."""

    status: Status | None = None
    tag: str | None = None
    kind: str | None = None
    enabled: bool | None = None
    q: str | None = None

    def fit(self, target: Target) -> bool:
        """Whether all but the status hold."""
        wanted = (self.q or "").casefold()
        return (
            (self.tag is None or self.tag in target.tags)
            and self.kind in (None, target.spec.kind)
            and self.enabled in (None, target.enabled)
            and (wanted in target.name.casefold() or wanted in target.url.casefold())
        )


@dataclass(frozen=True, slots=True)
class Summary:
    """How many targets have which status, in all and by tag, and what is down, longest first."""

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
    """Up to `limit` targets that fit, in order, and the position to go on from."""
    pages = _by_status(owner, filters.status) if sort is Sort.STATUS else _stored(owner, sort)
    found: list[tuple[Target, CurrentStatus]] = []
    read = 0
    # In search of a few that fit, reading only as many at a time would take a call for each.
    at_once = limit if filters == Filters() else max(limit, _READ_AT_ONCE)
    while True:
        page, last = pages(after, at_once)
        read += len(page)
        fitting = [(place, target) for place, target in page if filters.fit(target)]
        states = current_statuses(runtime, owner, [target for _, target in fitting])
        for place, target in fitting:
            if filters.status in (None, states[target.id].status):
                found.append((target, states[target.id]))
            if len(found) == limit:
                return found, place if target is not page[-1][1] else last
        if last is None or read >= _MOST_READ:
            return found, last
        after = last


def _stored(owner: str, sort: Sort) -> _Pages:
    """The pages of an order that the table has."""
    order = Order(sort)

    def read(after: str | None, limit: int) -> _Page:
        targets, last = Targets(owner).page(after, limit, order)
        return [(position(target, order), target) for target in targets], last

    return read


def _by_status(owner: str, wanted: Status | None) -> _Pages:
    """The worst first, and the longest in each status; those with the status `wanted` only.

    Statuses lie with the lanes, which are all read: a call for some three hundred of them.
    """
    places = sorted(
        f"{_SEVERITY.index(status)}{since:011d}{target_id}"
        for target_id, status, since in Lanes(owner).statuses()
        if wanted in (None, status)
    )

    def read(after: str | None, limit: int) -> _Page:
        start = bisect_right(places, after or "")
        chosen = places[start : start + limit]
        found = Targets(owner).some(place[-_ID:] for place in chosen)
        page = [(place, found[place[-_ID:]]) for place in chosen if place[-_ID:] in found]
        return page, chosen[-1] if start + limit < len(places) else None

    return read


def summary(runtime: BaseRuntime, owner: str, tag: str | None) -> Summary:
    """The owner's targets by status, those with `tag` only where one is given."""
    states = {
        seat.target_id: seat.state for lane in Lanes(owner).all() for seat in lane.places.values()
    }
    total: Counter[str] = Counter()
    by_tag: dict[str, Counter[str]] = {}
    down: list[Target] = []
    for target in Targets(owner).all():
        if (tag is not None and tag not in target.tags) or target.id not in states:
            continue
        status = states[target.id].status
        total[status] += 1
        for own in target.tags:
            by_tag.setdefault(own, Counter())[status] += 1
        if status is Status.DOWN:
            down.append(target)
    down.sort(key=lambda target: states[target.id].since)
    worst = down[:_MOST_DOWN]
    presences = current_statuses(runtime, owner, worst)
    return Summary(
        total=total.total(),
        by_status=_counts(total),
        by_tag={name: _counts(counts) for name, counts in sorted(by_tag.items())},
        down=[(target, presences[target.id]) for target in worst],
    )


def count_targets(owner: str) -> int:
    """How many targets the owner has: the places taken in the lanes."""
    return sum(len(lane.places) for lane in Lanes(owner).all())


def _counts(counts: Counter[str]) -> dict[str, int]:
    return {status.value: counts[status] for status in _SEVERITY}
