"""Operations on oneself, tokens and users."""

from chalicelib.access.authentication import Scope
from chalicelib.access.idempotency import Turn
from chalicelib.access.models import Token, User
from chalicelib.access.usage import used
from chalicelib.api.idempotency import created_once
from chalicelib.api.request import Answer, Call
from chalicelib.api.routing import NoQuery, Routes
from chalicelib.api.schemas import PageQuery
from chalicelib.common.errors import Fault, InvalidError
from chalicelib.users import service
from chalicelib.users.schemas import (
    MeOut,
    NewTokenOut,
    NewUserOut,
    TokenIn,
    TokenOut,
    TokensPage,
    UserIn,
    UserOut,
    UserPatch,
    UsersPage,
)
from chalicelib.users.service import NewToken

routes = Routes()


@routes("GET", "/v1/me", scope=Scope.READ, answer=MeOut)
def get_me(call: Call[None, NoQuery]) -> Answer:
    """Show who is calling, with which token, and what is used of the limits."""
    return Answer(MeOut.of(call.principal, call.runtime.settings.limits, used(call.owner)))


@routes("GET", "/v1/tokens", scope=Scope.READ, query=PageQuery, answer=TokensPage, gives=["Link"])
def list_tokens(call: Call[None, PageQuery]) -> Answer:
    """List one's tokens, oldest first; never the tokens themselves."""
    cursors = call.cursors("tokens")
    after = cursors.read(call.query.cursor)
    found, last = service.page_of_tokens(call.owner, after, call.query.limit)
    items = [TokenOut.of(token_id, item) for token_id, item in found]
    return call.page(TokensPage, items, cursors.write(last))


@routes(
    "POST",
    "/v1/tokens",
    scope=Scope.WRITE,
    body=TokenIn,
    answer=NewTokenOut,
    status=201,
    takes=["Idempotency-Key"],
)
def create_token(call: Call[TokenIn, NoQuery]) -> Answer:
    """Make a token; it is shown this once."""
    given, now = call.body, call.runtime.clock()
    if given.expires_at is not None and given.expires_at <= now:
        fault = Fault(("body", "expires_at"), "must be in the future")
        raise InvalidError("the body does not fit the schema", (fault,))
    scopes = [Scope(scope) for scope in given.scopes]

    def make(turn: Turn | None) -> tuple[str, Token, str]:
        once = (turn.made, turn.secret) if turn else (None, None)
        new = NewToken(given.name, scopes, given.expires_at, *once)
        return service.create_token(call.principal, new, now, call.quota("tokens"))

    def find(turn: Turn) -> tuple[str, Token, str]:
        return service.find_token(call.owner, turn.made, turn.secret)

    def show(made: tuple[str, Token, str]) -> Answer:
        token_id, item, token = made
        shown = TokenOut.of(token_id, item)
        return Answer(NewTokenOut(**dict(shown), token=token), status=201)

    return created_once(call, "create_token", make, show, find, is_secret=True)


@routes("DELETE", "/v1/tokens/{token_id}", scope=Scope.WRITE, status=204)
def revoke_token(call: Call[None, NoQuery]) -> Answer:
    """Revoke a token: it stops working at once."""
    service.revoke_token(call.owner, call.id("token_id", "token"))
    return Answer(status=204)


@routes("GET", "/v1/users", scope=Scope.ADMIN, query=PageQuery, answer=UsersPage, gives=["Link"])
def list_users(call: Call[None, PageQuery]) -> Answer:
    """For admins: list users, oldest first."""
    cursors = call.cursors("users")
    users, last = service.page_of_users(cursors.read(call.query.cursor), call.query.limit)
    return call.page(UsersPage, [UserOut.of(user) for user in users], cursors.write(last))


@routes(
    "POST",
    "/v1/users",
    scope=Scope.ADMIN,
    body=UserIn,
    answer=NewUserOut,
    status=201,
    takes=["Idempotency-Key"],
)
def create_user(call: Call[UserIn, NoQuery]) -> Answer:
    """For admins: make a user and a first token, which is shown this once."""
    given = call.body

    def make(turn: Turn | None) -> tuple[User, str]:
        owner, secret = (turn.made, turn.secret) if turn else (None, None)
        return service.create_user_as_admin(
            given.name, admin=given.admin, owner=owner, secret=secret
        )

    def find(turn: Turn) -> tuple[User, str]:
        return service.find_user(turn.made, turn.secret)

    def show(made: tuple[User, str]) -> Answer:
        user, token = made
        return Answer(NewUserOut(**dict(UserOut.of(user)), token=token), status=201)

    return created_once(call, "create_user", make, show, find, is_secret=True)


@routes("GET", "/v1/users/{user_id}", scope=Scope.ADMIN, answer=UserOut)
def get_user(call: Call[None, NoQuery]) -> Answer:
    """For admins: show a user."""
    return Answer(UserOut.of(service.get_user(call.id("user_id", "user"))))


@routes("PATCH", "/v1/users/{user_id}", scope=Scope.ADMIN, body=UserPatch, answer=UserOut)
def change_user(call: Call[UserPatch, NoQuery]) -> Answer:
    """For admins: disable a user, whose tokens then stop working at once, or set limits."""
    user_id, given = call.id("user_id", "user"), call.body
    limits = None if given.limits is None else given.limits.model_dump(exclude_none=True)
    user = service.change_user(call.principal, user_id, disabled=given.disabled, limits=limits)
    return Answer(UserOut.of(user))
