"""Routes of the caller's account, tokens, users and the audit log."""

from chalicelib.access.audit import list_records
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
    RecordOut,
    RecordsPage,
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


@routes("GET", "/v1/me", scope=Scope.READ, response=MeOut)
def get_me(call: Call[None, NoQuery]) -> Response:
    """Show the caller, the token of this request, and the usage of each limit."""
    return Response(MeOut.of(call.principal, call.runtime.settings.limits, used(call.owner)))


@routes(
    "GET",
    "/v1/tokens",
    scope=Scope.READ,
    query=PageQuery,
    response=TokensPage,
    response_headers=["Link"],
)
def list_tokens(call: Call[None, PageQuery]) -> Response:
    """List the caller's tokens, oldest first, without the token values."""
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
    response=NewTokenOut,
    status=201,
    request_headers=["Idempotency-Key"],
)
def create_token(call: Call[TokenIn, NoQuery]) -> Response:
    """Create a token; its value is shown only in this response."""
    body, now = call.body, call.runtime.clock()
    if body.expires_at is not None and body.expires_at <= now:
        fault = Fault(("body", "expires_at"), "must be in the future")
        raise InvalidError("the body does not fit the schema", (fault,))
    scopes = [Scope(scope) for scope in body.scopes]

    def create(claim: ClaimedKey | None) -> tuple[str, Token, str]:
        token_id, secret = (claim.resource_id, claim.secret) if claim else (None, None)
        new = NewToken(body.name, scopes, body.expires_at, token_id, secret)
        return service.create_token(call.principal, new, now, call.quota("tokens"))

    def find(claim: ClaimedKey) -> tuple[str, Token, str]:
        return service.find_token(call.owner, claim.resource_id, claim.secret)

    def show(created: tuple[str, Token, str]) -> Response:
        token_id, item, token = created
        return Response(NewTokenOut(**dict(TokenOut.of(token_id, item)), token=token), status=201)

    return create_idempotently(call, "create_token", create, show, find, is_secret=True)


@routes("DELETE", "/v1/tokens/{token_id}", scope=Scope.WRITE, status=204)
def revoke_token(call: Call[None, NoQuery]) -> Response:
    """Revoke a token with immediate effect."""
    service.revoke_token(call.owner, call.id("token_id", "token"))
    return Response(status=204)


@routes(
    "GET",
    "/v1/users",
    scope=Scope.ADMIN,
    query=PageQuery,
    response=UsersPage,
    response_headers=["Link"],
)
def list_users(call: Call[None, PageQuery]) -> Response:
    """List users, oldest first. Admins only."""
    cursors = call.cursors("users")
    users, last = service.page_of_users(cursors.read(call.query.cursor), call.query.limit)
    return call.page(UsersPage, [UserOut.of(user) for user in users], cursors.write(last))


@routes(
    "POST",
    "/v1/users",
    scope=Scope.ADMIN,
    body=UserIn,
    response=NewUserOut,
    status=201,
    request_headers=["Idempotency-Key"],
)
def create_user(call: Call[UserIn, NoQuery]) -> Response:
    """Create a user with a first token, shown only in this response. Admins only."""
    body = call.body

    def create(claim: ClaimedKey | None) -> tuple[User, str]:
        owner, secret = (claim.resource_id, claim.secret) if claim else (None, None)
        return service.create_user_as_admin(body.name, admin=body.admin, owner=owner, secret=secret)

    def find(claim: ClaimedKey) -> tuple[User, str]:
        return service.find_user(claim.resource_id, claim.secret)

    def show(created: tuple[User, str]) -> Response:
        user, token = created
        return Response(NewUserOut(**dict(UserOut.of(user)), token=token), status=201)

    return create_idempotently(call, "create_user", create, show, find, is_secret=True)


@routes("GET", "/v1/users/{user_id}", scope=Scope.ADMIN, response=UserOut)
def get_user(call: Call[None, NoQuery]) -> Response:
    """Show a user. Admins only."""
    return Response(UserOut.of(service.get_user(call.id("user_id", "user"))))


@routes("PATCH", "/v1/users/{user_id}", scope=Scope.ADMIN, body=UserPatch, response=UserOut)
def change_user(call: Call[UserPatch, NoQuery]) -> Response:
    """Disable or enable a user, effective immediately, or set the user's limits. Admins only."""
    user_id, body = call.id("user_id", "user"), call.body
    limits = None if body.limits is None else body.limits.model_dump(exclude_none=True)
    now = call.runtime.now
    user = service.change_user(call.principal, user_id, now, disabled=body.disabled, limits=limits)
    return Response(UserOut.of(user))


@routes(
    "GET",
    "/v1/audit",
    scope=Scope.READ,
    query=PageQuery,
    response=RecordsPage,
    response_headers=["Link"],
)
def list_changes(call: Call[None, PageQuery]) -> Response:
    """List who changed what in the last 90 days, newest first."""
    cursors = call.cursors("audit")
    found, last = list_records(
        call.owner, call.runtime.now, cursors.read(call.query.cursor), call.query.limit
    )
    items = [RecordOut.of(record) for record in found]
    return call.page(RecordsPage, items, cursors.write(last))
