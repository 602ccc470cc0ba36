"""Targets day by day, as status pages show them: days in UTC, the present one last."""

from collections.abc import Sequence

from chalicelib.common.errors import UnavailableError
from chalicelib.history.aggregation import QueryTooLargeError
from chalicelib.history.read_plan import SETTLED_S
from chalicelib.history.service import each_by_day
from chalicelib.monitoring.target import Target
from chalicelib.status_pages.page import Page
from chalicelib.status_pages.runtime import PagesRuntime
from chalicelib.status_pages.view import DAY_S, Day


def uptime(days: Sequence[Day]) -> float | None:
    """The share of the known time that was up, in [0, 1]; None where nothing is known."""
    known_s = sum(day.known_s for day in days)
    return sum(day.up_s for day in days) / known_s if known_s else None


def response(days: Sequence[Day]) -> int | None:
    """The median of the newest day that has one, today's or yesterday's, in ms."""
    return next((one.response_ms for one in days[:-3:-1] if one.response_ms is not None), None)


def read_days(runtime: PagesRuntime, page: Page, targets: Sequence[Target]) -> dict[str, list[Day]]:
    """The page's days of each target, by id, oldest first.

    Those that are over and settled are read once an hour, the rest now: hours, and results of the
    hour that runs.
    """
    today = runtime.now // DAY_S * DAY_S
    first = today - (page.history_days - 1) * DAY_S
    settled = max(first, (runtime.now - SETTLED_S) // DAY_S * DAY_S)

    def read_settled() -> dict[str, list[Day]]:
        return _read(runtime, page.owner, targets, first, settled)

    ids = frozenset(target.id for target in targets)
    over = runtime.page_caches.days.get((page.id, first, settled, ids), read_settled)
    recent = _read(runtime, page.owner, targets, settled, runtime.now)
    return {one: [*over.get(one, ()), *recent.get(one, ())] for one in ids}


def _read(
    runtime: PagesRuntime, owner: str, targets: Sequence[Target], start: int, end: int
) -> dict[str, list[Day]]:
    if start >= end:
        return {}
    try:
        found = each_by_day(runtime, owner, targets, (start, end))
    except QueryTooLargeError:
        raise UnavailableError("it takes too long to read; try again") from None
    return {target_id: list(map(Day.of, tallies)) for target_id, tallies in found.items()}
