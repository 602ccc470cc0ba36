"""Users and tokens as they come in and go out."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from chalicelib.access.authentication import Principal
from chalicelib.access.models import Token, User
from chalicelib.access.rate_limiting import rates
from chalicelib.access.usage import NOUNS
from chalicelib.api.schemas import GivenMoment, Model, Moment, Name, Page, Schema
from chalicelib.common.limits import Limits

ScopeName = Literal["read", "write", "admin"]


def _distinct(scopes: list[ScopeName]) -> list[ScopeName]:
    return list(dict.fromkeys(scopes))


class TokenIn(Schema):
    """A token to be made; its scopes can not go beyond those of the token that asks."""

    name: Name
    scopes: Annotated[list[ScopeName], Field(min_length=1), AfterValidator(_distinct)] = [
        "read",
        "write",
    ]
    expires_at: GivenMoment | None = None


class TokenOut(Model):
    """A token as it is listed; `hint` is enough to recognise it, not to use it.

    `last_used_at` is kept to the hour.
    """

    id: str
    name: str
    hint: str
    scopes: list[str]
    created_at: Moment
    expires_at: Moment | None
    last_used_at: Moment | None

    @classmethod
    def of(cls, token_id: str, token: Token) -> "TokenOut":
        return cls(
            id=token_id,
            name=token.name,
            hint=token.hint,
            scopes=list(token.scopes),
            created_at=int(token.created_at),
            expires_at=None if token.expires_at is None else int(token.expires_at),
            last_used_at=None if token.last_used_at is None else int(token.last_used_at),
        )


class NewTokenOut(TokenOut):
    """A token just made: the only time that it is shown."""

    token: str


class TokensPage(Page[TokenOut]):
    """A page of an owner's tokens."""


class UserIn(Schema):
    """A user to be made."""

    name: Name
    admin: bool = False


Number = Annotated[int, Field(ge=0, le=1_000_000)]


class LimitsIn(Schema):
    """Limits of a user's own, all of them at once; those left out are the installation's."""

    rate_per_minute: Annotated[int, Field(ge=1, le=100_000)] | None = None
    rate_burst: Annotated[int, Field(ge=1, le=100_000)] | None = None
    targets: Number | None = None
    channels: Number | None = None
    tokens: Number | None = None
    pages: Number | None = None


class UserPatch(Schema):
    """Disable a user or enable again, and set limits of the user's own."""

    disabled: bool | None = None
    limits: LimitsIn | None = None

    @model_validator(mode="after")
    def _says_something(self) -> "UserPatch":
        if self.disabled is None and self.limits is None:
            raise ValueError("give disabled or limits")
        return self


class UserOut(Model):
    """A user as admins see one."""

    id: str
    name: str
    admin: bool
    disabled: bool
    limits: dict[str, int]
    created_at: Moment

    @classmethod
    def of(cls, user: User) -> "UserOut":
        return cls(
            id=user.owner,
            name=user.name,
            admin=user.admin,
            disabled=user.disabled,
            limits=user.limits or {},
            created_at=int(user.created_at),
        )


class NewUserOut(UserOut):
    """A user just made, with the first token: the only time that it is shown."""

    token: str


class UsersPage(Page[UserOut]):
    """A page of users."""


class MeToken(Model):
    """The token of this call."""

    id: str
    name: str
    scopes: list[str]


class Usage(Model):
    """How much of something is used, and how much may be."""

    used: int
    limit: int


class RateOut(Model):
    """How many requests a token may make: in a minute, and at once."""

    per_minute: int
    burst: int


class MeOut(Model):
    """Who is calling, and what of the limits is used."""

    id: str
    name: str
    token: MeToken
    limits: dict[str, Usage]
    rate: RateOut

    @classmethod
    def of(cls, caller: Principal, limits: Limits, used: Mapping[str, int]) -> "MeOut":
        rate = rates(limits, caller)["requests"]
        return cls(
            id=caller.owner,
            name=caller.user_name,
            token=MeToken(id=caller.token_id, name=caller.token_name, scopes=sorted(caller.scopes)),
            limits={
                noun: Usage(used=used[noun], limit=limits.quota(noun, caller.limits))
                for noun in NOUNS
            },
            rate=RateOut(per_minute=rate.per_minute, burst=rate.burst),
        )
