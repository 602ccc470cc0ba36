"""Authentication of requests by access token."""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from chalicelib.access.account_repository import Accounts
from chalicelib.access.models import Token
from chalicelib.access.rate_limit import BUCKETS, WINDOW_S, Minute
from chalicelib.access.rate_limit_repository import minute_key, read_minutes
from chalicelib.access.token import TokenName, read_token, token_hash
from chalicelib.aws.tenancy import acting_for
from chalicelib.common.errors import UnauthenticatedError

_HOUR_S = 3_600


class Scope(StrEnum):
    """The permissions of a token. They are independent: `write` does not include `read`."""

    READ = "read"
    WRITE = "write"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Principal:
    """The authenticated caller: the owner of all data in reach, and the token.

    `limits` override the stage's; `minute_before` has the token's request counts of the previous
    minute, from which the rate limit continues.
    """

    owner: str
    user_name: str
    token_id: str
    token_name: str
    scopes: frozenset[Scope]
    cursor_key: str = field(repr=False)
    limits: Mapping[str, int] = field(default_factory=dict)
    minute_before: Mapping[str, Minute] = field(default_factory=dict)


def authenticate(token: str, now: float) -> Principal:
    """Return the token's principal; raises UnauthenticatedError without naming the reason."""
    name = read_token(token)
    if name is None:
        raise UnauthenticatedError("the token is invalid")
    with acting_for(name.owner):
        before = minute_key(name.token_id, int(now) // WINDOW_S - 1)
        found = Accounts(name.owner).caller(name.token_id, before)
    if found is None:
        raise UnauthenticatedError("the token is invalid")
    user, item, counts = found
    expired = item.expires_at is not None and item.expires_at <= now
    if expired or user.disabled or not hmac.compare_digest(item.hash, token_hash(token)):
        raise UnauthenticatedError("the token is invalid")
    _mark_used(name, item, int(now))
    return Principal(
        owner=name.owner,
        user_name=user.name,
        token_id=name.token_id,
        token_name=item.name,
        scopes=frozenset(map(Scope, item.scopes)),
        cursor_key=user.cursor_key,
        limits=user.limits or {},
        minute_before=read_minutes(counts, BUCKETS),
    )


def _mark_used(name: TokenName, item: Token, now: int) -> None:
    """Store the time of the last use at most once an hour, to save a write per request."""
    before = now - _HOUR_S
    if (item.last_used_at or 0) <= before:
        with acting_for(name.owner):
            Accounts(name.owner).mark_used(name.token_id, now, before)
