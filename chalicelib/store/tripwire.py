"""The last line of owner isolation: refuses any DynamoDB call for a key of another owner.

Repositories put the owner into every key. This hook sits below them, on the client itself, and sees
the finished call: a mistake above it raises here instead of showing one owner another's data. With
nobody to act for, everything is refused.
"""

import re
from collections.abc import Iterator, Mapping
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
    if model.name == "Scan":
        raise ForeignKeyError("a scan has no owner")
    owners = _owners.get()
    if owners is _EVERYBODY:
        return
    for key in _keys(model.name, params):
        if _owner_of(key) not in owners:
            raise ForeignKeyError(f"{model.name} of a key outside the present scope")


def _owner_of(key: Key) -> str | None:
    if "owner" in key:
        return key["owner"]["S"]
    if "lane_day" in key:
        return key["lane_day"]["S"].partition("#")[0]
    return None


def _keys(operation: str, params: Mapping[str, Any]) -> Iterator[Key]:
    if operation in ("GetItem", "PutItem", "UpdateItem", "DeleteItem"):
        yield _written(params)
    elif operation == "Query":
        yield _queried(params)
    elif operation == "BatchGetItem":
        for request in params["RequestItems"].values():
            yield from request["Keys"]
    elif operation in ("TransactWriteItems", "TransactGetItems"):
        for item in params["TransactItems"]:
            yield from map(_written, item.values())
    else:
        # What is not known here is refused: no owner fits a key without one.
        yield {}


def _written(request: Mapping[str, Any]) -> Key:
    key: Key = request.get("Item") or request["Key"]
    return key


def _queried(params: Mapping[str, Any]) -> Key:
    """The attributes that the key condition of a query holds to one value."""
    names = params.get("ExpressionAttributeNames", {})
    values = params.get("ExpressionAttributeValues", {})
    terms = _TERM.findall(params["KeyConditionExpression"])
    return {names.get(name, name): values[value] for name, value in terms}
