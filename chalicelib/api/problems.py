"""Errors as RFC 9457 problem+json: the one place where they become HTTP."""

import json
from collections.abc import Mapping
from http import HTTPStatus

from chalicelib.domain import errors
from chalicelib.domain.errors import Fault, MonitumError

CONTENT_TYPE = "application/problem+json"
_STATUS: Mapping[type[MonitumError], HTTPStatus] = {
    errors.BadRequestError: HTTPStatus.BAD_REQUEST,
    errors.UnauthenticatedError: HTTPStatus.UNAUTHORIZED,
    errors.ForbiddenError: HTTPStatus.FORBIDDEN,
    errors.NotFoundError: HTTPStatus.NOT_FOUND,
    errors.ConflictError: HTTPStatus.CONFLICT,
    errors.PreconditionError: HTTPStatus.PRECONDITION_FAILED,
    errors.TooLargeError: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    errors.MediaTypeError: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    errors.InvalidError: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.UnavailableError: HTTPStatus.SERVICE_UNAVAILABLE,
}


def status_of(error: MonitumError) -> HTTPStatus:
    """The status that an error is answered with."""
    return _STATUS[type(error)]


def problem(error: MonitumError) -> dict[str, object]:
    """The body for an error: `{type, title, status, detail, errors: [{loc, msg}]}`."""
    status = status_of(error)
    return _body(status, error.detail, error.faults)


def internal_problem() -> dict[str, object]:
    """The body for a fault of our own; it says nothing of what happened."""
    return _body(HTTPStatus.INTERNAL_SERVER_ERROR, "something went wrong on our side", ())


def as_json(body: Mapping[str, object]) -> str:
    return json.dumps(body, ensure_ascii=False)


def _body(status: HTTPStatus, detail: str, faults: tuple[Fault, ...]) -> dict[str, object]:
    return {
        "type": f"urn:monitum:problem:{status.phrase.lower().replace(' ', '-')}",
        "title": status.phrase,
        "status": int(status),
        "detail": detail,
        "errors": [{"loc": list(fault.loc), "msg": fault.msg} for fault in faults],
    }
