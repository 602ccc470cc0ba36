"""What owners do with their maintenance windows.

A change holds from its moment on: what a window was before is kept for the statistics.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from chalicelib.access.usage import TransactionConflictError
from chalicelib.aws.runtime import AwsRuntime
from chalicelib.common.errors import ConflictError, Fault, InvalidError
from chalicelib.common.ids import new_id
from chalicelib.maintenance.cron import BadCronError, read_zone, shortest_pause_s
from chalicelib.maintenance.occurrences import in_force
from chalicelib.maintenance.repository import Windows
from chalicelib.maintenance.skip_rules import changes_skip_rules
from chalicelib.maintenance.window import Mode, Rule, Window
from chalicelib.monitoring.storage.target_repository import Targets

MOST_WINDOWS: Final = 100
LONGEST_S: Final = 90 * 86_400
LONGEST_RECURRING_S: Final = 7 * 86_400
SHORTEST_S: Final = 60
SHORTEST_PAUSE_S: Final = 3_600
_FURTHEST_S: Final = 2 * 366 * 86_400
_SHOWN_S: Final = 30 * 86_400
_TIDIED: Final = 5
_ATTEMPTS: Final = 10
_DAY_S: Final = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowDraft:
    """A window as its owner describes it, valid by the schema."""

    name: str
    mode: Mode
    counts_in_uptime: bool
    target_ids: Sequence[str]
    tags: Sequence[str]
    rule: Rule


def create(
    runtime: AwsRuntime, owner: str, draft: WindowDraft, window_id: str | None = None
) -> Window:
    """Store a new window, which is in force from now on at the earliest.

    With a `window_id` the window is made once, however often it is asked for.

    Raises InvalidError for one that cannot be, ConflictError beyond MOST_WINDOWS.
    """
    now = runtime.now
    _admit(owner, draft, now)
    known = Windows(owner).all()
    if sum(not window.rule.is_over(now) for window in known) >= MOST_WINDOWS:
        raise ConflictError(f"there are {MOST_WINDOWS} windows already, which is the most")
    window = _described(
        Window(
            owner=owner,
            id=window_id or new_id(runtime.clock()),
            name="",
            mode=draft.mode,
            counts_in_uptime=True,
            rule=draft.rule,
            since=now,
            created_at=now,
            updated_at=now,
        ),
        draft,
    )
    _tidy(runtime, known)
    with changes_skip_rules(runtime, owner, is_needed=window.mode is Mode.SKIP):
        try:
            Windows(owner).add(window)
        except TransactionConflictError:
            # Somebody made it at the same time, by the same Idempotency-Key.
            return Windows(owner).get(window.id)
    return window


def change(
    runtime: AwsRuntime, owner: str, window_id: str, redraft: Callable[[Window], WindowDraft]
) -> Window:
    """Make the window what `redraft` says of it as it is now; what it raises is raised.

    Raises NotFoundError, InvalidError.
    """

    def attempt(before: Window) -> Window:
        draft = redraft(before)
        _admit(owner, draft, runtime.now, before)
        after = _described(before, draft)
        is_same = after.acts_as(before)
        after = replace(
            after,
            since=before.since if is_same else runtime.now,
            version=before.version + 1,
            updated_at=runtime.now,
        )
        kept_until = None if is_same else _kept_until(runtime, before)
        with changes_skip_rules(runtime, owner, is_needed=Mode.SKIP in (before.mode, after.mode)):
            Windows(owner).change(before, after, kept_until=kept_until)
        return after

    return _persistently(owner, window_id, attempt)


def remove(
    runtime: AwsRuntime,
    owner: str,
    window_id: str,
    allow: Callable[[Window], None] = lambda _: None,
) -> None:
    """Delete the window, if `allow` does not raise; raises NotFoundError."""

    def attempt(before: Window) -> Window:
        allow(before)
        _remove(runtime, before)
        return before

    _persistently(owner, window_id, attempt)


def page_of_windows(owner: str, after: str | None, limit: int) -> tuple[list[Window], str | None]:
    """Up to `limit` windows after the id `after`, oldest first, and the id to go on from."""
    left = [one for one in Windows(owner).all() if after is None or one.id > after]
    return left[:limit], left[limit - 1].id if len(left) > limit else None


def _persistently(owner: str, window_id: str, attempt: Callable[[Window], Window]) -> Window:
    """What `attempt` does with the window as it is now, again where a write came between."""
    for _ in range(_ATTEMPTS):
        try:
            return attempt(Windows(owner).get(window_id))
        except TransactionConflictError:
            continue
    raise ConflictError("the window is being changed by others; try again")


def _remove(runtime: AwsRuntime, window: Window) -> None:
    kept_until = _kept_until(runtime, window)
    with changes_skip_rules(runtime, window.owner, is_needed=window.mode is Mode.SKIP):
        Windows(window.owner).remove(window, runtime.now, kept_until=kept_until)


def _kept_until(runtime: AwsRuntime, window: Window) -> int | None:
    """How long it is remembered what the window was; None where nothing follows from it."""
    has_been = not window.counts_in_uptime and in_force(window, window.since, runtime.now)
    return runtime.now + runtime.settings.daily_retention_days * _DAY_S if has_been else None


def _tidy(runtime: AwsRuntime, windows: Sequence[Window]) -> None:
    """Remove some windows that have been over for long, so that they do not pile up."""
    old = [one for one in windows if one.rule.is_over(runtime.now - _SHOWN_S)]
    for window in old[:_TIDIED]:
        try:
            _remove(runtime, window)
        except TransactionConflictError:
            continue


def _described(window: Window, draft: WindowDraft) -> Window:
    return replace(
        window,
        name=draft.name,
        mode=draft.mode,
        counts_in_uptime=draft.counts_in_uptime,
        target_ids=tuple(draft.target_ids),
        tags=tuple(draft.tags),
        rule=draft.rule,
    )


def _admit(owner: str, draft: WindowDraft, now: int, before: Window | None = None) -> None:
    """Refuse what could never be; raises InvalidError, naming every field."""
    known = before.target_ids if before else ()
    is_new_rule = before is None or draft.rule != before.rule
    faults = (
        *_target_faults(owner, draft, known),
        *(_rule_faults(draft.rule, now) if is_new_rule else ()),
    )
    if faults:
        raise InvalidError("the window cannot be", faults)


def _target_faults(owner: str, draft: WindowDraft, known: Sequence[str]) -> Iterator[Fault]:
    if not draft.target_ids and not draft.tags:
        yield Fault(("body", "target_ids"), "or 'tags' must say which targets it is for")
    new = set(draft.target_ids) - set(known)
    found = Targets(owner).some(new) if new else {}
    for place, target_id in enumerate(draft.target_ids):
        if target_id in new and target_id not in found:
            yield Fault(("body", "target_ids", place), "there is no such target")


def _rule_faults(rule: Rule, now: int) -> Iterator[Fault]:
    once = {"starts_at": rule.starts_at, "ends_at": rule.ends_at}
    again = {"cron": rule.cron, "duration_s": rule.duration_s}
    wanted = once if any(value is not None for value in once.values()) else again
    if wanted is once:
        for name in ("cron", "timezone", "duration_s"):
            if getattr(rule, name) is not None:
                yield Fault(("body", name), "does not go with 'starts_at' and 'ends_at'")
    missing = [name for name, value in wanted.items() if value is None]
    for name in missing:
        rest = "give 'starts_at' and 'ends_at', or 'cron' and 'duration_s'"
        yield Fault(("body", name), f"is needed: {rest}")
    if missing:
        return
    if wanted is once:
        yield from _once_faults(rule.starts_at or 0, rule.ends_at or 0, now)
    else:
        yield from _cron_faults(rule.cron or "", rule.timezone or "UTC", now)


def _cron_faults(cron: str, timezone: str, now: int) -> Iterator[Fault]:
    try:
        read_zone(timezone)
    except BadCronError as error:
        yield Fault(("body", "timezone"), str(error))
        return
    try:
        pause_s = shortest_pause_s(cron, timezone, now)
    except BadCronError as error:
        yield Fault(("body", "cron"), str(error))
        return
    if pause_s is not None and pause_s < SHORTEST_PAUSE_S:
        yield Fault(("body", "cron"), "must not come more than once an hour")


def _once_faults(starts_at: int, ends_at: int, now: int) -> Iterator[Fault]:
    if ends_at <= starts_at:
        yield Fault(("body", "ends_at"), "must be after 'starts_at'")
    elif ends_at <= now:
        yield Fault(("body", "ends_at"), "must be in the future")
    elif ends_at - max(starts_at, now) > LONGEST_S:
        yield Fault(("body", "ends_at"), f"must not be more than {LONGEST_S // _DAY_S} days later")
    if starts_at > now + _FURTHEST_S:
        yield Fault(("body", "starts_at"), "must be within two years")
