"""Users and their tokens. Both sit under the owner, so one call reads what a request needs."""

import secrets
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pynamodb.exceptions import DeleteError, DoesNotExist, UpdateError

from chalicelib.domain.errors import NotFoundError, UnavailableError
from chalicelib.store.models import Account, Token, User

_USER = "user"
_TOKEN = "token:"  # noqa: S105 - the beginning of a key
Raw = Mapping[str, Mapping[str, Any]]
_FAILED = "ConditionalCheckFailedException"


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
        """Store a new user."""
        user = User(
            self.owner,
            _USER,
            name=name,
            admin=admin,
            created_at=now,
            cursor_key=secrets.token_hex(16),
        )
        user.save(condition=Account.key.does_not_exist())
        return user

    def set_disabled(self, *, disabled: bool) -> None:
        """Have the user's tokens refused, or accepted again; raises NotFoundError."""
        try:
            User(self.owner, _USER).update(
                [User.disabled.set(disabled)], condition=Account.key.exists()
            )
        except UpdateError as error:
            if error.cause_response_code != _FAILED:
                raise
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

    def add_token(self, token_id: str, token: Token) -> None:
        """Store a new token under its id."""
        token.owner, token.key = self.owner, _TOKEN + token_id
        token.save(condition=Account.key.does_not_exist())

    def remove_token(self, token_id: str) -> None:
        """Revoke it, from now on; raises NotFoundError."""
        try:
            Account(self.owner, _TOKEN + token_id).delete(condition=Account.key.exists())
        except DeleteError as error:
            if error.cause_response_code != _FAILED:
                raise
            raise NotFoundError("there is no such token") from None


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
