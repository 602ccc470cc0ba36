"""The audit log: one record per change, written in the transaction of the change."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final

from pynamodb.transactions import TransactWrite

from chalicelib.access.models import AuditItem
from chalicelib.aws.dynamodb import first_page
from chalicelib.common.ids import new_id

KEPT_S: Final = 90 * 86_400
_KEY: Final = "audit:"


@dataclass(frozen=True, slots=True)
class Actor:
    """The user, token and request behind a change; `now` is in epoch seconds."""

    user: str
    token_id: str
    token_name: str
    request_id: str
    now: float


_actor: ContextVar[Actor | None] = ContextVar("actor", default=None)


@contextmanager
def recorded_as(actor: Actor | None) -> Iterator[None]:
    """Record the changes inside the block as made by `actor`; None records nothing."""
    token = _actor.set(actor)
    try:
        yield
    finally:
        _actor.reset(token)


def record_change(
    write: TransactWrite,
    owner: str,
    action: str,
    thing: str,
    name: str,
    fields: Sequence[str] = (),
) -> None:
    """Add a record to the transaction of a change; `action` is such as `target.created`."""
    actor = _actor.get()
    if actor is None:
        return
    item = AuditItem(
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
    write.save(item)


def list_records(
    owner: str, now: int, after: str | None, limit: int
) -> tuple[list[AuditItem], str | None]:
    """List up to `limit` records of the last 90 days, newest first, and the next page's `after`."""
    key = {"owner": {"S": owner}, "key": {"S": _KEY + after}} if after else None
    items = AuditItem.query(
        owner,
        AuditItem.key.startswith(_KEY),
        filter_condition=AuditItem.expires > now,
        scan_index_forward=False,
        limit=limit + 1,
        page_size=limit + 1,
        last_evaluated_key=key,
    )
    records, last = first_page(items, limit)
    return records, last.key.removeprefix(_KEY) if last else None
