"""An owner's targets, written together with their places in lanes."""

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
from chalicelib.aws.dynamodb import first_page
from chalicelib.common.errors import NotFoundError
from chalicelib.monitoring import schedule
from chalicelib.monitoring.check_spec import CheckSpec
from chalicelib.monitoring.secrets import SecretNames, Secrets
from chalicelib.monitoring.state_machine import State
from chalicelib.monitoring.storage.lane_repository import (
    PlaceUpdate,
    lane_key,
    place_path,
    secrets_key,
)
from chalicelib.monitoring.storage.models import LaneItem, SecretsItem, TargetItem
from chalicelib.monitoring.target import Target, TargetOutline

_ID_LENGTH = 36
_OUTLINE = ["target_id", "lane", "shard", "spec", "tags", "created_at", "updated_at"]


class Order(StrEnum):
    """The orders in which a page reads only its own items."""

    OLDEST = "oldest"
    NEWEST = "newest"
    NAME = "name"


def position(target: Target, order: Order) -> str:
    """The position from which a list in this order continues after a target."""
    return _name_key(target) if order is Order.NAME else target.id


class Targets:
    """The targets of `owner`. A change of target and lane is one transaction."""

    def __init__(self, owner: str) -> None:
        self.owner = owner

    def get(self, target_id: str) -> Target:
        """The target; raises NotFoundError."""
        try:
            return _target(TargetItem.get(self.owner, target_id, consistent_read=True))
        except DoesNotExist:
            raise NotFoundError("there is no such target") from None

    def some(self, target_ids: Iterable[str]) -> dict[str, Target]:
        """The existing targets among these ids; one call per hundred."""
        keys = [(self.owner, target_id) for target_id in target_ids]
        items = TargetItem.batch_get(keys, consistent_read=True)
        return {item.target_id: _target(item) for item in items}

    def page(
        self, after: str | None, limit: int, order: Order = Order.OLDEST
    ) -> tuple[list[Target], str | None]:
        """Up to `limit` targets after the position `after`, and the position to continue from."""
        if order is Order.NAME:
            return self._page_by_name(after, limit)
        items = TargetItem.query(
            self.owner,
            limit=limit + 1,
            page_size=limit + 1,
            last_evaluated_key=self._key(target_id=after) if after else None,
            consistent_read=True,
            scan_index_forward=order is Order.OLDEST,
        )
        page, last = first_page(items, limit)
        return list(map(_target, page)), last.target_id if last else None

    def _page_by_name(self, after: str | None, limit: int) -> tuple[list[Target], str | None]:
        """The index is eventually consistent: targets deleted since are left out."""
        key = self._key(target_id=after[-_ID_LENGTH:], name_key=after) if after else None
        items = TargetItem.by_name.query(
            self.owner, limit=limit + 1, page_size=limit + 1, last_evaluated_key=key
        )
        page, last = first_page(items, limit)
        found = self.some(item.target_id for item in page)
        targets = [found[item.target_id] for item in page if item.target_id in found]
        return targets, last.name_key if last else None

    def _key(self, **parts: str) -> dict[str, dict[str, str]]:
        return {name: {"S": value} for name, value in {"owner": self.owner, **parts}.items()}

    def all(self) -> Iterator[Target]:
        """Every target of the owner, oldest first."""
        after: str | None = None
        while True:
            page, after = self.page(after, 1_000)
            yield from page
            if after is None:
                return

    def outlines(self) -> Iterator[TargetOutline]:
        """Every target of the owner, oldest first; a call per 1 MB (some thousand targets).

        Reads raw items: there can be thousands, and creating models takes longer than reading.
        """
        for item in TargetItem.raw_query(self.owner, attributes=_OUTLINE, consistent_read=True):
            spec = json.loads(item["spec"]["S"])
            yield TargetOutline(
                owner=self.owner,
                id=item["target_id"]["S"],
                lane=int(item["lane"]["S"].rpartition("#")[2]),
                shard=int(item["shard"]["N"]) if "shard" in item else 0,
                place=spec["place"],
                interval_s=spec["interval_s"],
                timeout_s=spec["timeout_s"],
                tags=json.loads(item["tags"]["S"]),
                created_at=int(item["created_at"]["N"]),
                updated_at=int(item["updated_at"]["N"]),
            )

    def lanes_and_tags(self) -> Iterator[tuple[str, int, list[str]]]:
        """The id, lane and tags of every target, without keeping more in memory."""
        items = TargetItem.query(
            self.owner, attributes_to_get=["target_id", "lane", "tags"], consistent_read=True
        )
        for item in items:
            yield item.target_id, int(item.lane.rpartition("#")[2]), item.tags

    def tagged(self, tags: Iterable[str]) -> dict[str, tuple[str, ...]]:
        """The tags of targets with at least one of `tags`, by id, in the order of their names.

        Eventually consistent; nothing more of a target is kept in memory.
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
        """Store a new target in its place.

        Raises ChangedError if the place is taken or the `usage` would exceed a limit.
        """
        place = place_path(target.spec.place)
        with transaction() as write:
            write.save(_item(target), condition=TargetItem.target_id.does_not_exist())
            write.update(
                LaneItem(self.owner, lane_key(target.lane)),
                [place.set([target.id, *state.to_list()]), LaneItem.version.add(1)],
                condition=LaneItem.key.exists() & place.does_not_exist(),
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
        place_update: PlaceUpdate | None,
        secrets: Secrets | None,
        usage: UsageChange = NO_CHANGE,
    ) -> None:
        """Replace `before` with `after`; raises ChangedError if `before` is outdated.

        `place_update` changes its place in the lane, None keeps it. `secrets` replaces the stored
        ones: empty removes them, None keeps them.
        """
        with transaction() as write:
            write.update(
                TargetItem(self.owner, after.id), _changes(after), condition=_unchanged(before)
            )
            if place_update:
                self._update_place(write, place_update)
            if secrets:
                self._write_secrets(write, after, secrets)
            elif secrets is not None:
                self._remove_secrets(write, before)
            apply_usage(write, self.owner, usage)
            fields = _changed(before, after, with_secrets=secrets is not None)
            record_change(write, self.owner, _action(fields, after), after.id, after.name, fields)

    def remove(
        self,
        target: Target,
        place_update: PlaceUpdate,
        erasure: Model,
        usage: UsageChange = NO_CHANGE,
    ) -> None:
        """Delete the target and free its place; raises ChangedError if it is outdated.

        Also stores `erasure`, which requests the erasure of its history.
        """
        with transaction() as write:
            write.delete(TargetItem(self.owner, target.id), condition=_unchanged(target))
            write.save(erasure)
            self._update_place(write, place_update)
            if target.spec.has_secrets:
                self._remove_secrets(write, target)
            apply_usage(write, self.owner, usage)
            record_change(write, self.owner, "target.deleted", target.id, target.name)

    def _update_place(self, write: TransactWrite, place_update: PlaceUpdate) -> None:
        item = LaneItem(self.owner, lane_key(place_update.lane.number))
        write.update(item, place_update.actions, condition=place_update.condition)

    def _write_secrets(self, write: TransactWrite, target: Target, secrets: Secrets) -> None:
        item = SecretsItem(self.owner, secrets_key(target.lane))
        stored = {**secrets.to_json(), "tag": target.spec.secrets_tag}
        write.update(item, [place_path(target.spec.place).set(json.dumps(stored))])

    def _remove_secrets(self, write: TransactWrite, target: Target) -> None:
        item = SecretsItem(self.owner, secrets_key(target.lane))
        write.update(item, [place_path(target.spec.place).remove()])


def _changed(before: Target, after: Target, *, with_secrets: bool) -> list[str]:
    """The API names of the changed fields."""
    old, new = _audited_fields(before), _audited_fields(after)
    names = [name for name in sorted({*old, *new}) if old.get(name) != new.get(name)]
    return [*names, *(["secrets"] if with_secrets else [])]


def _audited_fields(target: Target) -> dict[str, Any]:
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
    values = [(getattr(TargetItem, name), value) for name, value in _attributes(target).items()]
    return [path.remove() if value is None else path.set(value) for path, value in values]


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
