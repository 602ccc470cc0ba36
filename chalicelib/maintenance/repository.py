"""Stores an owner's maintenance windows, current and past."""

from dataclasses import asdict
from typing import Any

from pynamodb.exceptions import DoesNotExist
from pynamodb.expressions.condition import Condition

from chalicelib.access.audit import record_change
from chalicelib.access.usage import transaction
from chalicelib.common.errors import NotFoundError
from chalicelib.maintenance.models import WindowItem
from chalicelib.maintenance.window import Mode, Rule, Window

_CURRENT, _PAST = "window#", "past#"


class Windows:
    """The windows of `owner`."""

    def __init__(self, owner: str) -> None:
        self.owner = owner

    def get(self, window_id: str) -> Window:
        """The window; raises NotFoundError."""
        try:
            return _window(WindowItem.get(self.owner, _CURRENT + window_id, consistent_read=True))
        except DoesNotExist:
            raise NotFoundError("there is no such maintenance window") from None

    def all(self) -> list[Window]:
        """All current windows, oldest first."""
        return self._query(WindowItem.key.startswith(_CURRENT))

    def current_and_past(self, start: int) -> list[Window]:
        """All current windows, and the past ones that were changed or deleted after `start`."""
        # One query: past windows are sorted by their end, and directly before the current ones.
        return self._query(WindowItem.key.between(f"{_PAST}{start:011d}", f"{_CURRENT}~"))

    def _query(self, condition: Condition) -> list[Window]:
        items = WindowItem.query(self.owner, condition, consistent_read=True)
        return [_window(item) for item in items]

    def add(self, window: Window) -> None:
        """Store a new window; raises TransactionConflictError if it exists."""
        with transaction() as write:
            write.save(_item(window), condition=WindowItem.key.does_not_exist())
            record_change(write, self.owner, "maintenance.created", window.id, window.name)

    def change(self, before: Window, after: Window, *, kept_until: int | None) -> None:
        """Replace `before` with `after`; raises TransactionConflictError if `before` is outdated.

        `before` is kept as a past window until `kept_until` (epoch seconds), unless that is None.
        """
        with transaction() as write:
            write.save(_item(after), condition=WindowItem.version == before.version)
            if kept_until is not None:
                write.save(_item(before, until=after.updated_at, expires=kept_until))
            record_change(write, self.owner, "maintenance.changed", after.id, after.name)

    def remove(self, window: Window, now: int, *, kept_until: int | None) -> None:
        """Delete it; raises TransactionConflictError if outdated. `kept_until`: see `change`."""
        with transaction() as write:
            item = WindowItem(self.owner, _CURRENT + window.id)
            write.delete(item, condition=WindowItem.version == window.version)
            if kept_until is not None:
                write.save(_item(window, until=now, expires=kept_until))
            record_change(write, self.owner, "maintenance.deleted", window.id, window.name)


def rule_to_json(rule: Rule) -> dict[str, Any]:
    """The fields of a rule that are set."""
    return {name: value for name, value in asdict(rule).items() if value is not None}


def _item(window: Window, until: int | None = None, expires: int | None = None) -> WindowItem:
    key = _CURRENT + window.id if until is None else f"{_PAST}{until:011d}#{window.id}"
    fields: dict[str, Any] = {
        "name": window.name,
        "mode": str(window.mode),
        "counts": window.counts_in_uptime,
        "target_ids": list(window.target_ids),
        "tags": list(window.tags),
        "rule": rule_to_json(window.rule),
        "since": window.since,
        "until": until,
        "version": window.version,
        "created_at": window.created_at,
        "updated_at": window.updated_at,
        "expires": expires,
    }
    return WindowItem(window.owner, key, **fields)


def _window(item: WindowItem) -> Window:
    return Window(
        owner=item.owner,
        id=item.key.rpartition("#")[2],
        name=item.name,
        mode=Mode(item.mode),
        counts_in_uptime=item.counts,
        target_ids=tuple(item.target_ids),
        tags=tuple(item.tags),
        rule=Rule(**item.rule),
        since=int(item.since),
        until=None if item.until is None else int(item.until),
        version=int(item.version),
        created_at=int(item.created_at),
        updated_at=int(item.updated_at),
    )
