"""Users and tokens as they come in and go out."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, Field

from chalicelib.api.schemas.common import GivenMoment, Moment, Name, Page, Schema
from chalicelib.services.accounts import Principal
from chalicelib.store.models import Token, User

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


class TokenOut(BaseModel):
    """A token as it is listed; `hint` is enough to recognise it, not to use it."""

    id: str
    name: str
    hint: str
    scopes: list[str]
    created_at: Moment
    expires_at: Moment | None

    @classmethod
    def of(cls, token_id: str, token: Token) -> "TokenOut":
        return cls(
            id=token_id,
            name=token.name,
            hint=token.hint,
            scopes=list(token.scopes),
            created_at=int(token.created_at),
            expires_at=None if token.expires_at is None else int(token.expires_at),
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


class UserPatch(Schema):
    """Disable a user, or enable again."""

    disabled: bool


class UserOut(BaseModel):
    """A user as admins see one."""

    id: str
    name: str
    admin: bool
    disabled: bool
    created_at: Moment

    @classmethod
    def of(cls, user: User) -> "UserOut":
        return cls(
            id=user.owner,
            name=user.name,
            admin=user.admin,
            disabled=user.disabled,
            created_at=int(user.created_at),
        )


class NewUserOut(UserOut):
    """A user just made, with the first token: the only time that it is shown."""

    token: str


class UsersPage(Page[UserOut]):
    """A page of users."""


class MeToken(BaseModel):
    """The token of this call."""

    id: str
    name: str
    scopes: list[str]


class Usage(BaseModel):
    """How much of something is used; `limit` null where there is none."""

    used: int
    limit: int | None


class MeOut(BaseModel):
    """Who is calling, and what of the limits is used."""

    id: str
    name: str
    token: MeToken
    limits: dict[str, Usage]

    @classmethod
    def of(cls, caller: Principal, targets: int) -> "MeOut":
        return cls(
            id=caller.owner,
            name=caller.user_name,
            token=MeToken(id=caller.token_id, name=caller.token_name, scopes=sorted(caller.scopes)),
            limits={"targets": Usage(used=targets, limit=None)},
        )
