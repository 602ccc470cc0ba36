"""The last line of owner isolation: refuses any DynamoDB call for a key of another owner.

Repositories put the owner into every key. This hook sits below them, on the client itself, and sees
the finished call: a mistake above it raises here instead of showing one owner another's data. With
nobody to act for, everything is refused.
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
    """A call was about to touch an item of somebody it does not act for."""


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
    """Allow every key inside the block: for what belongs to no owner. Keep it short."""
    token = _owners.set(_EVERYBODY)
    try:
        yield
    finally:
        _owners.reset(token)


def check_call(params: Mapping[str, Any], model: Any, **_: object) -> None:
    """The hook for `provide-client-params.dynamodb`; raises ForeignKeyError."""
    find_keys = _KEYS.get(model.name)
    if find_keys is None:
        # A scan, PartiQL, or what is not known here: nobody can tell whose items those are.
        raise ForeignKeyError(f"{model.name} names no owner")
    owners = _owners.get()
    if owners is _EVERYBODY:
        return
    for key in find_keys(params):
        named = _owners_of(key)
        if not named or not named <= owners:
            raise ForeignKeyError(f"{model.name} of a key outside the present scope")


def _owners_of(key: Key) -> set[str]:
    """Owners, or the name of an item that belongs to none: it is acted for like an owner."""
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
    """The attributes that the key condition of a query holds to one value."""
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
