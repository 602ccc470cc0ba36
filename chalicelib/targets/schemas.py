"""Request and response schemas of targets and their checks."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated, Any, Literal, cast

from pydantic import BaseModel, Field, GetJsonSchemaHandler, WithJsonSchema
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from chalicelib.alerting.incident import MeanTimes
from chalicelib.api.schemas import (
    GivenMoment,
    Model,
    Moment,
    Page,
    PageQuery,
    Problem,
    Root,
    Schema,
    Tag,
    any_partial,
)
from chalicelib.monitoring.check_history import Check
from chalicelib.monitoring.secrets import MASK
from chalicelib.monitoring.target import Target
from chalicelib.targets.current_status import CurrentStatus
from chalicelib.targets.expectation_schemas import (
    DnsExpectations,
    HttpExpectations,
    JsonExpectation,
    TcpExpectations,
    TlsExpectations,
)
from chalicelib.targets.kind_schemas import AnyTarget, DnsTarget, HttpTarget, TcpTarget, TlsTarget
from chalicelib.targets.listing import Summary
from chalicelib.targets.secret_schemas import with_userinfo
from chalicelib.targets.validation import Draft

StatusName = Literal["PENDING", "UP", "DOWN", "DEGRADED", "PAUSED", "UNKNOWN"]
VerdictName = Literal["UP", "DOWN", "DEGRADED", "UNKNOWN"]
Kind = Literal["http", "tcp", "tls", "dns"]


class TargetIn(Root[AnyTarget]):
    """A new target, of one of the kinds."""

    def draft(self) -> Draft:
        given = self.root
        return Draft(
            **given.common(),
            config=given.config(),
            expect=given.expectations(),
            secrets=given.secrets(),
        )


class TargetPatch(Root[dict[str, Any]]):
    """The fields to replace, each as a whole; null restores the default."""

    @classmethod
    def __get_pydantic_json_schema__(
        cls, _core: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return any_partial(cls, handler, (HttpTarget, TcpTarget, TlsTarget, DnsTarget))


class TargetsIn(Schema):
    """Up to a hundred targets, each validated separately."""

    items: Annotated[
        list[Any],
        Field(min_length=1, max_length=100),
        WithJsonSchema(
            {
                "type": "array",
                "description": "Each is a body of `POST /v1/targets`. An invalid item gets a"
                " problem in the response and does not affect the others.",
                "items": {"type": "object"},
                "minItems": 1,
                "maxItems": 100,
            }
        ),
    ]


class StateOut(Model):
    """The current state of a target; `in_maintenance` while a maintenance window covers it.

    `stale`, with the status UNKNOWN: the newest check is older than two intervals and the timeout
    (at least 60 s), or the last three checks were UNKNOWN. `since` is then the time of the last
    check that was not. An open incident stays open.
    """

    status: StatusName
    since: Moment
    last_checked_at: Moment | None
    response_ms: int | None
    consecutive_failures: int
    open_incident_id: str | None = None
    in_maintenance: bool = False
    stale: bool = False

    @classmethod
    def of(cls, current: CurrentStatus) -> "StateOut":
        fields = {name: getattr(current, name) for name in cls.model_fields}
        return cls(**{**fields, "status": current.status.value})


class _Stored(Model):
    """The fields that a stored target has in addition to those its owner sets."""

    id: str
    created_at: Moment
    updated_at: Moment
    state: StateOut


class HttpTargetOut(_Stored, HttpTarget):
    """A stored `http` target."""


class TcpTargetOut(_Stored, TcpTarget):
    """A stored `tcp` target."""


class TlsTargetOut(_Stored, TlsTarget):
    """A stored `tls` target."""


class DnsTargetOut(_Stored, DnsTarget):
    """A stored `dns` target."""


AnyTargetOut = Annotated[
    HttpTargetOut | TcpTargetOut | TlsTargetOut | DnsTargetOut, Field(discriminator="kind")
]


class TargetOut(Root[AnyTargetOut]):
    """A target with its current state; secrets are masked."""

    @classmethod
    def of(cls, target: Target, current: CurrentStatus) -> "TargetOut":
        # Not validated: stored targets stay readable when the rules have become stricter.
        described = describe(target)
        schema, expectations = _SCHEMAS[target.spec.kind]
        given = described["expect"]
        if not described.get("follow_redirects", True):
            given.setdefault("status_codes", ["200-399"])
        if "json" in given:
            given["json"] = [JsonExpectation.model_construct(**item) for item in given["json"]]
        described["expect"] = expectations.model_construct(**given)
        root = schema.model_construct(
            **described,
            id=target.id,
            created_at=target.created_at,
            updated_at=target.updated_at,
            state=StateOut.of(current),
        )
        return cls.model_construct(root=cast("AnyTargetOut", root))


_SCHEMAS: Mapping[str, tuple[type[BaseModel], type[BaseModel]]] = {
    "http": (HttpTargetOut, HttpExpectations),
    "tcp": (TcpTargetOut, TcpExpectations),
    "tls": (TlsTargetOut, TlsExpectations),
    "dns": (DnsTargetOut, DnsExpectations),
}


class BatchItem(Model):
    """The outcome of one item of a batch: the target or the problem."""

    status: int
    target: TargetOut | None = None
    problem: Problem | None = None


class BatchOut(Model):
    """One outcome per item, in the order of the request."""

    items: list[BatchItem]


class TargetsQuery(PageQuery):
    """Filters of the list, all of which must match, and its order.

    The orders `name` and `status` are eventually consistent. `status` puts the worst first; targets
    whose status changes between pages may appear twice or not at all.
    """

    sort: Literal["oldest", "newest", "name", "status"] = "oldest"
    status: StatusName | None = None
    tag: Tag | None = None
    kind: Kind | None = None
    enabled: bool | None = None
    q: Annotated[str, Field(min_length=1, max_length=200)] | None = None


TargetsPage = Page[TargetOut]


class SummaryQuery(Schema):
    """`tag` restricts the summary to targets with that tag."""

    tag: Tag | None = None


class SummaryOut(Model):
    """The number of targets per status; `down` lists up to a hundred, longest down first.

    `mtta_s` and `mttr_s` are the mean times until the incidents of the last thirty days were
    acknowledged and resolved; null if none was, and with a `tag`.
    """

    total: int
    by_status: dict[str, int]
    by_tag: dict[str, dict[str, int]]
    down: list[TargetOut]
    mtta_s: int | None
    mttr_s: int | None

    @classmethod
    def of(cls, found: Summary, times: MeanTimes) -> "SummaryOut":
        return cls(
            mtta_s=times.mtta_s,
            mttr_s=times.mttr_s,
            total=found.total,
            by_status=found.by_status,
            by_tag=found.by_tag,
            down=[TargetOut.of(target, current) for target, current in found.down],
        )


class TimingsOut(Model):
    """The phases of a check; their sum is its `response_ms`."""

    dns: int
    connect: int
    tls: int
    first_byte: int
    body: int


class CheckOut(Model):
    """One check of one target; `attempts` is 2 if a failure was retried immediately.

    `first_error` is the failure of the first attempt if the second got a response; if both failed,
    `error` describes both.
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
            timings_ms=TimingsOut(**asdict(result.timings)),
        )


class ChecksQuery(PageQuery):
    """`from` is inclusive, `to` exclusive."""

    from_: Annotated[GivenMoment | None, Field(alias="from")] = None
    to: GivenMoment | None = None
    verdict: VerdictName | None = None


ChecksPage = Page[CheckOut]


def describe(target: Target) -> dict[str, Any]:
    """Return the fields that the owner set, without defaults; secrets are masked."""
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
    if target.secret_names.send:
        described["send"] = MASK
    if target.secret_names.userinfo:
        described["url"] = with_userinfo(described["url"], MASK)
    return described
