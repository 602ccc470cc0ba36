"""An owner's targets, each together with its place in a lane."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from enum import StrEnum
from typing import Any

from pynamodb.exceptions import DoesNotExist
from pynamodb.expressions.update import Action
from pynamodb.models import Model
from pynamodb.transactions import TransactWrite

from chalicelib.access.audit import record_change
from chalicelib.access.usage import NO_CHANGE, UsageChange, apply_usage, transaction
from chalicelib.common.errors import NotFoundError
from chalicelib.monitoring import schedule
from chalicelib.monitoring.check_spec import CheckSpec
from chalicelib.monitoring.secrets import SecretNames, Secrets
from chalicelib.monitoring.state_machine import State
from chalicelib.monitoring.storage.lane_repository import lane_key, seat, secrets_key
from chalicelib.monitoring.storage.lane_update import PlaceUpdate
from chalicelib.monitoring.storage.models import LaneItem, SecretsItem, TargetItem
from chalicelib.monitoring.target import Target

_ID = 36


class Order(StrEnum):
    """Orders of which each page costs what it holds."""

    OLDEST = "oldest"
    NEWEST = "newest"
    NAME = "name"


def position(target: Target, order: Order) -> str:
    """Where a list in an order goes on after a target."""
    return _name_key(target) if order is Order.NAME else target.id


class Targets:
    """The targets of `owner`. Every change that touches the lane too is one transaction."""

    def __init__(self, owner: str) -> None:
        self.owner = owner

    def get(self, target_id: str) -> Target:
        """The target; raises NotFoundError."""
        try:
            return _target(TargetItem.get(self.owner, target_id, consistent_read=True))
        except DoesNotExist:
            raise NotFoundError("there is no such target") from None

    def some(self, target_ids: Iterable[str]) -> dict[str, Target]:
        """Those of the targets that are there; a call for each hundred."""
        keys = [(self.owner, target_id) for target_id in target_ids]
        items = TargetItem.batch_get(keys, consistent_read=True)
        return {item.target_id: _target(item) for item in items}

    def page(
        self, after: str | None, limit: int, order: Order = Order.OLDEST
    ) -> tuple[list[Target], str | None]:
        """Up to `limit` targets after the position `after`, and the position to go on from."""
        if order is Order.NAME:
            return self._page_by_name(after, limit)
        items = TargetItem.query(
            self.owner,
            limit=limit,
            page_size=limit,
            last_evaluated_key=self._key(target_id=after) if after else None,
            consistent_read=True,
            scan_index_forward=order is Order.OLDEST,
        )
        targets = [_target(item) for item in items]
        last = items.last_evaluated_key
        return targets, last["target_id"]["S"] if last else None

    def _page_by_name(self, after: str | None, limit: int) -> tuple[list[Target], str | None]:
        """From an index that is behind by a moment: what was deleted meanwhile is left out."""
        key = self._key(target_id=after[-_ID:], name_key=after) if after else None
        items = TargetItem.by_name.query(
            self.owner, limit=limit, page_size=limit, last_evaluated_key=key
        )
        ids = [item.target_id for item in items]
        found, last = self.some(ids), items.last_evaluated_key
        targets = [found[target_id] for target_id in ids if target_id in found]
        return targets, last["name_key"]["S"] if last else None

    def _key(self, **parts: str) -> dict[str, dict[str, str]]:
        return {name: {"S": value} for name, value in {"owner": self.owner, **parts}.items()}

    def all(self) -> Iterator[Target]:
        """Yield every target of the owner, oldest first."""
        after: str | None = None
        while True:
            page, after = self.page(after, 1_000)
            yield from page
            if after is None:
                return

    def allocator(self) -> Iterator[tuple[str, int, list[str]]]:
        """Of every target its id, its lane and its tags; nothing more is kept in memory."""
        items = TargetItem.query(
            self.owner, attributes_to_get=["target_id", "lane", "tags"], consistent_read=True
        )
        for item in items:
            yield item.target_id, int(item.lane.rpartition("#")[2]), item.tags

    def tagged(self, tags: Iterable[str]) -> dict[str, tuple[str, ...]]:
        """The tags of those that have one of these, by id, in the order of their names.

        They may be behind by a moment; nothing more of a target is kept in memory.
        """
        wanted = set(tags)
        items = TargetItem.query(self.owner, attributes_to_get=["target_id", "tags", "name_key"])
        found = [
            (one.name_key, one.target_id, tuple(one.tags))
            for one in items
            if not wanted.isdisjoint(one.tags)
        ]
        return {target_id: own for _, target_id, own in sorted(found)}

    def add(
        self, target: Target, state: State, secrets: Secrets, usage: UsageChange = NO_CHANGE
    ) -> None:
        """Store a new target and take its place; raises ChangedError where the place is taken, or
        something of the `usage` would become too much.
        """
        with transaction() as write:
            write.save(_item(target), condition=TargetItem.target_id.does_not_exist())
            write.update(
                LaneItem(self.owner, lane_key(target.lane)),
                [seat(target.spec.place).set([target.id, *state.to_list()]), _next_version()],
                condition=LaneItem.key.exists() & seat(target.spec.place).does_not_exist(),
            )
            if secrets:
                self._write_secrets(write, target, secrets)
            apply_usage(write, self.owner, usage)
            record_change(write, self.owner, "target.created", target.id, target.name)

    def change(
        self,
        before: Target,
        after: Target,
        *,
        reseat: PlaceUpdate | None,
        secrets: Secrets | None,
        usage: UsageChange = NO_CHANGE,
    ) -> None:
        """Store `after` in the place of `before`; raises ChangedError where that is outdated.

        `reseat` is what becomes of its place in the lane, None leaves it. `secrets` replaces the
        stored ones: empty removes them, None leaves them.
        """
        with transaction() as write:
            write.update(
                TargetItem(self.owner, after.id), _changes(after), condition=_unchanged(before)
            )
            if reseat:
                self._reseat(write, reseat)
            if secrets:
                self._write_secrets(write, after, secrets)
            elif secrets is not None:
                self._remove_secrets(write, before)
            apply_usage(write, self.owner, usage)
            fields = _changed(before, after, with_secrets=secrets is not None)
            record_change(write, self.owner, _action(fields, after), after.id, after.name, fields)

    def remove(
        self, target: Target, reseat: PlaceUpdate, erasure: Model, usage: UsageChange = NO_CHANGE
    ) -> None:
        """Delete the target and free its place; raises ChangedError where it is outdated.

        With it `erasure` is stored, which has its history erased.
        """
        with transaction() as write:
            write.delete(TargetItem(self.owner, target.id), condition=_unchanged(target))
            write.save(erasure)
            self._reseat(write, reseat)
            if target.spec.has_secrets:
                self._remove_secrets(write, target)
            apply_usage(write, self.owner, usage)
            record_change(write, self.owner, "target.deleted", target.id, target.name)

    def _reseat(self, write: TransactWrite, reseat: PlaceUpdate) -> None:
        item = LaneItem(self.owner, lane_key(reseat.lane.number))
        write.update(item, reseat.actions, condition=reseat.condition)

    def _write_secrets(self, write: TransactWrite, target: Target, secrets: Secrets) -> None:
        item = SecretsItem(self.owner, secrets_key(target.lane))
        write.update(item, [seat(target.spec.place).set(json.dumps(secrets.to_json()))])

    def _remove_secrets(self, write: TransactWrite, target: Target) -> None:
        item = SecretsItem(self.owner, secrets_key(target.lane))
        write.update(item, [seat(target.spec.place).remove()])


def _changed(before: Target, after: Target, *, with_secrets: bool) -> list[str]:
    """The names of what is another now, as the API has them."""
    old, new = _told(before), _told(after)
    names = [name for name in sorted({*old, *new}) if old.get(name) != new.get(name)]
    return [*names, *(["secrets"] if with_secrets else [])]


def _told(target: Target) -> dict[str, Any]:
    spec = target.spec
    return {
        "name": target.name,
        "tags": target.tags,
        "channel_ids": target.channel_ids,
        "enabled": target.enabled,
        "interval_s": spec.interval_s,
        "timeout_s": spec.timeout_s,
        "failure_threshold": spec.failure_threshold,
        "recovery_threshold": spec.recovery_threshold,
        "expect": spec.expect,
        **spec.config,
    }


def _action(fields: list[str], after: Target) -> str:
    if fields == ["enabled"]:
        return "target.resumed" if after.enabled else "target.paused"
    return "target.changed"


def _next_version() -> Action:
    return LaneItem.version.add(1)


def _unchanged(target: Target) -> Any:
    return TargetItem.version == target.version


def _slot(target: Target) -> str | None:
    if not target.enabled:
        return None
    offset = schedule.offset(target.owner, target.lane)
    return schedule.slot(target.spec.interval_s, offset, target.shard)


def _name_key(target: Target) -> str:
    return f"{target.name.casefold()[:200]}\0{target.id}"


def _attributes(target: Target) -> dict[str, Any]:
    names = target.secret_names
    return {
        "slot": _slot(target),
        "lane": f"{target.owner}#{target.lane}",
        "shard": target.shard,
        "spec": target.spec.to_message(),
        "name": target.name,
        "name_key": _name_key(target),
        "tags": list(target.tags),
        "past_tags": [[end, list(tags)] for end, tags in target.past_tags] or None,
        "channel_ids": list(target.channel_ids),
        "secret_names": {**asdict(names), "headers": list(names.headers)},
        "enabled": target.enabled,
        "version": target.version,
        "created_at": target.created_at,
        "updated_at": target.updated_at,
    }


def _item(target: Target) -> TargetItem:
    return TargetItem(target.owner, target.id, **_attributes(target))


def _changes(target: Target) -> list[Action]:
    return [
        getattr(TargetItem, name).remove()
        if value is None
        else getattr(TargetItem, name).set(value)
        for name, value in _attributes(target).items()
    ]


def _target(item: TargetItem) -> Target:
    names = item.secret_names
    return Target(
        owner=item.owner,
        spec=CheckSpec.from_message(item.target_id, item.spec),
        lane=int(item.lane.rpartition("#")[2]),
        shard=int(item.shard or 0),
        name=item.name,
        tags=tuple(item.tags),
        past_tags=tuple((int(end), tuple(tags)) for end, tags in item.past_tags or ()),
        channel_ids=tuple(item.channel_ids),
        secret_names=SecretNames(
            headers=tuple(names["headers"]),
            userinfo=names["userinfo"],
            send=names.get("send", False),
        ),
        enabled=item.enabled,
        version=int(item.version),
        created_at=int(item.created_at),
        updated_at=int(item.updated_at),
    )
