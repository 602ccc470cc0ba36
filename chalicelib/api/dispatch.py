"""Between Chalice and the routes: who is it, may they, does it fit, and what went wrong."""

import logging
import secrets
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, cast

from chalice.app import Chalice, Request
from chalice.app import Response as ChaliceResponse

from chalicelib.access.audit import Actor, recorded_as
from chalicelib.access.authentication import Principal, authenticate
from chalicelib.access.rate_limiting import limit_failure, limit_request
from chalicelib.api.not_found import refuse_unknown
from chalicelib.api.parsing import read_json, validate_body, validate_query
from chalicelib.api.problems import CONTENT_TYPE, as_json, internal_problem, problem, status_of
from chalicelib.api.request import Call, Response
from chalicelib.api.routing import Operation, Route
from chalicelib.aws.tenancy import acting_for
from chalicelib.common.errors import (
    ForbiddenError,
    MethodError,
    MonitumError,
    RateLimitedError,
    UnauthenticatedError,
)
from chalicelib.common.runtime import BaseRuntime

_LOG = logging.getLogger(__name__)
_JSON = "application/json"
_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


@dataclass(frozen=True, slots=True)
class RequestContext:
    """A request on its way in, with what the log should know of it and what its answer will carry.

    `now` is the one time that holds for all of it, in epoch seconds.
    """

    request: Request
    path: Mapping[str, str]
    request_id: str
    now: float
    about: dict[str, object]
    headers: dict[str, str] = field(default_factory=dict)


_Handler = Callable[[RequestContext], Response]


def attach(
    app: Chalice, operations: Iterable[Operation], runtime: Callable[[], BaseRuntime]
) -> None:
    """Have `app` answer `operations`; `runtime` is asked for at every call."""
    table = list(operations)
    for one in table:
        _add(app, one.path, [one.method], one.name, _answering(one, runtime), runtime)

    def unknown(visit: RequestContext) -> Response:
        return refuse_unknown(table, visit.request)

    # API Gateway sends here what fits no other path, and methods that a path does not take.
    _add(app, "/{proxy+}", _METHODS, "unknown", unknown, runtime)


def _add(
    app: Chalice,
    path: str,
    methods: list[str],
    name: str,
    answer: _Handler,
    runtime: Callable[[], BaseRuntime],
) -> None:
    def view(**path: str) -> ChaliceResponse:
        request = cast("Request", app.current_request)
        started = time.perf_counter()
        request_id = request.context.get("requestId") or secrets.token_hex(16)
        about: dict[str, object] = {"operation": name, "request_id": request_id}
        visit = RequestContext(request, path, request_id, runtime().clock(), about)
        try:
            response = _respond(answer(visit))
        except MonitumError as error:
            response = _problem(error, request_id)
        except Exception:  # noqa: BLE001 - the last door: nothing of ours is said outside
            _LOG.exception("request failed", extra=about)
            response = _json(as_json(internal_problem(request_id)), 500, CONTENT_TYPE)
        response.headers.update(visit.headers)
        about["ms"] = round((time.perf_counter() - started) * 1000)
        _LOG.info("request", extra={**about, "status": response.status_code})
        return response

    view.__name__ = name
    app.route(path, methods=methods, content_types=["*/*"])(view)


def _answering(operation: Operation, runtime: Callable[[], BaseRuntime]) -> _Handler:
    route = cache(operation.load)

    def answer(visit: RequestContext) -> Response:
        return _call(route(), runtime(), visit)

    return answer


def _call(route: Route, runtime: BaseRuntime, visit: RequestContext) -> Response:
    headers = dict(visit.request.headers)
    caller = None if route.scope is None else _admit(route, headers, runtime, visit)
    given = _given(visit.request)
    query = validate_query(route.query, given)
    body = None
    if route.body is not None:
        value = read_json(_raw(visit.request), headers.get("content-type", ""))
        body = validate_body(route.body, value)
    call = Call(
        runtime=runtime,
        body=body,
        query=query,
        path=visit.path,
        headers=headers,
        caller=caller,
        given={name: values[0] for name, values in given.items()},
        request_id=visit.request_id,
    )
    with acting_for(*([caller.owner] if caller else [])), recorded_as(_actor(call)):
        return route.view(call)


def _actor(call: Call[Any, Any]) -> Actor | None:
    caller = call.caller
    if caller is None:
        return None
    now = call.runtime.clock()
    return Actor(caller.user_name, caller.token_id, caller.token_name, call.request_id, now)


def _raw(request: Request) -> bytes:
    raw = request.raw_body
    # What is no text cannot be UTF-8 either: it is refused with the rest that is not.
    return raw.encode("utf-8", "surrogatepass") if isinstance(raw, str) else raw


def _given(request: Request) -> dict[str, list[str]]:
    given = request.query_params
    return {name: given.getlist(name) for name in given} if given else {}


def _admit(
    route: Route, headers: Mapping[str, str], runtime: BaseRuntime, visit: RequestContext
) -> Principal:
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() not in {"token", "bearer"} or not token:
        raise UnauthenticatedError("send a token: 'Authorization: Token mon_...'")
    try:
        caller = authenticate(token.strip(), visit.now)
    except UnauthenticatedError:
        limit_failure(runtime, _address(visit.request), visit.now)
        raise
    visit.about.update(owner=caller.owner, token_id=caller.token_id)
    spent = limit_request(runtime, caller, visit.now, route.bucket)
    visit.headers.update(spent.headers)
    if spent.refusal:
        raise spent.refusal
    if route.scope not in caller.scopes:
        raise ForbiddenError(f"the token has no scope '{route.scope}'")
    return caller


def _address(request: Request) -> str:
    identity = request.context.get("identity") or {}
    return str(identity.get("sourceIp", ""))


def _respond(answer: Response) -> ChaliceResponse:
    return _json(answer.text, answer.status, _JSON, answer.headers)


def _problem(error: MonitumError, request_id: str) -> ChaliceResponse:
    body = as_json(problem(error, request_id))
    return _json(body, status_of(error), CONTENT_TYPE, _headers(error))


def _headers(error: MonitumError) -> dict[str, str]:
    if isinstance(error, UnauthenticatedError):
        return {"WWW-Authenticate": "Token"}
    if isinstance(error, MethodError):
        return {"Allow": ", ".join(error.allowed)}
    if isinstance(error, RateLimitedError):
        return {"Retry-After": str(error.retry_after_s)}
    return {}


def _json(
    body: str, status: int, content_type: str, headers: Mapping[str, str] | None = None
) -> ChaliceResponse:
    return ChaliceResponse(
        body=body,
        status_code=status,
        headers={"Content-Type": content_type, "Cache-Control": "no-store", **(headers or {})},
    )
