"""Connect Chalice to the routes: authentication, rate limits, validation, errors and logging."""

import logging
import re
import secrets
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import NoReturn, cast

from chalice.app import Chalice, Request
from chalice.app import Response as ChaliceResponse

from chalicelib.access.audit import Actor, recorded_as
from chalicelib.access.authentication import Principal, authenticate
from chalicelib.access.rate_limiting import limit_failure, limit_request
from chalicelib.api.parsing import read_json, validate_body, validate_query
from chalicelib.api.problems import CONTENT_TYPE, as_json, internal_problem, problem, status_of
from chalicelib.api.request import Call, Response
from chalicelib.api.routing import Operation, Route
from chalicelib.aws.tenancy import acting_for
from chalicelib.common.errors import (
    ForbiddenError,
    MethodError,
    MonitumError,
    NotFoundError,
    RateLimitedError,
    UnauthenticatedError,
)
from chalicelib.common.runtime import BaseRuntime

_LOG = logging.getLogger(__name__)
_JSON = "application/json"
_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


@dataclass(frozen=True, slots=True)
class RequestContext:
    """One request while it is processed, with the fields of its log line and response headers.

    `now` is the time of the request, in epoch seconds, for all decisions about it.
    """

    request: Request
    path: Mapping[str, str]
    request_id: str
    now: float
    log_fields: dict[str, object]
    response_headers: dict[str, str] = field(default_factory=dict)


_Handler = Callable[[RequestContext], Response]


def attach(
    app: Chalice, operations: Iterable[Operation], runtime: Callable[[], BaseRuntime]
) -> None:
    """Register `operations` with `app`. `runtime` is called for every request."""
    table = list(operations)
    for operation in table:
        handler = _handler(operation, runtime)
        _add(app, operation.path, [operation.method], operation.name, handler, runtime)

    def unknown(context: RequestContext) -> Response:
        _refuse_unknown(table, context.request)

    # API Gateway sends unknown paths here, and methods that a path does not support.
    _add(app, "/{proxy+}", _METHODS, "unknown", unknown, runtime)


def _add(
    app: Chalice,
    path: str,
    methods: list[str],
    name: str,
    handler: _Handler,
    runtime: Callable[[], BaseRuntime],
) -> None:
    def view(**path: str) -> ChaliceResponse:
        request = cast("Request", app.current_request)
        started = time.perf_counter()
        request_id = request.context.get("requestId") or secrets.token_hex(16)
        log_fields: dict[str, object] = {"operation": name, "request_id": request_id}
        context = RequestContext(request, path, request_id, runtime().clock(), log_fields)
        try:
            result = handler(context)
            response = _response(result.text, result.status, _JSON, result.headers)
        except MonitumError as error:
            body = as_json(problem(error, request_id))
            response = _response(body, status_of(error), CONTENT_TYPE, _error_headers(error))
        except Exception:  # noqa: BLE001 - callers must not see internal details
            _LOG.exception("request failed", extra=log_fields)
            response = _response(as_json(internal_problem(request_id)), 500, CONTENT_TYPE, {})
        response.headers.update(context.response_headers)
        log_fields["ms"] = round((time.perf_counter() - started) * 1000)
        _LOG.info("request", extra={**log_fields, "status": response.status_code})
        return response

    view.__name__ = name
    app.route(path, methods=methods, content_types=["*/*"])(view)


def _handler(operation: Operation, runtime: Callable[[], BaseRuntime]) -> _Handler:
    route = cache(operation.load)
    return lambda context: _call(route(), runtime(), context)


def _call(route: Route, runtime: BaseRuntime, context: RequestContext) -> Response:
    """Authenticate and validate a request, then call its view."""
    request = context.request
    headers = dict(request.headers)
    caller = None if route.scope is None else _admit(route, headers, runtime, context)
    params = request.query_params
    raw_query = {name: params.getlist(name) for name in params} if params else {}
    query = validate_query(route.query, raw_query)
    body = None
    if route.body is not None:
        raw = request.raw_body
        if isinstance(raw, str):
            # Text with surrogates becomes invalid UTF-8, which read_json rejects.
            raw = raw.encode("utf-8", "surrogatepass")
        body = validate_body(route.body, read_json(raw, headers.get("content-type", "")))
    call = Call(
        runtime=runtime,
        body=body,
        query=query,
        path=context.path,
        headers=headers,
        caller=caller,
        raw_query={name: values[0] for name, values in raw_query.items()},
        request_id=context.request_id,
        api_id=request.context.get("apiId", ""),
    )
    owners, actor = [], None
    if caller is not None:
        owners.append(caller.owner)
        actor = Actor(
            caller.user_name, caller.token_id, caller.token_name, call.request_id, runtime.clock()
        )
    with acting_for(*owners), recorded_as(actor):
        return route.view(call)


def _admit(
    route: Route, headers: Mapping[str, str], runtime: BaseRuntime, context: RequestContext
) -> Principal:
    """Authenticate the caller, count the request against its rate limits and check the scope."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() not in {"token", "bearer"} or not token:
        raise UnauthenticatedError("a token is required: send 'Authorization: Token mon_...'")
    try:
        caller = authenticate(token.strip(), context.now)
    except UnauthenticatedError:
        identity = context.request.context.get("identity") or {}
        limit_failure(runtime, str(identity.get("sourceIp", "")), context.now)
        raise
    context.log_fields.update(owner=caller.owner, token_id=caller.token_id)
    limited = limit_request(runtime, caller, context.now, route.bucket)
    context.response_headers.update(limited.headers)
    if limited.refusal:
        raise limited.refusal
    if route.scope not in caller.scopes:
        raise ForbiddenError(f"the token has no scope '{route.scope}'")
    return caller


def _refuse_unknown(table: Sequence[Operation], request: Request) -> NoReturn:
    """Raise MethodError if the path exists with other methods, else NotFoundError."""
    path = f"/{(request.uri_params or {}).get('proxy', '')}".rstrip("/") or "/"
    allowed = tuple(sorted({one.method for one in table if _pattern(one.path).fullmatch(path)}))
    if allowed:
        text = f"the path does not support {request.method}, only {', '.join(allowed)}"
        raise MethodError(text, allowed)
    raise NotFoundError("the path does not exist")


def _pattern(path: str) -> re.Pattern[str]:
    parts = re.split(r"{\w+}", path)
    return re.compile("[^/]+".join(map(re.escape, parts)))


def _error_headers(error: MonitumError) -> dict[str, str]:
    if isinstance(error, UnauthenticatedError):
        return {"WWW-Authenticate": "Token"}
    if isinstance(error, MethodError):
        return {"Allow": ", ".join(error.allowed)}
    if isinstance(error, RateLimitedError):
        return {"Retry-After": str(error.retry_after_s)}
    return {}


def _response(
    body: str, status: int, content_type: str, headers: Mapping[str, str]
) -> ChaliceResponse:
    return ChaliceResponse(
        body=body,
        status_code=status,
        headers={"Content-Type": content_type, "Cache-Control": "no-store", **headers},
    )
