"""Who may do what: users, their tokens, and whether a token is good."""

import hmac
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from chalicelib.domain.errors import ForbiddenError, UnauthenticatedError
from chalicelib.domain.ids import new_id
from chalicelib.domain.tokens import new_token, read_token, token_hash, token_hint
from chalicelib.services.resting import rest
from chalicelib.store.accounts import Accounts, list_users
from chalicelib.store.models import Token, User
from chalicelib.store.tripwire import acting_as_system, acting_for


class Scope(StrEnum):
    """What a token allows: `write` does not include `read`, nor `admin` either of them."""

    READ = "read"
    WRITE = "write"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Principal:
    """Who is calling: the owner all data belongs to, and the token that proved it."""

    owner: str
    user_name: str
    token_id: str
    token_name: str
    scopes: frozenset[Scope]
    cursor_key: str = field(repr=False)


def authenticate(token: str, now: float) -> Principal:
    """Whose token this is; raises UnauthenticatedError, without saying what is wrong with it."""
    name = read_token(token)
    if name is None:
        raise UnauthenticatedError("the token is not valid")
    with acting_for(name.owner):
        found = Accounts(name.owner).user_and_token(name.token_id)
    if found is None:
        raise UnauthenticatedError("the token is not valid")
    user, item = found
    expired = item.expires_at is not None and item.expires_at <= now
    if expired or user.disabled or not hmac.compare_digest(item.hash, token_hash(token)):
        raise UnauthenticatedError("the token is not valid")
    return Principal(
        owner=name.owner,
        user_name=user.name,
        token_id=name.token_id,
        token_name=item.name,
        scopes=frozenset(map(Scope, item.scopes)),
        cursor_key=user.cursor_key,
    )


def create_user(name: str, *, admin: bool = False) -> tuple[str, str]:
    """A new user with a first token: `(user id, token)`; the token is not to be had again."""
    now = time.time()
    owner = new_id(now)
    scopes = [Scope.READ, Scope.WRITE, *([Scope.ADMIN] if admin else [])]
    with acting_for(owner):
        Accounts(owner).add_user(name=name, admin=admin, now=int(now))
        _, token = _issue(owner, "first token", scopes, None, now)
    return owner, token


def create_token(
    caller: Principal, name: str, scopes: Sequence[Scope], expires_at: int | None, now: float
) -> tuple[str, Token, str]:
    """A further token of the caller: `(id, item, token)`; ForbiddenError beyond its scopes."""
    beyond = sorted(set(scopes) - caller.scopes)
    if beyond:
        raise ForbiddenError(f"a token can not give what it has not: {', '.join(beyond)}")
    item, token = _issue(caller.owner, name, scopes, expires_at, now)
    return item.key.partition(":")[2], item, token


def page_of_tokens(
    owner: str, after: str | None, limit: int
) -> tuple[list[tuple[str, Token]], str | None]:
    """The owner's tokens with their ids, oldest first, and the id to go on from."""
    return Accounts(owner).tokens(after, limit)


def revoke_token(owner: str, token_id: str) -> None:
    """Refuse the token from now on; raises NotFoundError."""
    Accounts(owner).remove_token(token_id)


def page_of_users(after: str | None, limit: int) -> tuple[list[User], str | None]:
    """For admins: users, oldest first, and the id to go on from."""
    with acting_as_system():
        return list_users(after, limit)


def create_user_as_admin(name: str, *, admin: bool) -> tuple[User, str]:
    """For admins: a new user and the user's first token."""
    owner, token = create_user(name, admin=admin)
    with acting_for(owner):
        return Accounts(owner).user(), token


def set_disabled(caller: Principal, owner: str, *, disabled: bool) -> User:
    """For admins: refuse or accept a user's tokens, and have all that is the user's rest or wake.

    Raises NotFoundError, or ForbiddenError.
    """
    if disabled and owner == caller.owner:
        raise ForbiddenError("nobody can disable themselves")
    with acting_for(owner):
        accounts = Accounts(owner)
        accounts.set_disabled(disabled=disabled)
        # Should it end here, repeating the call does the rest.
        rest(owner, rests=disabled)
        return accounts.user()


def get_user(owner: str) -> User:
    """For admins and for the user: what is known of a user; raises NotFoundError."""
    with acting_for(owner):
        return Accounts(owner).user()


def _issue(
    owner: str, name: str, scopes: Sequence[Scope], expires_at: int | None, now: float
) -> tuple[Token, str]:
    token_id = new_id(now)
    token = new_token(owner, token_id)
    item = Token(
        name=name,
        created_at=int(now),
        hash=token_hash(token),
        hint=token_hint(token),
        scopes=[str(scope) for scope in scopes],
        expires_at=expires_at,
    )
    Accounts(owner).add_token(token_id, item)
    return item, token
