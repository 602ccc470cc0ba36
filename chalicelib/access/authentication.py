"""Who is calling and what they may: whether a token is good, which every request asks.

It stands by itself, as it is all that a request needs of accounts before it is let in.
"""

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
    """What a token allows: `write` does not include `read`, nor `admin` either of them."""

    READ = "read"
    WRITE = "write"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Principal:
    """Who is calling: the owner all data belongs to, and the token that proved it.

    `limits` are the user's own; `minute_before` is what the token did in the minute before this.
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
    """Whose token this is; raises UnauthenticatedError, without saying what is wrong with it."""
    name = read_token(token)
    if name is None:
        raise UnauthenticatedError("the token is not valid")
    with acting_for(name.owner):
        before = minute_key(name.token_id, int(now) // WINDOW_S - 1)
        found = Accounts(name.owner).caller(name.token_id, before)
    if found is None:
        raise UnauthenticatedError("the token is not valid")
    user, item, counts = found
    expired = item.expires_at is not None and item.expires_at <= now
    if expired or user.disabled or not hmac.compare_digest(item.hash, token_hash(token)):
        raise UnauthenticatedError("the token is not valid")
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
    """Remember the use of a token, at most once an hour: more often it would be a write a call."""
    before = now - _HOUR_S
    if (item.last_used_at or 0) <= before:
        with acting_for(name.owner):
            Accounts(name.owner).mark_used(name.token_id, now, before)
