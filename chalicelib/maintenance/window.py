"""Maintenance windows: when they apply, to which targets, and what they suspend.

The past of a window is kept: a change or deletion applies from its time on, so statistics of the
time before it stay the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any

from chalicelib.common.intervals import Span, merged
from chalicelib.monitoring.target import Target

FOR_EVER = 10**11


class Mode(StrEnum):
    """What a window suspends for its targets."""

    MUTE = "mute"
    """Alerts; checks continue."""
    SKIP = "skip"
    """Checks, and therefore alerts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Once, from `starts_at` to `ends_at`; or for `duration_s` at every `cron` in `timezone`."""

    starts_at: int | None = None
    ends_at: int | None = None
    cron: str | None = None
    timezone: str | None = None
    duration_s: int | None = None

    def is_over(self, now: int) -> bool:
        """Whether it has no current or future occurrence."""
        return self.ends_at is not None and self.ends_at <= now


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowDraft:
    """The fields of a window that its owner sets. It covers targets by id and by tag."""

    name: str
    mode: Mode
    counts_in_uptime: bool
    target_ids: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    rule: Rule

    def owner_fields(self) -> dict[str, Any]:
        return {one.name: getattr(self, one.name) for one in fields(WindowDraft)}

    def covers(self, target_id: str, tags: Sequence[str]) -> bool:
        """Whether it covers a target with these tags."""
        return target_id in self.target_ids or not set(self.tags).isdisjoint(tags)

    def has_same_effect(self, other: "WindowDraft") -> bool:
        """Whether the two differ in nothing but their names and the order of targets and tags."""
        mine, theirs = (
            (one.rule, one.mode, one.counts_in_uptime, set(one.target_ids), set(one.tags))
            for one in (self, other)
        )
        return mine == theirs


@dataclass(frozen=True, slots=True, kw_only=True)
class Window(WindowDraft):
    """A window as it applies from `since` to `until`, which is None unless it is past.

    Times are epoch seconds. `version` grows with every change.
    """

    owner: str
    id: str
    since: int
    until: int | None = None
    version: int = 1
    created_at: int
    updated_at: int

    def covered_spans(self, target: Target) -> tuple[Span, ...]:
        """The times during which it covers the target, whose tags may have changed."""
        spans, start = list[Span](), 0
        for end, tags in (*target.past_tags, (FOR_EVER, target.tags)):
            if self.covers(target.id, tags):
                spans.append((start, end))
            start = end
        return merged(spans)
