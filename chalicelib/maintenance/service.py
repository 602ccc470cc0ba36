"""Creates, changes and deletes an owner's maintenance windows.

A change applies from its time on; the window before it is kept for the statistics.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Final

from chalicelib.access.usage import TransactionConflictError
from chalicelib.aws.dynamodb import first_page
from chalicelib.aws.runtime import AwsRuntime
from chalicelib.common.errors import ConflictError, Fault, InvalidError
from chalicelib.common.ids import new_id
from chalicelib.maintenance.cron import BadCronError, min_interval_s, read_zone
from chalicelib.maintenance.occurrences import active_spans
from chalicelib.maintenance.repository import Windows
from chalicelib.maintenance.skip_rules import updating_skip_rules
from chalicelib.maintenance.window import Mode, Rule, Window, WindowDraft
from chalicelib.monitoring.storage.target_repository import Targets

MAX_WINDOWS: Final = 100
MIN_DURATION_S: Final = 60
MAX_RECURRING_S: Final = 7 * 86_400
_MAX_ONCE_S: Final = 90 * 86_400
_MIN_CRON_INTERVAL_S: Final = 3_600
_MAX_AHEAD_S: Final = 2 * 366 * 86_400
_EXPIRED_AFTER_S: Final = 30 * 86_400
_MAX_DELETED: Final = 5
_ATTEMPTS: Final = 10
_DAY_S: Final = 86_400


def create(
    runtime: AwsRuntime, owner: str, draft: WindowDraft, window_id: str | None = None
) -> Window:
    """Create a window, which applies from now on at the earliest.

    With a `window_id`, repeated calls create the window only once. Raises InvalidError, and
    ConflictError beyond MAX_WINDOWS.
    """
    now = runtime.now
    _validate(owner, draft, now)
    existing = Windows(owner).all()
    if sum(not window.rule.is_over(now) for window in existing) >= MAX_WINDOWS:
        raise ConflictError(
            f"there are already {MAX_WINDOWS} maintenance windows, which is the limit; delete one"
        )
    window = Window(
        **draft.owner_fields(),
        owner=owner,
        id=window_id or new_id(runtime.clock()),
        since=now,
        created_at=now,
        updated_at=now,
    )
    _delete_expired(runtime, existing)
    with updating_skip_rules(runtime, owner, is_needed=window.mode is Mode.SKIP):
        try:
            Windows(owner).add(window)
        except TransactionConflictError:
            # A concurrent request with the same Idempotency-Key has created it.
            return Windows(owner).get(window.id)
    return window


def change(
    runtime: AwsRuntime, owner: str, window_id: str, redraft: Callable[[Window], WindowDraft]
) -> Window:
    """Replace the window's fields with the draft that `redraft` makes of the current window.

    Raises NotFoundError, InvalidError, and whatever `redraft` raises.
    """

    def attempt(before: Window) -> Window:
        draft = redraft(before)
        _validate(owner, draft, runtime.now, before)
        is_same = draft.has_same_effect(before)
        after = replace(
            before,
            **draft.owner_fields(),
            since=before.since if is_same else runtime.now,
            version=before.version + 1,
            updated_at=runtime.now,
        )
        kept_until = None if is_same else _kept_until(runtime, before)
        with updating_skip_rules(runtime, owner, is_needed=Mode.SKIP in (before.mode, after.mode)):
            Windows(owner).change(before, after, kept_until=kept_until)
        return after

    return _retry_on_conflict(owner, window_id, attempt)


def remove(
    runtime: AwsRuntime, owner: str, window_id: str, check: Callable[[Window], None]
) -> None:
    """Delete the window unless `check` raises; raises NotFoundError."""

    def attempt(before: Window) -> Window:
        check(before)
        _remove(runtime, before)
        return before

    _retry_on_conflict(owner, window_id, attempt)


def page_of_windows(owner: str, after: str | None, limit: int) -> tuple[list[Window], str | None]:
    """Up to `limit` windows after the id `after`, oldest first, and the id to continue from."""
    following = (one for one in Windows(owner).all() if after is None or one.id > after)
    page, last = first_page(following, limit)
    return page, last.id if last else None


def _retry_on_conflict(owner: str, window_id: str, attempt: Callable[[Window], Window]) -> Window:
    """Call `attempt` with the current window, again if the window was changed concurrently."""
    for _ in range(_ATTEMPTS):
        with suppress(TransactionConflictError):
            return attempt(Windows(owner).get(window_id))
    raise ConflictError("the window is being changed by other requests; try again")


def _remove(runtime: AwsRuntime, window: Window) -> None:
    kept_until = _kept_until(runtime, window)
    with updating_skip_rules(runtime, window.owner, is_needed=window.mode is Mode.SKIP):
        Windows(window.owner).remove(window, runtime.now, kept_until=kept_until)


def _kept_until(runtime: AwsRuntime, window: Window) -> int | None:
    """Until when a past window is kept; None if it affects no statistics."""
    has_effect = not window.counts_in_uptime and active_spans(window, window.since, runtime.now)
    return runtime.now + runtime.settings.daily_retention_days * _DAY_S if has_effect else None


def _delete_expired(runtime: AwsRuntime, windows: Sequence[Window]) -> None:
    """Delete a few windows that ended long ago, so that they do not accumulate."""
    expired = [one for one in windows if one.rule.is_over(runtime.now - _EXPIRED_AFTER_S)]
    for window in expired[:_MAX_DELETED]:
        with suppress(TransactionConflictError):
            _remove(runtime, window)


def _validate(owner: str, draft: WindowDraft, now: int, before: Window | None = None) -> None:
    """Raise InvalidError with the faults of all fields, if there are any."""
    faults = list(_target_faults(owner, draft, before.target_ids if before else ()))
    if before is None or draft.rule != before.rule:
        faults += _rule_faults(draft.rule, now)
    if faults:
        raise InvalidError("the maintenance window is invalid", tuple(faults))


def _target_faults(owner: str, draft: WindowDraft, existing: Sequence[str]) -> Iterator[Fault]:
    if not draft.target_ids and not draft.tags:
        yield _fault("target_ids", "is required unless `tags` is given")
    # Targets of the window before the change may have been deleted since.
    new = set(draft.target_ids) - set(existing)
    found = Targets(owner).some(new) if new else {}
    for number, target_id in enumerate(draft.target_ids):
        if target_id in new and target_id not in found:
            yield Fault(("body", "target_ids", number), "there is no target with this id")


def _rule_faults(rule: Rule, now: int) -> Iterator[Fault]:
    once = {"starts_at": rule.starts_at, "ends_at": rule.ends_at}
    recurring = {"cron": rule.cron, "duration_s": rule.duration_s}
    is_once = any(value is not None for value in once.values())
    if is_once:
        for name in ("cron", "timezone", "duration_s"):
            if getattr(rule, name) is not None:
                yield _fault(name, "cannot be combined with `starts_at` and `ends_at`")
    missing = [name for name, value in (once if is_once else recurring).items() if value is None]
    for name in missing:
        yield _fault(
            name, "is required: give `starts_at` and `ends_at`, or `cron` and `duration_s`"
        )
    if missing:
        return
    if is_once:
        yield from _once_faults(rule.starts_at or 0, rule.ends_at or 0, now)
    else:
        yield from _cron_faults(rule.cron or "", rule.timezone or "UTC", now)


def _cron_faults(cron: str, timezone: str, now: int) -> Iterator[Fault]:
    field = "timezone"
    try:
        read_zone(timezone)
        field = "cron"
        interval_s = min_interval_s(cron, timezone, now)
    except BadCronError as error:
        yield _fault(field, str(error))
        return
    if interval_s is not None and interval_s < _MIN_CRON_INTERVAL_S:
        yield _fault("cron", "must not fire more than once an hour")


def _once_faults(starts_at: int, ends_at: int, now: int) -> Iterator[Fault]:
    if ends_at <= starts_at:
        yield _fault("ends_at", "must be after `starts_at`")
    elif ends_at <= now:
        yield _fault("ends_at", "must be in the future")
    elif ends_at - max(starts_at, now) > _MAX_ONCE_S:
        days = _MAX_ONCE_S // _DAY_S
        yield _fault("ends_at", f"must be at most {days} days after `starts_at`, or after now")
    if starts_at > now + _MAX_AHEAD_S:
        yield _fault("starts_at", "must be within two years")


def _fault(field: str, reason: str) -> Fault:
    return Fault(("body", field), reason)
