"""An owner's maintenance windows, as they are and as they were."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from pynamodb.exceptions import DoesNotExist

from chalicelib.access.audit import record_change
from chalicelib.access.usage import transaction
from chalicelib.common.errors import NotFoundError
from chalicelib.maintenance.models import WindowItem
from chalicelib.maintenance.window import Mode, Rule, Window

_NOW, _PAST = "window#", "past#"


class Windows:
    """The windows of `owner`."""

    def __init__(self, owner: str) -> None:
        self.owner = owner

    def get(self, window_id: str) -> Window:
        """The window; raises NotFoundError."""
        try:
            return _window(WindowItem.get(self.owner, _NOW + window_id, consistent_read=True))
        except DoesNotExist:
            raise NotFoundError("there is no such maintenance window") from None

    def all(self) -> list[Window]:
        """Every window as it is now, oldest first."""
        items = WindowItem.query(self.owner, WindowItem.key.startswith(_NOW), consistent_read=True)
        return [_window(item) for item in items]

    def ever(self, start: int) -> list[Window]:
        """Every window as it is, and as it was until it was changed or deleted after `start`."""
        items = WindowItem.query(
            self.owner,
            WindowItem.key.between(f"{_PAST}{start:011d}", f"{_NOW}~"),
            consistent_read=True,
        )
        return [_window(item) for item in items]

    def add(self, window: Window) -> None:
        """Store a new window; raises ChangedError where there is one already."""
        with transaction() as write:
            write.save(_item(window), condition=WindowItem.key.does_not_exist())
            record_change(write, self.owner, "maintenance.created", window.id, window.name)

    def change(self, before: Window, after: Window, *, kept_until: int | None) -> None:
        """Store `after` instead of `before`; raises ChangedError where that is outdated.

        With `kept_until` (epoch seconds) it is kept until then what the window was before.
        """
        with transaction() as write:
            write.save(_item(after), condition=WindowItem.version == before.version)
            if kept_until is not None:
                write.save(_item(before, until=after.updated_at, expires=kept_until))
            record_change(write, self.owner, "maintenance.changed", after.id, after.name)

    def remove(self, window: Window, now: int, *, kept_until: int | None) -> None:
        """Delete it; raises ChangedError where it is outdated. `kept_until`: see `change`."""
        with transaction() as write:
            item = WindowItem(self.owner, _NOW + window.id)
            write.delete(item, condition=WindowItem.version == window.version)
            if kept_until is not None:
                write.save(_item(window, until=now, expires=kept_until))
            record_change(write, self.owner, "maintenance.deleted", window.id, window.name)


def read_rule(fields: dict[str, Any]) -> Rule:
    """The rule that `write_rule` wrote."""
    return Rule(**fields)


def write_rule(rule: Rule) -> dict[str, Any]:
    """A rule as JSON, without what is not set."""
    return {name: value for name, value in asdict(rule).items() if value is not None}


def _item(window: Window, until: int | None = None, expires: int | None = None) -> WindowItem:
    key = _NOW + window.id if until is None else f"{_PAST}{until:011d}#{window.id}"
    fields: dict[str, Any] = {
        "name": window.name,
        "mode": str(window.mode),
        "counts": window.counts_in_uptime,
        "target_ids": list(window.target_ids),
        "tags": list(window.tags),
        "rule": write_rule(window.rule),
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
        target_ids=_texts(item.target_ids),
        tags=_texts(item.tags),
        rule=read_rule(item.rule),
        since=int(item.since),
        until=None if item.until is None else int(item.until),
        version=int(item.version),
        created_at=int(item.created_at),
        updated_at=int(item.updated_at),
    )


def _texts(values: Sequence[str]) -> tuple[str, ...]:
    return tuple(values)
