"""Operations on oneself, tokens and users."""

from chalicelib.access.authentication import Scope
from chalicelib.access.idempotency import ClaimedKey
from chalicelib.access.models import Token, User
from chalicelib.access.usage import used
from chalicelib.api.idempotency import create_idempotently
from chalicelib.api.request import Call, Response
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
def get_me(call: Call[None, NoQuery]) -> Response:
    """Show who is calling, with which token, and what is used of the limits."""
    return Response(MeOut.of(call.principal, call.runtime.settings.limits, used(call.owner)))


@routes("GET", "/v1/tokens", scope=Scope.READ, query=PageQuery, answer=TokensPage, gives=["Link"])
def list_tokens(call: Call[None, PageQuery]) -> Response:
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
def create_token(call: Call[TokenIn, NoQuery]) -> Response:
    """Make a token; it is shown this once."""
    given, now = call.body, call.runtime.clock()
    if given.expires_at is not None and given.expires_at <= now:
        fault = Fault(("body", "expires_at"), "must be in the future")
        raise InvalidError("the body does not fit the schema", (fault,))
    scopes = [Scope(scope) for scope in given.scopes]

    def make(turn: ClaimedKey | None) -> tuple[str, Token, str]:
        once = (turn.resource_id, turn.secret) if turn else (None, None)
        new = NewToken(given.name, scopes, given.expires_at, *once)
        return service.create_token(call.principal, new, now, call.quota("tokens"))

    def find(turn: ClaimedKey) -> tuple[str, Token, str]:
        return service.find_token(call.owner, turn.resource_id, turn.secret)

    def show(made: tuple[str, Token, str]) -> Response:
        token_id, item, token = made
        shown = TokenOut.of(token_id, item)
        return Response(NewTokenOut(**dict(shown), token=token), status=201)

    return create_idempotently(call, "create_token", make, show, find, is_secret=True)


@routes("DELETE", "/v1/tokens/{token_id}", scope=Scope.WRITE, status=204)
def revoke_token(call: Call[None, NoQuery]) -> Response:
    """Revoke a token: it stops working at once."""
    service.revoke_token(call.owner, call.id("token_id", "token"))
    return Response(status=204)


@routes("GET", "/v1/users", scope=Scope.ADMIN, query=PageQuery, answer=UsersPage, gives=["Link"])
def list_users(call: Call[None, PageQuery]) -> Response:
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
def create_user(call: Call[UserIn, NoQuery]) -> Response:
    """For admins: make a user and a first token, which is shown this once."""
    given = call.body

    def make(turn: ClaimedKey | None) -> tuple[User, str]:
        owner, secret = (turn.resource_id, turn.secret) if turn else (None, None)
        return service.create_user_as_admin(
            given.name, admin=given.admin, owner=owner, secret=secret
        )

    def find(turn: ClaimedKey) -> tuple[User, str]:
        return service.find_user(turn.resource_id, turn.secret)

    def show(made: tuple[User, str]) -> Response:
        user, token = made
        return Response(NewUserOut(**dict(UserOut.of(user)), token=token), status=201)

    return create_idempotently(call, "create_user", make, show, find, is_secret=True)


@routes("GET", "/v1/users/{user_id}", scope=Scope.ADMIN, answer=UserOut)
def get_user(call: Call[None, NoQuery]) -> Response:
    """For admins: show a user."""
    return Response(UserOut.of(service.get_user(call.id("user_id", "user"))))


@routes("PATCH", "/v1/users/{user_id}", scope=Scope.ADMIN, body=UserPatch, answer=UserOut)
def change_user(call: Call[UserPatch, NoQuery]) -> Response:
    """For admins: disable a user, whose tokens then stop working at once, or set limits."""
    user_id, given = call.id("user_id", "user"), call.body
    limits = None if given.limits is None else given.limits.model_dump(exclude_none=True)
    user = service.change_user(call.principal, user_id, disabled=given.disabled, limits=limits)
    return Response(UserOut.of(user))
