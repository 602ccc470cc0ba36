"""Users and their tokens. Both sit under the owner, so one call reads what a request needs."""

import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from pynamodb.exceptions import DoesNotExist, UpdateError
from pynamodb.expressions.update import Action

from chalicelib.access.audit import note
from chalicelib.access.models import Account, Token, User
from chalicelib.access.usage import NOTHING, UsageChange, UsageChangedError, enter, transaction
from chalicelib.common.errors import NotFoundError, UnavailableError

_USER = "user"
_TOKEN = "token:"  # noqa: S105 - the beginning of a key
Raw = Mapping[str, Mapping[str, Any]]


class Accounts:
    """The user `owner` and the user's tokens."""

    def __init__(self, owner: str) -> None:
        self.owner = owner

    def caller(self, token_id: str, beside: str) -> tuple[User, Token, Raw] | None:
        """User and token as they are now, in one call; None where either is missing.

        With them comes, as it is stored, the item under the key `beside`, empty where none is.
        """
        keys = [_USER, _TOKEN + token_id, beside]
        found = {item["key"]["S"]: item for item in self._raw(keys)}
        user, token = (
            Account.from_raw_data(dict(found[key])) if key in found else None for key in keys[:2]
        )
        if isinstance(user, User) and isinstance(token, Token):
            return user, token, found.get(beside, {})
        return None

    def _raw(self, keys: Sequence[str]) -> Iterator[Raw]:
        connection = Account._get_connection()  # noqa: SLF001 - items of several kinds at once
        wanted: list[Any] = [{"owner": self.owner, "key": key} for key in keys]
        answer = connection.batch_get_item(wanted, consistent_read=True)
        if answer.get("UnprocessedKeys"):
            raise UnavailableError("too much at once; try again")
        for items in answer["Responses"].values():
            yield from items

    def user(self) -> User:
        """The user; raises NotFoundError."""
        try:
            item = Account.get(self.owner, _USER, consistent_read=True)
        except DoesNotExist:
            raise NotFoundError("there is no such user") from None
        if not isinstance(item, User):
            raise NotFoundError("there is no such user")
        return item

    def add_user(self, *, name: str, admin: bool, now: int) -> User:
        """Store a new user, or find the one that is stored already."""
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
                note(write, self.owner, "user.created", self.owner, name)
        except UsageChangedError:
            return self.user()
        return user

    def change_user(self, *, disabled: bool | None, limits: Mapping[str, int] | None) -> None:
        """Have the user's tokens refused or accepted, and other limits; raises NotFoundError.

        None leaves what there is.
        """
        actions: list[Action] = []
        if disabled is not None:
            actions.append(User.disabled.set(disabled))
        if limits is not None:
            actions.append(User.limits.set(dict(limits)))
        try:
            with transaction() as write:
                write.update(User(self.owner, _USER), actions, condition=Account.key.exists())
                fields = [name for name, given in _given(disabled, limits) if given]
                note(write, self.owner, "user.changed", self.owner, "", fields)
        except UsageChangedError:
            raise NotFoundError("there is no such user") from None

    def tokens(self, after: str | None, limit: int) -> tuple[list[tuple[str, Token]], str | None]:
        """Up to `limit` tokens, with their ids, after the id `after`, oldest first, and the id to
        go on from.
        """
        key = {"owner": {"S": self.owner}, "key": {"S": _TOKEN + after}} if after else None
        items = Account.query(
            self.owner,
            Account.key.startswith(_TOKEN),
            consistent_read=True,
            limit=limit,
            page_size=limit,
            last_evaluated_key=key,
        )
        tokens = [
            (item.key.removeprefix(_TOKEN), item) for item in items if isinstance(item, Token)
        ]
        last = items.last_evaluated_key
        return tokens, last["key"]["S"].removeprefix(_TOKEN) if last else None

    def token(self, token_id: str) -> Token:
        """The token; raises NotFoundError."""
        try:
            item = Account.get(self.owner, _TOKEN + token_id, consistent_read=True)
        except DoesNotExist:
            raise NotFoundError("there is no such token") from None
        assert isinstance(item, Token)
        return item

    def add_token(self, token_id: str, token: Token, ledger: UsageChange = NOTHING) -> None:
        """Store a new token under its id; raises ChangedError where it is there, or too many."""
        token.owner, token.key = self.owner, _TOKEN + token_id
        with transaction() as write:
            write.save(token, condition=Account.key.does_not_exist())
            enter(write, self.owner, ledger)
            note(write, self.owner, "token.created", token_id, token.name, token.scopes)

    def remove_token(self, token_id: str, name: str, ledger: UsageChange = NOTHING) -> None:
        """Revoke it, from now on; raises ChangedError where it is not there."""
        with transaction() as write:
            write.delete(Account(self.owner, _TOKEN + token_id), condition=Account.key.exists())
            enter(write, self.owner, ledger)
            note(write, self.owner, "token.revoked", token_id, name)

    def mark_used(self, token_id: str, now: int, before: int) -> None:
        """Remember when the token was used last, unless another just did after `before`."""
        used_at = Token.last_used_at
        with suppress(UpdateError):
            Token(self.owner, _TOKEN + token_id).update(
                [used_at.set(now)],
                condition=Account.key.exists() & (used_at.does_not_exist() | (used_at <= before)),
            )


def _given(*given: object) -> list[tuple[str, bool]]:
    return [
        (name, one is not None) for name, one in zip(("disabled", "limits"), given, strict=True)
    ]


def list_users(after: str | None, limit: int) -> tuple[list[User], str | None]:
    """Up to `limit` users after the id `after`, oldest first, and the id to go on from."""
    key = (
        {"directory": {"S": "users"}, "owner": {"S": after}, "key": {"S": _USER}} if after else None
    )
    items = Account.directory_index.query(
        "users", limit=limit, page_size=limit, last_evaluated_key=key
    )
    users = [item for item in items if isinstance(item, User)]
    last = items.last_evaluated_key
    return users, last["owner"]["S"] if last else None
