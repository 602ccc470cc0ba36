"""Users and their tokens, stored under their owner so that one call reads both."""

import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, TypeVar

from pynamodb.exceptions import DoesNotExist, UpdateError
from pynamodb.expressions.update import Action

from chalicelib.access.audit import record_change
from chalicelib.access.models import Account, Token, User
from chalicelib.access.usage import (
    NO_CHANGE,
    TransactionConflictError,
    UsageChange,
    apply_usage,
    transaction,
)
from chalicelib.aws.dynamodb import first_page
from chalicelib.common.errors import NotFoundError, UnavailableError

_USER = "user"
_TOKEN = "token:"  # noqa: S105 - a key prefix
Item = TypeVar("Item", User, Token)
Raw = Mapping[str, Mapping[str, Any]]


class Accounts:
    """The user `owner` and the user's tokens."""

    def __init__(self, owner: str) -> None:
        self.owner = owner

    def caller(self, token_id: str, extra_key: str) -> tuple[User, Token, Raw] | None:
        """Read user and token in one consistent call; None if either is missing.

        The third element is the raw item under `extra_key`, empty if there is none.
        """
        keys = [_USER, _TOKEN + token_id, extra_key]
        found = {item["key"]["S"]: item for item in self._raw(keys)}
        user, token = (
            Account.from_raw_data(dict(found[key])) if key in found else None for key in keys[:2]
        )
        if isinstance(user, User) and isinstance(token, Token):
            return user, token, found.get(extra_key, {})
        return None

    def _raw(self, keys: Sequence[str]) -> Iterator[Raw]:
        connection = Account._get_connection()  # noqa: SLF001 - items of several kinds at once
        requested: list[Any] = [{"owner": self.owner, "key": key} for key in keys]
        response = connection.batch_get_item(requested, consistent_read=True)
        if response.get("UnprocessedKeys"):
            raise UnavailableError("the database is busy; try again")
        for items in response["Responses"].values():
            yield from items

    def user(self) -> User:
        """Read the user; raises NotFoundError."""
        return self._get(_USER, User)

    def add_user(self, *, name: str, admin: bool, now: int) -> User:
        """Store a new user, or return the one that exists."""
        user = User(
            self.owner,
            _USER,
            name=name,
            admin=admin,
            created_at=now,
            cursor_key=secrets.token_hex(16),
        )
        try:
            with transaction() as write:
                write.save(user, condition=Account.key.does_not_exist())
                record_change(write, self.owner, "user.created", self.owner, name)
        except TransactionConflictError:
            return self.user()
        return user

    def change_user(self, *, disabled: bool | None, limits: Mapping[str, int] | None) -> None:
        """Disable or enable the user, and replace their limits; raises NotFoundError.

        None leaves a field unchanged.
        """
        actions: dict[str, Action] = {}
        if disabled is not None:
            actions["disabled"] = User.disabled.set(disabled)
        if limits is not None:
            actions["limits"] = User.limits.set(dict(limits))
        try:
            with transaction() as write:
                user, is_there = User(self.owner, _USER), Account.key.exists()
                write.update(user, list(actions.values()), condition=is_there)
                record_change(write, self.owner, "user.changed", self.owner, "", list(actions))
        except TransactionConflictError:
            raise NotFoundError("no such user") from None

    def tokens(self, after: str | None, limit: int) -> tuple[list[tuple[str, Token]], str | None]:
        """List up to `limit` (id, token) pairs, oldest first, and the id to continue after."""
        key = {"owner": {"S": self.owner}, "key": {"S": _TOKEN + after}} if after else None
        items = Account.query(
            self.owner,
            Account.key.startswith(_TOKEN),
            consistent_read=True,
            limit=limit + 1,
            page_size=limit + 1,
            last_evaluated_key=key,
        )
        page, last = first_page(items, limit)
        tokens = [(item.key.removeprefix(_TOKEN), item) for item in page if isinstance(item, Token)]
        return tokens, last.key.removeprefix(_TOKEN) if last else None

    def token(self, token_id: str) -> Token:
        """Read a token; raises NotFoundError."""
        return self._get(_TOKEN + token_id, Token)

    def _get(self, key: str, model: type[Item]) -> Item:
        with suppress(DoesNotExist):
            item = Account.get(self.owner, key, consistent_read=True)
            if isinstance(item, model):
                return item
        raise NotFoundError(f"no such {model.__name__.lower()}")

    def add_token(self, token_id: str, token: Token, usage: UsageChange = NO_CHANGE) -> None:
        """Store a new token; raises TransactionConflictError if it exists or exceeds the quota."""
        token.owner, token.key = self.owner, _TOKEN + token_id
        with transaction() as write:
            write.save(token, condition=Account.key.does_not_exist())
            apply_usage(write, self.owner, usage)
            record_change(write, self.owner, "token.created", token_id, token.name, token.scopes)

    def remove_token(self, token_id: str, name: str, usage: UsageChange = NO_CHANGE) -> None:
        """Revoke a token immediately; raises TransactionConflictError if it does not exist."""
        with transaction() as write:
            write.delete(Account(self.owner, _TOKEN + token_id), condition=Account.key.exists())
            apply_usage(write, self.owner, usage)
            record_change(write, self.owner, "token.revoked", token_id, name)

    def mark_used(self, token_id: str, now: int, before: int) -> None:
        """Store the time of the last use, unless it was already stored after `before`."""
        used_at = Token.last_used_at
        with suppress(UpdateError):
            Token(self.owner, _TOKEN + token_id).update(
                [used_at.set(now)],
                condition=Account.key.exists() & (used_at.does_not_exist() | (used_at <= before)),
            )


def list_users(after: str | None, limit: int) -> tuple[list[User], str | None]:
    """List up to `limit` users, oldest first, and the id to continue after."""
    key = (
        {"directory": {"S": "users"}, "owner": {"S": after}, "key": {"S": _USER}} if after else None
    )
    items = Account.directory_index.query(
        "users", limit=limit + 1, page_size=limit + 1, last_evaluated_key=key
    )
    page, last = first_page(items, limit)
    return [item for item in page if isinstance(item, User)], last.owner if last else None
