"""One tree for everything that can be wrong with a request; mapped to HTTP in one place."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong: `loc` leads to it (`("body", "url")`), `msg` says what it is."""

    loc: tuple[str | int, ...]
    msg: str


class MonitumError(Exception):
    """Something the caller can do something about; `detail` is written for them."""

    def __init__(self, detail: str, faults: tuple[Fault, ...] = ()) -> None:
        super().__init__(detail)
        self.detail = detail
        self.faults = faults


class BadRequestError(MonitumError):
    """Not JSON, an unknown or contradictory parameter, a cursor that is not ours."""


class UnauthenticatedError(MonitumError):
    """No token, or one that is unknown, revoked or expired."""


class ForbiddenError(MonitumError):
    """The token's scope does not allow it."""


class QuotaError(ForbiddenError):
    """The user has as many of something as there may be; the fault names of what."""


class NotFoundError(MonitumError):
    """No such thing, or it is another owner's: the two look the same."""


class MethodError(MonitumError):
    """The path is there, but does not take the method; `allowed` are those that it takes."""

    def __init__(self, detail: str, allowed: tuple[str, ...]) -> None:
        super().__init__(detail)
        self.allowed = allowed


class ConflictError(MonitumError):
    """It does not fit the present state of things."""


class KeyReusedError(ConflictError):
    """The Idempotency-Key was used before, for something else."""


class PreconditionError(MonitumError):
    """If-Match names another version than the present one."""


class RateLimitedError(MonitumError):
    """Too much in too short a time; `retry_after_s` is when it is worth another try."""

    def __init__(self, detail: str, retry_after_s: int) -> None:
        super().__init__(detail)
        self.retry_after_s = retry_after_s


class TooLargeError(MonitumError):
    """The body is over its limit."""


class MediaTypeError(MonitumError):
    """The body is not JSON."""


class InvalidError(MonitumError):
    """JSON that breaks the schema or asks for something impossible."""


class HostBudgetError(InvalidError):
    """All users together have a host checked as often as may be."""


class UnavailableError(MonitumError):
    """It could not be done in time; trying again may help."""
