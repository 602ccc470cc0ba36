"""Map exceptions to RFC 9457 problem documents.

Responses of API Gateway itself use the same types, see `GatewayResponses` in
.chalice/resources.json. docs/api.md explains each type.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from chalicelib.common import errors
from chalicelib.common.errors import Fault, MonitumError

CONTENT_TYPE = "application/problem+json"
PREFIX = "urn:monitum:problem:"


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of problem. Its `type` is PREFIX plus `slug` and never changes."""

    status: int
    slug: str
    title: str


BY_ERROR: Mapping[type[MonitumError], Kind] = {
    errors.BadRequestError: Kind(400, "bad-request", "Bad Request"),
    errors.UnauthenticatedError: Kind(401, "unauthorized", "Unauthorized"),
    errors.ForbiddenError: Kind(403, "forbidden", "Forbidden"),
    errors.QuotaError: Kind(403, "quota-exceeded", "Quota Exceeded"),
    errors.NotFoundError: Kind(404, "not-found", "Not Found"),
    errors.MethodError: Kind(405, "method-not-allowed", "Method Not Allowed"),
    errors.ConflictError: Kind(409, "conflict", "Conflict"),
    errors.KeyReusedError: Kind(409, "idempotency-key-reused", "Idempotency-Key Reused"),
    errors.PreconditionError: Kind(412, "precondition-failed", "Precondition Failed"),
    errors.TooLargeError: Kind(413, "content-too-large", "Content Too Large"),
    errors.MediaTypeError: Kind(415, "unsupported-media-type", "Unsupported Media Type"),
    errors.InvalidError: Kind(422, "unprocessable-content", "Unprocessable Content"),
    errors.HostBudgetError: Kind(422, "host-budget-exceeded", "Host Budget Exceeded"),
    errors.RateLimitedError: Kind(429, "too-many-requests", "Too Many Requests"),
    errors.UnavailableError: Kind(503, "service-unavailable", "Service Unavailable"),
}
INTERNAL = Kind(500, "internal-server-error", "Internal Server Error")
GATEWAYS = (
    Kind(400, "request-refused", "Request Refused"),
    Kind(504, "gateway-timeout", "Gateway Timeout"),
)
"""Kinds that only API Gateway returns; the first is for everything without a specific kind."""


def status_of(error: MonitumError) -> int:
    """Return the HTTP status of an error."""
    return BY_ERROR[type(error)].status


def problem(error: MonitumError, request_id: str) -> dict[str, Any]:
    """The body for an error: `{type, title, status, detail, request_id, errors: [{loc, msg}]}`."""
    return _body(BY_ERROR[type(error)], error.detail, request_id, error.faults)


def internal_problem(request_id: str) -> dict[str, Any]:
    """Return the body for an unexpected exception, without its details."""
    return _body(INTERNAL, "something went wrong on our side", request_id)


def as_json(body: Mapping[str, object]) -> str:
    return json.dumps(body, ensure_ascii=False)


def _body(
    kind: Kind, detail: str, request_id: str, faults: tuple[Fault, ...] = ()
) -> dict[str, Any]:
    return {
        "type": PREFIX + kind.slug,
        "title": kind.title,
        "status": kind.status,
        "detail": detail,
        "request_id": request_id,
        "errors": [{"loc": list(fault.loc), "msg": fault.msg} for fault in faults],
    }
