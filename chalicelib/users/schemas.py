"""Request and response schemas of users, tokens and the audit log."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from chalicelib.access.authentication import Principal
from chalicelib.access.models import AuditItem, Token, User
from chalicelib.access.rate_limiting import rates
from chalicelib.access.usage import NOUNS
from chalicelib.api.schemas import GivenMoment, Model, Moment, Name, Page, Schema
from chalicelib.common.limits import Limits

ScopeName = Literal["read", "write", "admin"]


def _distinct(scopes: list[ScopeName]) -> list[ScopeName]:
    return list(dict.fromkeys(scopes))


class TokenIn(Schema):
    """A new token; its scopes must be among those of the token that creates it."""

    name: Name
    scopes: Annotated[list[ScopeName], Field(min_length=1), AfterValidator(_distinct)] = [
        "read",
        "write",
    ]
    expires_at: GivenMoment | None = None


class TokenOut(Model):
    """A token without its value; `hint`, the value's end, is enough to recognise it.

    `last_used_at` is accurate to the hour.
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
    """A new token with its value, which is never shown again."""

    token: str


class TokensPage(Page[TokenOut]):
    """A page of an owner's tokens."""


class UserIn(Schema):
    """A new user."""

    name: Name
    admin: bool = False


Number = Annotated[int, Field(ge=0, le=1_000_000)]


class LimitsIn(Schema):
    """A user's limits; they replace all earlier ones, and omitted ones are the installation's."""

    rate_per_minute: Annotated[int, Field(ge=1, le=100_000)] | None = None
    rate_burst: Annotated[int, Field(ge=1, le=100_000)] | None = None
    targets: Number | None = None
    channels: Number | None = None
    tokens: Number | None = None
    pages: Number | None = None


class UserPatch(Schema):
    """Changes to a user: `disabled`, `limits` or both."""

    disabled: bool | None = None
    limits: LimitsIn | None = None

    @model_validator(mode="after")
    def _is_not_empty(self) -> "UserPatch":
        if self.disabled is None and self.limits is None:
            raise ValueError("`disabled` or `limits` is required")
        return self


class UserOut(Model):
    """A user as admins see it."""

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
    """A new user with the value of the first token, which is never shown again."""

    token: str


class UsersPage(Page[UserOut]):
    """A page of users."""


class MeToken(Model):
    """The token of this request."""

    id: str
    name: str
    scopes: list[str]


class Usage(Model):
    """How many of something exist, and how many may exist."""

    used: int
    limit: int


class RateOut(Model):
    """How many requests a token may make per minute, and in one burst."""

    per_minute: int
    burst: int


class MeOut(Model):
    """The caller, and the usage of each limit."""

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


class ByOut(Model):
    """Who made a change: the user, and the token's id and name at the time."""

    user: str
    token_id: str
    token_name: str


class RecordOut(Model):
    """One change: an `action` such as `target.changed` on the resource `thing_id`.

    `fields` names what changed; the values are not recorded.
    """

    id: str
    at: Moment
    by: ByOut
    request_id: str
    action: str
    thing_id: str
    thing_name: str
    fields: list[str]

    @classmethod
    def of(cls, record: AuditItem) -> "RecordOut":
        return cls(
            id=record.id,
            at=int(record.at),
            by=ByOut(user=record.user, token_id=record.token_id, token_name=record.token_name),
            request_id=record.request_id,
            action=record.action,
            thing_id=record.thing,
            thing_name=record.name,
            fields=list(record.fields or ()),
        )


RecordsPage = Page[RecordOut]
