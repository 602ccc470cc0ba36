"""When an owner's windows are in force, for which targets."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from chalicelib.common.intervals import NOTHING, ExcludedTime, Span, merged, overlaps
from chalicelib.maintenance.cron import fires
from chalicelib.maintenance.repository import Windows
from chalicelib.maintenance.window import FOR_EVER, Rule, Window
from chalicelib.monitoring.target import Target


def times(rule: Rule, start: int, end: int) -> list[Span]:
    """When a rule holds, as far as that overlaps [start, end); whole, and in order."""
    if rule.cron is None:
        begins, ends = rule.starts_at or 0, rule.ends_at or 0
        return [(begins, ends)] if begins < end and start < ends else []
    length = rule.duration_s or 0
    found = fires(rule.cron, rule.timezone or "UTC", start - length + 1, end)
    return [(at, at + length) for at in found]


def in_force(window: Window, start: int, end: int) -> tuple[Span, ...]:
    """When a window was, is or will be in force within [start, end), as it is known now."""
    until = FOR_EVER if window.until is None else window.until
    return overlaps(times(window.rule, start, end), [(max(start, window.since), min(end, until))])


def next_time(window: Window, now: int) -> Span | None:
    """The time of the window that is, or else the next one within two years."""
    if window.rule.cron is None:
        over = window.rule.is_over(now)
        return None if over else (window.rule.starts_at or 0, window.rule.ends_at or 0)
    length, most = window.rule.duration_s or 0, now + 2 * 366 * 86_400
    zone = window.rule.timezone or "UTC"
    at = next(fires(window.rule.cron, zone, now - length + 1, most), None)
    return None if at is None else (at, at + length)


@dataclass
class Calendar:
    """Windows, present and past, within [start, end); made to be asked for many targets."""

    windows: Sequence[Window]
    start: int
    end: int
    _times: dict[int, tuple[Span, ...]] = field(default_factory=dict)
    _known: dict[tuple[tuple[int, tuple[Span, ...]], ...], ExcludedTime] = field(
        default_factory=dict
    )

    def excluded(self, target: Target) -> ExcludedTime:
        """The time of a target that does not count in its uptime."""
        key = tuple(
            (number, spans)
            for number, window in enumerate(self.windows)
            if not window.counts_in_uptime and (spans := window.covered(target))
        )
        if not key:
            return NOTHING
        if key not in self._known:
            parts = (part for number, spans in key for part in self._within(number, spans))
            self._known[key] = ExcludedTime(merged(parts))
        return self._known[key]

    def _within(self, number: int, spans: Sequence[Span]) -> tuple[Span, ...]:
        if number not in self._times:
            self._times[number] = in_force(self.windows[number], self.start, self.end)
        return overlaps(self._times[number], spans) if len(spans) > 1 else self._cut(number, spans)

    def _cut(self, number: int, spans: Sequence[Span]) -> tuple[Span, ...]:
        (start, end), found = spans[0], self._times[number]
        if start <= self.start and end >= self.end:
            return found
        return overlaps(found, spans)


def read_calendar(owner: str, start: int, end: int) -> Calendar:
    """The owner's windows within [start, end), those among them that were changed or deleted."""
    return Calendar(Windows(owner).ever(start), start, end)


def current(windows: Iterable[Window], at: int) -> list[Window]:
    """Those of the windows that are in force at a time."""
    return [one for one in windows if one.since <= at and times(one.rule, at, at + 1)]


def quiet_until(
    windows: Iterable[Window], target_id: str, tags: Sequence[str], at: int
) -> int | None:
    """Until when a target is in maintenance that is so `at`; None where it is not."""
    ends = [
        end
        for window in current(windows, at)
        if window.covers(target_id, tags)
        for _, end in times(window.rule, at, at + 1)
    ]
    return max(ends, default=None)
