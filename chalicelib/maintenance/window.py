"""Maintenance windows: when which targets are left alone, and whether that time counts.

A window is kept as it was while it was in force: a change or a deletion holds from its moment on.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from chalicelib.common.intervals import Span, merged
from chalicelib.monitoring.target import Target

FOR_EVER = 10**11


class Mode(StrEnum):
    """What is left out of a target in maintenance."""

    MUTE = "mute"
    """Alerts; checks go on."""
    SKIP = "skip"
    """Checks, and so alerts too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Once, from `starts_at` to `ends_at`; or for `duration_s` at every `cron` in `timezone`."""

    starts_at: int | None = None
    ends_at: int | None = None
    cron: str | None = None
    timezone: str | None = None
    duration_s: int | None = None

    def is_over(self, now: int) -> bool:
        """Whether it never comes again."""
        return self.ends_at is not None and self.ends_at <= now


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """One window of one owner, as it has been in force `since` and, where it is past, `until`.

    Times are epoch seconds. It covers the targets that it names, and those that have one of its
    tags. `version` grows with every change.
    """

    owner: str
    id: str
    name: str
    mode: Mode
    counts_in_uptime: bool
    target_ids: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    rule: Rule
    since: int
    until: int | None = None
    version: int = 1
    created_at: int
    updated_at: int

    def covers(self, target_id: str, tags: Sequence[str]) -> bool:
        """Whether it is for a target that has these tags."""
        return target_id in self.target_ids or not set(self.tags).isdisjoint(tags)

    def covered(self, target: Target) -> tuple[Span, ...]:
        """The times at which it is for the target, which may have had other tags before."""
        spans, start = list[Span](), 0
        for end, tags in (*target.past_tags, (FOR_EVER, target.tags)):
            if self.covers(target.id, tags):
                spans.append((start, end))
            start = end
        return merged(spans)

    def acts_as(self, other: "Window") -> bool:
        """Whether nothing but names differ: neither when, nor for which, nor how."""
        return (self.rule, self.mode, self.counts_in_uptime) == (
            other.rule,
            other.mode,
            other.counts_in_uptime,
        ) and (set(self.target_ids), set(self.tags)) == (set(other.target_ids), set(other.tags))
