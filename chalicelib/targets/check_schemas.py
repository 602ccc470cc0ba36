"""Checks as they go out."""

from typing import Annotated, Literal

from pydantic import Field

from chalicelib.api.schemas import GivenMoment, Model, Moment, Page, PageQuery
from chalicelib.monitoring.check_history import Check

VerdictName = Literal["UP", "DOWN", "DEGRADED", "UNKNOWN"]


class TimingsOut(Model):
    """The phases of a check; their sum is its `response_ms`."""

    dns: int
    connect: int
    tls: int
    first_byte: int
    body: int


class CheckOut(Model):
    """One check of one target; `attempts` is 2 where a failure was tried once more at once.

    `first_error` is what the first of two tries failed with, where the second was answered; where
    both failed, `error` tells of both.
    """

    target_id: str
    checked_at: Moment
    region: str
    verdict: VerdictName
    response_ms: int
    status_code: int | None
    reason: str | None
    error: str | None
    attempts: int
    first_error: str | None
    timings_ms: TimingsOut

    @classmethod
    def of(cls, check: Check) -> "CheckOut":
        result = check.result
        timings = result.timings
        return cls(
            target_id=check.target_id,
            checked_at=check.tick,
            region=check.region,
            verdict=result.verdict.value,
            response_ms=result.response_ms,
            status_code=result.status_code,
            reason=result.reason,
            error=result.error,
            attempts=result.attempts,
            first_error=result.first_error,
            timings_ms=TimingsOut(
                dns=timings.dns,
                connect=timings.connect,
                tls=timings.tls,
                first_byte=timings.first_byte,
                body=timings.body,
            ),
        )


class ChecksQuery(PageQuery):
    """`from` is inclusive, `to` exclusive."""

    from_: Annotated[GivenMoment | None, Field(alias="from")] = None
    to: GivenMoment | None = None
    verdict: VerdictName | None = None


ChecksPage = Page[CheckOut]
