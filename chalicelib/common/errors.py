"""The exceptions for failed requests. `api/problems.py` maps them to HTTP."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault of a request: its location, such as `("body", "url")`, and a message."""

    loc: tuple[str | int, ...]
    msg: str


class MonitumError(Exception):
    """The base class; `detail` is shown to the caller."""

    def __init__(self, detail: str, faults: tuple[Fault, ...] = ()) -> None:
        super().__init__(detail)
        self.detail = detail
        self.faults = faults


class BadRequestError(MonitumError):
    """Malformed JSON, an unknown or contradictory parameter, or an invalid cursor."""


class UnauthenticatedError(MonitumError):
    """The token is missing, unknown, revoked or expired."""


class ForbiddenError(MonitumError):
    """The token lacks the required scope."""


class QuotaError(ForbiddenError):
    """A quota of the user is used up; the fault names the resource."""


class NotFoundError(MonitumError):
    """The resource does not exist or belongs to another owner; callers cannot tell which."""


class MethodError(MonitumError):
    """The path does not support the method; `allowed` lists the methods it supports."""

    def __init__(self, detail: str, allowed: tuple[str, ...]) -> None:
        super().__init__(detail)
        self.allowed = allowed


class ConflictError(MonitumError):
    """The request conflicts with the current state of the resource."""


class KeyReusedError(ConflictError):
    """The Idempotency-Key was already used for a different request."""


class PreconditionError(MonitumError):
    """If-Match does not match the current version."""


class RateLimitedError(MonitumError):
    """A rate limit is exceeded; retry after `retry_after_s`."""

    def __init__(self, detail: str, retry_after_s: int) -> None:
        super().__init__(detail)
        self.retry_after_s = retry_after_s


class TooLargeError(MonitumError):
    """The body exceeds its size limit."""


class MediaTypeError(MonitumError):
    """The body is not JSON."""


class InvalidError(MonitumError):
    """The body violates the schema or requests something impossible."""


class HostBudgetError(InvalidError):
    """The limit on checks of one host by all users together is used up."""


class UnavailableError(MonitumError):
    """A dependency failed or timed out; a retry may succeed."""
