"""Targets as they come in and go out."""

from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    Field,
    RootModel,
    ValidationInfo,
    field_validator,
)

from chalicelib.api.schemas.common import Moment, Name, Page, PageQuery, Schema, Tag
from chalicelib.api.schemas.expectations import HttpExpectations
from chalicelib.api.schemas.requests import (
    MOST_URL,
    HeaderName,
    HeaderValue,
    check_headers,
    check_url,
    userinfo_of,
    with_userinfo,
    without_userinfo,
)
from chalicelib.domain.secrets import MASK, Secrets
from chalicelib.domain.targets import Target
from chalicelib.services.drafts import Draft
from chalicelib.services.listing import Summary
from chalicelib.services.presence import Presence

StatusName = Literal["PENDING", "UP", "DOWN", "DEGRADED", "PAUSED"]
Kind = Literal["http"]


def _whole(value: object) -> object:
    """A Literal takes 60.0 for 60; no other number of ours does."""
    if isinstance(value, float):
        raise ValueError("must be a whole number")  # noqa: TRY004 - pydantic wants a ValueError
    return value


def _distinct(values: list[str]) -> list[str]:
    if len(set(values)) != len(values):
        raise ValueError("must not name one twice")
    return values


Interval = Annotated[
    Literal[10, 20, 30, 60, 120, 180, 300, 600, 900, 1800, 3600, 21600, 43200, 86400],
    BeforeValidator(_whole),
]


class _Common(Schema):
    """What every kind has."""

    name: Name
    interval_s: Interval = 60
    timeout_s: Annotated[int, Field(ge=1, le=25)] = 10
    failure_threshold: Annotated[int, Field(ge=1, le=10)] = 2
    recovery_threshold: Annotated[int, Field(ge=1, le=10)] = 1
    tags: Annotated[list[Tag], Field(max_length=20), AfterValidator(_distinct)] = []
    channel_ids: Annotated[list[str], Field(max_length=20)] = []
    enabled: bool = True

    @field_validator("channel_ids")
    @classmethod
    def _known_channels(cls, channel_ids: list[str]) -> list[str]:
        if channel_ids:
            raise ValueError("there is no such channel")
        return channel_ids

    @field_validator("timeout_s")
    @classmethod
    def _timeout_fits(cls, timeout_s: int, info: ValidationInfo) -> int:
        if timeout_s > info.data.get("interval_s", timeout_s):
            raise ValueError("must not be longer than interval_s")
        return timeout_s


class HttpTarget(_Common):
    """A URL that is asked and what its answer must be like."""

    kind: Literal["http"]
    url: Annotated[str, Field(min_length=1, max_length=MOST_URL)]
    method: Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] = "GET"
    headers: Annotated[dict[HeaderName, HeaderValue], Field(max_length=20)] = {}
    body: Annotated[str, Field(max_length=4096)] | None = None
    follow_redirects: bool = True
    verify_tls: bool = True
    expect: HttpExpectations = HttpExpectations()

    _headers_can_be_sent = field_validator("headers")(check_headers)
    _url_is_whole = field_validator("url")(check_url)

    def config(self) -> dict[str, Any]:
        """What travels to the worker: what differs from the defaults, without secrets."""
        dumped = self.model_dump(
            include={"method", "body", "follow_redirects", "verify_tls"}, exclude_defaults=True
        )
        return {"url": without_userinfo(self.url), **dumped}

    def secrets(self) -> Secrets:
        return Secrets(headers=self.headers, userinfo=userinfo_of(self.url))


class TargetIn(RootModel[HttpTarget]):
    """A target as its owner describes it."""

    def draft(self) -> Draft:
        given = self.root
        expect = given.expect.model_dump(exclude_unset=True)
        return Draft(
            name=given.name,
            kind=given.kind,
            interval_s=given.interval_s,
            timeout_s=given.timeout_s,
            failure_threshold=given.failure_threshold,
            recovery_threshold=given.recovery_threshold,
            config=given.config(),
            expect={name: value for name, value in expect.items() if value is not None},
            secrets=given.secrets(),
            tags=given.tags,
            channel_ids=given.channel_ids,
            enabled=given.enabled,
        )


class TargetPatch(RootModel[dict[str, Any]]):
    """The fields to replace, each as a whole; null puts the default back."""

    def over(self, target: Target) -> dict[str, Any]:
        """The target's description with these fields instead of its own."""
        return {
            name: value
            for name, value in {**describe(target), **self.root}.items()
            if value is not None
        }


class TargetsIn(Schema):
    """Up to a hundred targets; each is judged for itself."""

    items: Annotated[list[Any], Field(min_length=1, max_length=100)]


class StateOut(BaseModel):
    """The present state of a target."""

    status: StatusName
    since: Moment
    last_checked_at: Moment | None
    response_ms: int | None
    consecutive_failures: int
    open_incident_id: str | None = None

    @classmethod
    def of(cls, presence: Presence) -> "StateOut":
        return cls(
            status=presence.status.value,
            since=presence.since,
            last_checked_at=presence.last_checked_at,
            response_ms=presence.response_ms,
            consecutive_failures=presence.consecutive_failures,
        )


class _Stored(BaseModel):
    """What a stored target has beyond its description."""

    id: str
    created_at: Moment
    updated_at: Moment
    state: StateOut


class HttpTargetOut(_Stored, HttpTarget):
    """An `http` target as it is shown."""


class TargetOut(RootModel[HttpTargetOut]):
    """A target with its present state; secrets are masked."""

    @classmethod
    def of(cls, target: Target, presence: Presence) -> "TargetOut":
        return cls.model_validate(
            {
                **describe(target),
                "id": target.id,
                "created_at": target.created_at,
                "updated_at": target.updated_at,
                "state": StateOut.of(presence),
            }
        )


class BatchItem(BaseModel):
    """What became of one target of a batch: the target, or the problem."""

    status: int
    target: TargetOut | None = None
    problem: dict[str, Any] | None = None


class BatchOut(BaseModel):
    """One answer per item, in the order of the request."""

    items: list[BatchItem]


class TargetsQuery(PageQuery):
    """Filters of the list; all given must hold."""

    status: StatusName | None = None
    tag: Tag | None = None
    kind: Kind | None = None
    enabled: bool | None = None
    q: Annotated[str, Field(min_length=1, max_length=200)] | None = None


TargetsPage = Page[TargetOut]


class SummaryQuery(Schema):
    """With a tag only the targets that have it count."""

    tag: Tag | None = None


class SummaryOut(BaseModel):
    """How many targets have which status; `down` holds the worst, longest down first."""

    total: int
    by_status: dict[str, int]
    by_tag: dict[str, dict[str, int]]
    down: list[TargetOut]

    @classmethod
    def of(cls, found: Summary) -> "SummaryOut":
        return cls(
            total=found.total,
            by_status=found.by_status,
            by_tag=found.by_tag,
            down=[TargetOut.of(target, presence) for target, presence in found.down],
        )


def describe(target: Target) -> dict[str, Any]:
    """What of a target its owner gave, without defaults that are not stored; secrets masked."""
    spec = target.spec
    described = {
        "name": target.name,
        "kind": spec.kind,
        "interval_s": spec.interval_s,
        "timeout_s": spec.timeout_s,
        "failure_threshold": spec.failure_threshold,
        "recovery_threshold": spec.recovery_threshold,
        "tags": list(target.tags),
        "channel_ids": list(target.channel_ids),
        "enabled": target.enabled,
        **spec.config,
        "expect": dict(spec.expect),
    }
    if target.secret_names.headers:
        described["headers"] = dict.fromkeys(target.secret_names.headers, MASK)
    if target.secret_names.userinfo:
        described["url"] = with_userinfo(described["url"], MASK)
    return described
