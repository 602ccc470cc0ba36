"""Users and their tokens."""

import hmac
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial

from chalicelib.access.account_repository import Accounts, list_users
from chalicelib.access.authentication import Principal, Scope
from chalicelib.access.models import Token, User
from chalicelib.access.quotas import ATTEMPTS, back_off, raise_if_exceeded
from chalicelib.access.token import new_token, token_hash, token_hint
from chalicelib.access.usage import TransactionConflictError, UsageChange, used
from chalicelib.alerting.storage.channel_repository import Channels
from chalicelib.aws.tenancy import acting_as_system, acting_for
from chalicelib.common.errors import ConflictError, ForbiddenError, KeyReusedError, NotFoundError
from chalicelib.common.ids import derived_id, id_time, new_id
from chalicelib.common.parallel import run_parallel
from chalicelib.monitoring.storage.lane_repository import Lanes

_UNLIMITED = 1_000_000
"""Quota for a user's first token, which must never be refused."""


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token to create; with `token_id` and `secret`, creating it twice gives the same token."""

    name: str
    scopes: Sequence[Scope]
    expires_at: int | None
    token_id: str | None = None
    secret: bytes | None = field(default=None, repr=False)


def create_user(
    name: str, *, admin: bool = False, owner: str | None = None, secret: bytes | None = None
) -> tuple[str, str]:
    """Create a user with a first token; returns `(user id, token)`. The token is not stored.

    With `owner` and the token's `secret`, repeated calls return the same user and token.
    """
    now = time.time()
    owner = owner or new_id(now)
    scopes = [Scope.READ, Scope.WRITE, *([Scope.ADMIN] if admin else [])]
    new = NewToken("first token", scopes, None, _first_token_id(owner), secret)
    with acting_for(owner):
        Accounts(owner).add_user(name=name, admin=admin, now=int(now))
        _, token = _issue(owner, new, now, _UNLIMITED)
    return owner, token


def create_token(
    caller: Principal, new: NewToken, now: float, quota: int
) -> tuple[str, Token, str]:
    """Create a token for the caller; returns `(id, item, token)`.

    Raises ForbiddenError for scopes the caller does not have, QuotaError above the quota, and
    KeyReusedError if another token created it already.
    """
    missing = sorted(set(new.scopes) - caller.scopes)
    if missing:
        raise ForbiddenError(
            f"`scopes` must not exceed those of the calling token; it lacks {', '.join(missing)}"
        )
    item, token = _issue(caller.owner, new, now, quota)
    return item.key.partition(":")[2], item, token


def find_token(owner: str, token_id: str, secret: bytes) -> tuple[str, Token, str]:
    """Return the token created with this secret; raises NotFoundError or KeyReusedError."""
    item, token = Accounts(owner).token(token_id), new_token(owner, token_id, secret)
    if not hmac.compare_digest(item.hash, token_hash(token)):
        raise KeyReusedError("the Idempotency-Key was used by another token")
    return token_id, item, token


def page_of_tokens(
    owner: str, after: str | None, limit: int
) -> tuple[list[tuple[str, Token]], str | None]:
    """Return a page of the owner's tokens with ids, oldest first, and the id to continue after."""
    return Accounts(owner).tokens(after, limit)


def revoke_token(owner: str, token_id: str) -> None:
    """Revoke the token immediately; raises NotFoundError."""
    accounts, usage = Accounts(owner), UsageChange("tokens", -1)
    for attempt in range(ATTEMPTS):
        name = accounts.token(token_id).name
        try:
            accounts.remove_token(token_id, name, usage)
        except TransactionConflictError:
            back_off(attempt)
            continue
        return
    raise ConflictError("tokens are being changed by another request; try again")


def page_of_users(after: str | None, limit: int) -> tuple[list[User], str | None]:
    """Return a page of users, oldest first, and the id to continue after. For admins."""
    with acting_as_system():
        return list_users(after, limit)


def create_user_as_admin(
    name: str, *, admin: bool, owner: str | None = None, secret: bytes | None = None
) -> tuple[User, str]:
    """Create a user with a first token. For admins."""
    owner, token = create_user(name, admin=admin, owner=owner, secret=secret)
    with acting_for(owner):
        return Accounts(owner).user(), token


def find_user(owner: str, secret: bytes) -> tuple[User, str]:
    """Return a user and the first token created with this secret.

    Raises NotFoundError or KeyReusedError.
    """
    with acting_for(owner):
        _, _, token = find_token(owner, _first_token_id(owner), secret)
        return Accounts(owner).user(), token


def change_user(
    caller: Principal,
    owner: str,
    now: int,
    *,
    disabled: bool | None,
    limits: Mapping[str, int] | None,
) -> User:
    """Disable or enable a user, or set the user's limits. For admins.

    Disabling also suspends the user's targets and channels. Raises NotFoundError, and
    ForbiddenError if admins disable themselves.
    """
    if disabled and owner == caller.owner:
        raise ForbiddenError("`disabled`: you cannot disable your own user; ask another admin")
    with acting_for(owner):
        accounts = Accounts(owner)
        accounts.change_user(disabled=disabled, limits=limits)
        if disabled is not None:
            # If the process dies here, repeating the request completes the suspension.
            _suspend(owner, now, is_suspended=disabled)
        return accounts.user()


def get_user(owner: str) -> User:
    """Return a user; raises NotFoundError. For admins."""
    with acting_for(owner):
        return Accounts(owner).user()


def _suspend(owner: str, now: int, *, is_suspended: bool) -> None:
    """Suspend all lanes and channels of a disabled user, or end the suspension; idempotent.

    The flag is in the lane, which every check reads, and in the channel, which every alert reads,
    so that honouring it costs no extra read. States, incidents and pauses are left unchanged. Each
    lane (up to fifty targets) and each channel takes one write.
    """
    lanes, channels = Lanes(owner), Channels(owner)
    calls: list[Callable[[], None]] = [
        *(partial(lanes.suspend, lane.number, now, suspended=is_suspended) for lane in lanes.all()),
        *(
            partial(channels.suspend, channel.id, suspended=is_suspended)
            for channel in channels.all()
        ),
    ]
    run_parallel(calls)


def _first_token_id(owner: str) -> str:
    return derived_id(id_time(owner), owner, "first token")


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
                # An earlier request with the same idempotency key may have created it already.
                with suppress(NotFoundError):
                    _, item, token = find_token(owner, token_id, new.secret)
                    return item, token
            raise_if_exceeded(usage, used(owner))
            back_off(attempt)
            continue
        return item, token
    raise ConflictError("too many tokens are being created at once; try again")
