"""The result of a check: verdict, reason, status code and timings."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, NamedTuple


class Verdict(StrEnum):
    """The verdict of one check; stored results hold its index: append only."""

    UP = "UP"
    DOWN = "DOWN"
    DEGRADED = "DEGRADED"
    UNKNOWN = "UNKNOWN"


VERDICTS: Final = tuple(Verdict)


class Sample(NamedTuple):
    """One check, valid until `until` at the latest. `verdict` is an index into VERDICTS."""

    tick: int
    until: int
    verdict: int
    response_ms: int


class Reason(StrEnum):
    """Why a verdict is not UP; stored results hold its index: append only."""

    STATUS = "status"
    BODY = "body"
    JSON = "json"
    HEADER = "header"
    SLOW = "slow"
    TLS_EXPIRING = "tls_expiring"
    DNS = "dns"
    CONNECT = "connect"
    REFUSED = "refused"
    TLS = "tls"
    TIMEOUT = "timeout"
    PROTOCOL = "protocol"
    REDIRECTS = "redirects"
    BLOCKED = "blocked"
    TOO_LARGE = "too_large"
    HEARTBEAT_MISSED = "heartbeat_missed"
    INTERNAL = "internal"


@dataclass(frozen=True, slots=True)
class Timings:
    """The phases of a check in whole milliseconds; their sum is its response time."""

    dns: int = 0
    connect: int = 0
    tls: int = 0
    first_byte: int = 0
    body: int = 0

    @property
    def total(self) -> int:
        return self.dns + self.connect + self.tls + self.first_byte + self.body


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The outcome of one check of one target.

    `error` is one printable line of at most 200 characters without secrets, None when UP.
    `tls_days_left` is set if a certificate was received. `attempts` is 2 if a connection failure
    was retried; if the retry got a response, `first_error` is the first failure, else `error`
    describes both.
    """

    verdict: Verdict
    reason: Reason | None = None
    status_code: int | None = None
    timings: Timings = field(default_factory=Timings)
    error: str | None = None
    tls_days_left: int | None = None
    attempts: int = 1
    first_error: str | None = None

    @property
    def response_ms(self) -> int:
        return self.timings.total
