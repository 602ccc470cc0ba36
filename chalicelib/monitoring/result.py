"""What a check found: verdict, reason, status code and timings."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, NamedTuple


class Verdict(StrEnum):
    """What one check says of its target; the order is the code's in stored results."""

    UP = "UP"
    DOWN = "DOWN"
    DEGRADED = "DEGRADED"
    UNKNOWN = "UNKNOWN"


VERDICTS: Final = tuple(Verdict)


class Sample(NamedTuple):
    """One check; it stands for the time up to `until` at most. `verdict` is a place in VERDICTS."""

    tick: int
    until: int
    verdict: int
    response_ms: int


class Reason(StrEnum):
    """Why a verdict is not UP; the order is the code's in stored results: append only."""

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
    """The phases of a check in whole milliseconds; together they are its response time."""

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
    `tls_days_left` is known where a certificate was seen. `attempts` is 2 where a failure of the
    connection was tried once more; where that second try was answered, `first_error` says what the
    first had failed with, else `error` tells of both.
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
