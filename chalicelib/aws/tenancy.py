"""The owner guard: rejects DynamoDB calls for keys of another owner.

Repositories put the owner into every key. This hook is registered on the client below them and sees
the final call, so a mistake in a repository raises an error instead of leaking data. Outside of
`acting_for` and `acting_as_system` every call is rejected.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

Key = Mapping[str, Mapping[str, str]]

_owners: ContextVar[frozenset[str] | None] = ContextVar("owners", default=frozenset())
_EVERYBODY = None
_TERM = re.compile(r"(#?\w+) = (:\w+)")


class ForeignKeyError(Exception):
    """A DynamoDB call used a key outside of the current scope."""


@contextmanager
def acting_for(*owners: str) -> Iterator[None]:
    """Allow the keys of `owners`, and no others, inside the block."""
    token = _owners.set(frozenset(owners))
    try:
        yield
    finally:
        _owners.reset(token)


@contextmanager
def acting_as_system() -> Iterator[None]:
    """Allow every key inside the block, for work across owners. Keep the block short."""
    token = _owners.set(_EVERYBODY)
    try:
        yield
    finally:
        _owners.reset(token)


def check_call(params: Mapping[str, Any], model: Any, **_: object) -> None:
    """The hook for `provide-client-params.dynamodb`; raises ForeignKeyError."""
    find_keys = _KEYS.get(model.name)
    if find_keys is None:
        # A scan, PartiQL or an unknown operation: its items cannot be attributed to owners.
        raise ForeignKeyError(f"{model.name} is not allowed: its keys cannot be checked")
    owners = _owners.get()
    if owners is _EVERYBODY:
        return
    for key in find_keys(params):
        named = _owners_of(key)
        if not named or not named <= owners:
            raise ForeignKeyError(f"{model.name} of a key outside the current scope")


def _owners_of(key: Key) -> set[str]:
    """The owners in a key. An item of the `system` table counts as owned by its name."""
    if "owner" not in key and "name" in key:
        return {key["name"]["S"]}
    found = {key["owner"]["S"]} if "owner" in key else set()
    compound = [key[name]["S"] for name in ("lane_day", "lane_month") if name in key]
    return found | {value.partition("#")[0] for value in compound}


def _one(params: Mapping[str, Any]) -> Iterator[Key]:
    yield _written(params)


def _batched(params: Mapping[str, Any]) -> Iterator[Key]:
    for request in params["RequestItems"].values():
        yield from request["Keys"]


def _transacted(params: Mapping[str, Any]) -> Iterator[Key]:
    for item in params["TransactItems"]:
        yield from map(_written, item.values())


def _written(request: Mapping[str, Any]) -> Key:
    key: Key = request.get("Item") or request["Key"]
    return key


def _queried(params: Mapping[str, Any]) -> Iterator[Key]:
    """The attributes that the key condition restricts to a single value."""
    names = params.get("ExpressionAttributeNames", {})
    values = params.get("ExpressionAttributeValues", {})
    terms = _TERM.findall(params["KeyConditionExpression"])
    yield {names.get(name, name): values[value] for name, value in terms}


_KEYS: Mapping[str, Callable[[Mapping[str, Any]], Iterator[Key]]] = {
    "GetItem": _one,
    "PutItem": _one,
    "UpdateItem": _one,
    "DeleteItem": _one,
    "Query": _queried,
    "BatchGetItem": _batched,
    "TransactGetItems": _transacted,
    "TransactWriteItems": _transacted,
}
