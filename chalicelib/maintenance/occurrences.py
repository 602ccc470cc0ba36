"""Computes when maintenance windows apply to which targets."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from chalicelib.common.intervals import NOTHING, ExcludedTime, Span, merged, overlaps
from chalicelib.maintenance.cron import fire_times
from chalicelib.maintenance.repository import Windows
from chalicelib.maintenance.window import FOR_EVER, Rule, Window
from chalicelib.monitoring.target import Target


def occurrences(rule: Rule, start: int, end: int) -> list[Span]:
    """The occurrences of a rule that overlap [start, end), uncut and in order."""
    if rule.cron is None:
        starts_at, ends_at = rule.starts_at or 0, rule.ends_at or 0
        return [(starts_at, ends_at)] if starts_at < end and start < ends_at else []
    length = rule.duration_s or 0
    times = fire_times(rule.cron, rule.timezone or "UTC", start - length + 1, end)
    return [(at, at + length) for at in times]


def active_spans(window: Window, start: int, end: int) -> tuple[Span, ...]:
    """The times within [start, end) during which the window was, is or will be active."""
    until = FOR_EVER if window.until is None else window.until
    limits = [(max(start, window.since), min(end, until))]
    return overlaps(occurrences(window.rule, start, end), limits)


def next_occurrence(window: Window, now: int) -> Span | None:
    """The current occurrence, or else the next one within two years."""
    rule = window.rule
    if rule.cron is None:
        return None if rule.is_over(now) else (rule.starts_at or 0, rule.ends_at or 0)
    length, limit = rule.duration_s or 0, now + 2 * 366 * 86_400
    at = next(fire_times(rule.cron, rule.timezone or "UTC", now - length + 1, limit), None)
    return None if at is None else (at, at + length)


@dataclass
class Calendar:
    """Current and past windows within [start, end), cached for lookups of many targets."""

    windows: Sequence[Window]
    start: int
    end: int
    _active: dict[int, tuple[Span, ...]] = field(default_factory=dict)
    _excluded: dict[tuple[tuple[int, tuple[Span, ...]], ...], ExcludedTime] = field(
        default_factory=dict
    )

    def excluded(self, target: Target) -> ExcludedTime:
        """The maintenance of a target that does not count in its uptime."""
        # Most targets are covered by the same windows at the same times, and share the result.
        key = tuple(
            (number, covered)
            for number, window in enumerate(self.windows)
            if not window.counts_in_uptime and (covered := window.covered_spans(target))
        )
        if not key:
            return NOTHING
        if key not in self._excluded:
            parts = (part for number, covered in key for part in self._within(number, covered))
            self._excluded[key] = ExcludedTime(merged(parts))
        return self._excluded[key]

    def _within(self, number: int, covered: Sequence[Span]) -> tuple[Span, ...]:
        """The times within `covered` during which the window of that number is active."""
        if number not in self._active:
            self._active[number] = active_spans(self.windows[number], self.start, self.end)
        active = self._active[number]
        is_everything = len(covered) == 1 and (
            covered[0][0] <= self.start and covered[0][1] >= self.end
        )
        return active if is_everything else overlaps(active, covered)


def read_calendar(owner: str, start: int, end: int) -> Calendar:
    """The owner's windows within [start, end), including those that were changed or deleted."""
    return Calendar(Windows(owner).current_and_past(start), start, end)


def active_windows(windows: Iterable[Window], at: int) -> list[Window]:
    """The windows that are active at a time."""
    return [one for one in windows if one.since <= at and occurrences(one.rule, at, at + 1)]


def muted_until(
    windows: Iterable[Window], target_id: str, tags: Sequence[str], at: int
) -> int | None:
    """The end of the maintenance that a target is in at `at`; None if it is in none."""
    ends = [
        end
        for window in active_windows(windows, at)
        if window.covers(target_id, tags)
        for _, end in occurrences(window.rule, at, at + 1)
    ]
    return max(ends, default=None)
