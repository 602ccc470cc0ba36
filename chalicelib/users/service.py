"""Users and their tokens."""

import hmac
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from chalicelib.access.account_repository import Accounts, list_users
from chalicelib.access.authentication import Principal, Scope
from chalicelib.access.models import Token, User
from chalicelib.access.quotas import ATTEMPTS, back_off, raise_if_exceeded
from chalicelib.access.token import new_token, token_hash, token_hint
from chalicelib.access.usage import TransactionConflictError, UsageChange, used
from chalicelib.aws.tenancy import acting_as_system, acting_for
from chalicelib.common.errors import ConflictError, ForbiddenError, KeyReusedError, NotFoundError
from chalicelib.common.ids import derived_id, id_time, new_id
from chalicelib.users.suspension import rest


def create_user(
    name: str, *, admin: bool = False, owner: str | None = None, secret: bytes | None = None
) -> tuple[str, str]:
    """A new user with a first token: `(user id, token)`; the token is not to be had again.

    With an `owner` and the token's `secret` the same user is made, however often it is asked for.
    """
    now = time.time()
    owner = owner or new_id(now)
    scopes = [Scope.READ, Scope.WRITE, *([Scope.ADMIN] if admin else [])]
    token_id = derived_id(id_time(owner), owner, "first token")
    with acting_for(owner):
        Accounts(owner).add_user(name=name, admin=admin, now=int(now))
        new = NewToken("first token", scopes, None, token_id, secret)
        _, token = _issue(owner, new, now, MOST_AT_FIRST)
    return owner, token


MOST_AT_FIRST = 1_000_000
"""No quota holds for a user's first token."""


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token to be made, under a certain id and with a certain secret where it is made once."""

    name: str
    scopes: Sequence[Scope]
    expires_at: int | None
    token_id: str | None = None
    secret: bytes | None = field(default=None, repr=False)


def create_token(
    caller: Principal, new: NewToken, now: float, quota: int
) -> tuple[str, Token, str]:
    """A further token of the caller: `(id, item, token)`.

    Raises ForbiddenError beyond the caller's scopes, QuotaError beyond the quota, KeyReusedError
    where it was made before by another token.
    """
    beyond = sorted(set(new.scopes) - caller.scopes)
    if beyond:
        raise ForbiddenError(f"a token can not give what it has not: {', '.join(beyond)}")
    item, token = _issue(caller.owner, new, now, quota)
    return item.key.partition(":")[2], item, token


def find_token(owner: str, token_id: str, secret: bytes) -> tuple[str, Token, str]:
    """A token that was made with this secret; raises NotFoundError, or KeyReusedError."""
    item, token = Accounts(owner).token(token_id), new_token(owner, token_id, secret)
    if not hmac.compare_digest(item.hash, token_hash(token)):
        raise KeyReusedError("the Idempotency-Key was used by another token")
    return token_id, item, token


def page_of_tokens(
    owner: str, after: str | None, limit: int
) -> tuple[list[tuple[str, Token]], str | None]:
    """The owner's tokens with their ids, oldest first, and the id to go on from."""
    return Accounts(owner).tokens(after, limit)


def revoke_token(owner: str, token_id: str) -> None:
    """Refuse the token from now on; raises NotFoundError."""
    accounts, usage = Accounts(owner), UsageChange("tokens", -1)
    for attempt in range(ATTEMPTS):
        name = accounts.token(token_id).name
        try:
            accounts.remove_token(token_id, name, usage)
        except TransactionConflictError:
            back_off(attempt)
            continue
        return
    raise ConflictError("tokens are being changed by others; try again")


def page_of_users(after: str | None, limit: int) -> tuple[list[User], str | None]:
    """For admins: users, oldest first, and the id to go on from."""
    with acting_as_system():
        return list_users(after, limit)


def create_user_as_admin(
    name: str, *, admin: bool, owner: str | None = None, secret: bytes | None = None
) -> tuple[User, str]:
    """For admins: a new user and the user's first token."""
    owner, token = create_user(name, admin=admin, owner=owner, secret=secret)
    with acting_for(owner):
        return Accounts(owner).user(), token


def find_user(owner: str, secret: bytes) -> tuple[User, str]:
    """A user whose first token has this secret, and the token; NotFoundError, KeyReusedError."""
    with acting_for(owner):
        token_id = derived_id(id_time(owner), owner, "first token")
        user = Accounts(owner).user()
        return user, find_token(owner, token_id, secret)[2]


def change_user(
    caller: Principal, owner: str, *, disabled: bool | None, limits: Mapping[str, int] | None
) -> User:
    """For admins: refuse or accept a user's tokens, and set limits of the user's own.

    All that is a disabled user's rests until it is enabled again. Raises NotFoundError, or
    ForbiddenError for disabling oneself.
    """
    if disabled and owner == caller.owner:
        raise ForbiddenError("nobody can disable themselves")
    with acting_for(owner):
        accounts = Accounts(owner)
        accounts.change_user(disabled=disabled, limits=limits)
        if disabled is not None:
            # Should it end here, repeating the call does the rest.
            rest(owner, rests=disabled)
        return accounts.user()


def get_user(owner: str) -> User:
    """For admins and for the user: what is known of a user; raises NotFoundError."""
    with acting_for(owner):
        return Accounts(owner).user()


def _issue(owner: str, new: NewToken, now: float, quota: int) -> tuple[Token, str]:
    token_id = new.token_id or new_id(now)
    token = new_token(owner, token_id, new.secret)
    item = Token(
        name=new.name,
        created_at=int(now),
        hash=token_hash(token),
        hint=token_hint(token),
        scopes=[str(scope) for scope in new.scopes],
        expires_at=new.expires_at,
    )
    accounts, usage = Accounts(owner), UsageChange("tokens", 1, quota)
    for attempt in range(ATTEMPTS):
        try:
            accounts.add_token(token_id, item, usage)
        except TransactionConflictError:
            if new.secret is not None:
                with suppress(NotFoundError):
                    _, found, same = find_token(owner, token_id, new.secret)
                    return found, same
            raise_if_exceeded(usage, used(owner))
            back_off(attempt)
            continue
        return item, token
    raise ConflictError("too many tokens are being made at once; try again")
