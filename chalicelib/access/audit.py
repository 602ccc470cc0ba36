"""Who changed what: one item for each change, written in the transaction of the change itself."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final

from pynamodb.transactions import TransactWrite

from chalicelib.access.models import AuditItem
from chalicelib.common.ids import new_id

KEPT_S: Final = 90 * 86_400
_KEY: Final = "audit:"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who changes something, by which token and with which request, and when, in epoch seconds."""

    user: str
    token_id: str
    token_name: str
    request_id: str
    now: float


@dataclass(frozen=True, slots=True)
class Record:
    """One change: who did what to which thing. `fields` are those that were changed."""

    id: str
    at: int
    user: str
    token_id: str
    token_name: str
    request_id: str
    action: str
    thing: str
    name: str
    fields: Sequence[str] = ()


_actor: ContextVar[Actor | None] = ContextVar("actor", default=None)


@contextmanager
def recorded_as(actor: Actor | None) -> Iterator[None]:
    """Have the changes inside the block recorded; without an actor nothing is."""
    token = _actor.set(actor)
    try:
        yield
    finally:
        _actor.reset(token)


def note(
    write: TransactWrite,
    owner: str,
    action: str,
    thing: str,
    name: str,
    fields: Sequence[str] = (),
) -> None:
    """Record a change with its transaction: `action` such as `target.created`, of which `thing`."""
    item = _item(owner, action, thing, name, fields)
    if item:
        write.save(item)


def page_of_records(
    owner: str, now: int, after: str | None, limit: int
) -> tuple[list[Record], str | None]:
    """Up to `limit` records of the last 90 days, newest first, and the id to go on from."""
    key = {"owner": {"S": owner}, "key": {"S": _KEY + after}} if after else None
    items = AuditItem.query(
        owner,
        AuditItem.key.startswith(_KEY),
        filter_condition=AuditItem.expires > now,
        scan_index_forward=False,
        limit=limit,
        page_size=limit,
        last_evaluated_key=key,
    )
    records = [_record(item) for item in items]
    last = items.last_evaluated_key
    return records, last["key"]["S"].removeprefix(_KEY) if last else None


def _item(
    owner: str, action: str, thing: str, name: str, fields: Sequence[str]
) -> AuditItem | None:
    actor = _actor.get()
    if actor is None:
        return None
    return AuditItem(
        owner,
        _KEY + new_id(actor.now),
        at=int(actor.now),
        user=actor.user,
        token_id=actor.token_id,
        token_name=actor.token_name,
        request_id=actor.request_id,
        action=action,
        thing=thing,
        name=name,
        fields=list(fields),
        expires=int(actor.now) + KEPT_S,
    )


def _record(item: AuditItem) -> Record:
    return Record(
        id=item.key.removeprefix(_KEY),
        at=int(item.at),
        user=item.user,
        token_id=item.token_id,
        token_name=item.token_name,
        request_id=item.request_id,
        action=item.action,
        thing=item.thing,
        name=item.name,
        fields=tuple(item.fields or ()),
    )
