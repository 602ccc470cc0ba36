"""Schemas of the kinds of targets."""

from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)

from chalicelib.api.schemas import Line, Name, Schema, Tag
from chalicelib.monitoring.secrets import Secrets
from chalicelib.targets.expectation_schemas import (
    DnsExpectations,
    HttpExpectations,
    TcpExpectations,
    TlsExpectations,
)
from chalicelib.targets.secret_schemas import (
    MAX_URL_LENGTH,
    HeaderName,
    HeaderValue,
    Sent,
    check_headers,
    check_url,
    userinfo_of,
    without_userinfo,
)


def _whole(value: object) -> object:
    """Refuse 60.0, which a Literal would accept as 60, unlike the other integer fields."""
    if isinstance(value, float):
        raise ValueError("must be a whole number")  # noqa: TRY004 - pydantic wants a ValueError
    return value


def _distinct(values: list[str]) -> list[str]:
    if len(set(values)) != len(values):
        raise ValueError("must not contain duplicates")
    return values


Interval = Annotated[
    Literal[10, 20, 30, 60, 120, 180, 300, 600, 900, 1800, 3600, 21600, 43200, 86400],
    BeforeValidator(_whole),
]


class _Common(Schema):
    """Fields of every kind. `CONFIG` names those that are sent to the worker unchanged."""

    CONFIG: ClassVar[tuple[str, ...]]
    if TYPE_CHECKING:
        kind: str
        expect: Any

    name: Name
    interval_s: Interval = 60
    timeout_s: Annotated[int, Field(ge=1, le=25)] = 10
    failure_threshold: Annotated[int, Field(ge=1, le=10)] = 2
    recovery_threshold: Annotated[int, Field(ge=1, le=10)] = 1
    tags: Annotated[list[Tag], Field(max_length=20), AfterValidator(_distinct)] = []
    channel_ids: Annotated[list[str], Field(max_length=20), AfterValidator(_distinct)] = []
    enabled: bool = True

    @field_validator("timeout_s")
    @classmethod
    def _timeout_fits(cls, timeout_s: int, info: ValidationInfo) -> int:
        if timeout_s > info.data.get("interval_s", timeout_s):
            raise ValueError("must not be longer than `interval_s`")
        return timeout_s

    def common(self) -> dict[str, Any]:
        """Return the fields that every kind has."""
        return self.model_dump(include={"kind", *_Common.model_fields})

    def config(self) -> dict[str, Any]:
        """Return the configuration for the worker: non-default values, without secrets."""
        return self.model_dump(include=set(self.CONFIG), exclude_defaults=True)

    def expectations(self) -> dict[str, Any]:
        """Return the given expectations."""
        given = self.expect.model_dump(exclude_unset=True)
        return {name: value for name, value in given.items() if value is not None}

    def secrets(self) -> Secrets:
        return Secrets()


Host = Annotated[Line, Field(min_length=1, max_length=255)]
Port = Annotated[int, Field(ge=1, le=65_535)]


class HttpTarget(_Common):
    """A URL that is requested."""

    CONFIG = ("method", "body", "follow_redirects", "verify_tls", "max_body_bytes")

    kind: Literal["http"]
    url: Annotated[str, Field(min_length=1, max_length=MAX_URL_LENGTH)]
    method: Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] = "GET"
    headers: Annotated[dict[HeaderName, HeaderValue], Field(max_length=20)] = {}
    body: Annotated[str, Field(max_length=4096)] | None = None
    follow_redirects: bool = True
    verify_tls: bool = True
    max_body_bytes: Annotated[int, Field(ge=1, le=1024 * 1024)] | None = None
    expect: HttpExpectations = HttpExpectations()

    _check_headers = field_validator("headers")(check_headers)
    _check_url = field_validator("url")(check_url)

    @model_validator(mode="after")
    def _accept_redirects(self) -> Self:
        """Accept redirects if they are not followed and no `status_codes` are given."""
        if not self.follow_redirects and "status_codes" not in self.expect.model_fields_set:
            values = {**self.expect.__dict__, "status_codes": ["200-399"]}
            given = self.expect.model_fields_set
            self.expect = HttpExpectations.model_construct(_fields_set=given, **values)
        return self

    def config(self) -> dict[str, Any]:
        return {"url": without_userinfo(self.url), **super().config()}

    def secrets(self) -> Secrets:
        return Secrets(headers=self.headers, userinfo=userinfo_of(self.url))


class TcpTarget(_Common):
    """A port that must accept a connection and, if text is expected, send it."""

    CONFIG = ("host", "port")

    kind: Literal["tcp"]
    host: Host
    port: Port
    send: Sent | None = None
    expect: TcpExpectations = TcpExpectations()

    def secrets(self) -> Secrets:
        return Secrets(send=self.send)


class TlsTarget(_Common):
    """A port whose certificate must be valid, and for long enough."""

    CONFIG = ("host", "port", "verify_tls")

    kind: Literal["tls"]
    host: Host
    port: Port = 443
    verify_tls: bool = True
    expect: TlsExpectations = TlsExpectations()

    def expectations(self) -> dict[str, Any]:
        """Include the days always, so that a new default does not affect existing targets."""
        return {**super().expectations(), "tls_days_left": self.expect.tls_days_left}


class DnsTarget(_Common):
    """A name that must have records, and the `expected` ones if there are any."""

    CONFIG = ("host", "record_type", "expected", "exact", "resolver")

    kind: Literal["dns"]
    host: Host
    record_type: Literal["A", "AAAA", "CNAME", "MX", "TXT", "NS", "SOA", "CAA"] = "A"
    expected: Annotated[
        list[Annotated[Line, Field(min_length=1, max_length=500)]], Field(max_length=20)
    ] = []
    exact: bool = False
    resolver: Host | None = None
    expect: DnsExpectations = DnsExpectations()


AnyTarget = Annotated[HttpTarget | TcpTarget | TlsTarget | DnsTarget, Field(discriminator="kind")]
