"""An owner's targets, each together with its place in a lane."""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

from pynamodb.exceptions import DoesNotExist, TransactWriteError
from pynamodb.expressions.update import Action
from pynamodb.transactions import TransactWrite

from chalicelib.domain import schedule
from chalicelib.domain.errors import NotFoundError
from chalicelib.domain.secrets import SecretNames, Secrets
from chalicelib.domain.specs import CheckSpec
from chalicelib.domain.state import State
from chalicelib.domain.targets import Target
from chalicelib.store.base import connection
from chalicelib.store.lanes import lane_key, seat, secrets_key
from chalicelib.store.models import LaneItem, SecretsItem, TargetItem
from chalicelib.store.seating import Reseat


class ChangedError(Exception):
    """Another write came between: what was read is not what is stored any more."""


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

    def page(self, after: str | None, limit: int) -> tuple[list[Target], str | None]:
        """Up to `limit` targets after the id `after`, oldest first, and the id to go on from."""
        key = {"owner": {"S": self.owner}, "target_id": {"S": after}} if after else None
        items = TargetItem.query(
            self.owner,
            limit=limit,
            page_size=limit,
            last_evaluated_key=key,
            consistent_read=True,
        )
        targets = [_target(item) for item in items]
        last = items.last_evaluated_key
        return targets, last["target_id"]["S"] if last else None

    def seats(self) -> Iterator[tuple[str, int, list[str]]]:
        """Of every target its id, its lane and its tags; nothing more is kept in memory."""
        items = TargetItem.query(
            self.owner, attributes_to_get=["target_id", "lane", "tags"], consistent_read=True
        )
        for item in items:
            yield item.target_id, int(item.lane.rpartition("#")[2]), item.tags

    def add(self, target: Target, state: State, secrets: Secrets) -> None:
        """Store a new target and take its place; raises ChangedError where the place is taken."""
        with transaction() as write:
            write.save(_item(target), condition=TargetItem.target_id.does_not_exist())
            write.update(
                LaneItem(self.owner, lane_key(target.lane)),
                [seat(target.spec.place).set([target.id, *state.to_list()]), _next_version()],
                condition=LaneItem.key.exists() & seat(target.spec.place).does_not_exist(),
            )
            if secrets:
                self._write_secrets(write, target, secrets)

    def change(
        self, before: Target, after: Target, *, reseat: Reseat | None, secrets: Secrets | None
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

    def remove(self, target: Target, reseat: Reseat) -> None:
        """Delete the target and free its place; raises ChangedError where it is outdated."""
        with transaction() as write:
            write.delete(TargetItem(self.owner, target.id), condition=_unchanged(target))
            self._reseat(write, reseat)
            if target.spec.has_secrets:
                self._remove_secrets(write, target)

    def _reseat(self, write: TransactWrite, reseat: Reseat) -> None:
        item = LaneItem(self.owner, lane_key(reseat.lane.number))
        write.update(item, reseat.actions, condition=reseat.condition)

    def _write_secrets(self, write: TransactWrite, target: Target, secrets: Secrets) -> None:
        item = SecretsItem(self.owner, secrets_key(target.lane))
        write.update(item, [seat(target.spec.place).set(json.dumps(secrets.to_json()))])

    def _remove_secrets(self, write: TransactWrite, target: Target) -> None:
        item = SecretsItem(self.owner, secrets_key(target.lane))
        write.update(item, [seat(target.spec.place).remove()])


@contextmanager
def transaction() -> Iterator[TransactWrite]:
    """A transaction whose failed condition is a ChangedError."""
    try:
        with TransactWrite(connection=connection()) as write:
            yield write
    except TransactWriteError as error:
        codes = {reason.code for reason in error.cancellation_reasons if reason}
        if codes & {"ConditionalCheckFailed", "TransactionConflict"}:
            raise ChangedError from None
        raise


def _next_version() -> Action:
    return LaneItem.version.add(1)


def _unchanged(target: Target) -> Any:
    return TargetItem.version == target.version


def _slot(target: Target) -> str | None:
    if not target.enabled:
        return None
    offset = schedule.offset(target.owner, target.lane)
    return schedule.slot(target.spec.interval_s, offset, target.shard)


def _attributes(target: Target) -> dict[str, Any]:
    names = target.secret_names
    return {
        "slot": _slot(target),
        "lane": f"{target.owner}#{target.lane}",
        "shard": target.shard,
        "spec": target.spec.to_message(),
        "name": target.name,
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
