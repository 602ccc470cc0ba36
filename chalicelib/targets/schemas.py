"""Targets as they come in and go out."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, cast

from pydantic import (
    BaseModel,
    Field,
    GetJsonSchemaHandler,
    WithJsonSchema,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from chalicelib.alerting.incident import MeanTimes
from chalicelib.api.schemas import (
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

StatusName = Literal["PENDING", "UP", "DOWN", "DEGRADED", "PAUSED"]
Kind = Literal["http", "tcp", "tls", "dns"]


class TargetIn(Root[AnyTarget]):
    """A target as its owner describes it."""

    def draft(self) -> Draft:
        given = self.root
        return Draft(
            name=given.name,
            kind=given.kind,
            interval_s=given.interval_s,
            timeout_s=given.timeout_s,
            failure_threshold=given.failure_threshold,
            recovery_threshold=given.recovery_threshold,
            config=given.config(),
            expect=given.expectations(),
            secrets=given.secrets(),
            tags=given.tags,
            channel_ids=given.channel_ids,
            enabled=given.enabled,
        )


class TargetPatch(Root[dict[str, Any]]):
    """The fields to replace, each as a whole; null puts the default back."""

    @classmethod
    def __get_pydantic_json_schema__(
        cls, _core: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return any_partial(cls, handler, (HttpTarget, TcpTarget, TlsTarget, DnsTarget))

    def over(self, target: Target) -> dict[str, Any]:
        """The target's description with these fields instead of its own."""
        return {
            name: value
            for name, value in {**describe(target), **self.root}.items()
            if value is not None
        }


class TargetsIn(Schema):
    """Up to a hundred targets; each is judged for itself."""

    items: Annotated[
        list[Any],
        Field(min_length=1, max_length=100),
        WithJsonSchema(
            {
                "type": "array",
                "description": "Each is what `POST /v1/targets` takes; one that is not is answered"
                " with its problem, and does not hinder the others.",
                "items": {"type": "object"},
                "minItems": 1,
                "maxItems": 100,
            }
        ),
    ]


class StateOut(Model):
    """The present state of a target; `in_maintenance` where there is a window for it now."""

    status: StatusName
    since: Moment
    last_checked_at: Moment | None
    response_ms: int | None
    consecutive_failures: int
    open_incident_id: str | None = None
    in_maintenance: bool = False

    @classmethod
    def of(cls, presence: CurrentStatus) -> "StateOut":
        return cls(
            status=presence.status.value,
            since=presence.since,
            last_checked_at=presence.last_checked_at,
            response_ms=presence.response_ms,
            consecutive_failures=presence.consecutive_failures,
            open_incident_id=presence.open_incident_id,
            in_maintenance=presence.in_maintenance,
        )


class _Stored(Model):
    """What a stored target has beyond its description."""

    id: str
    created_at: Moment
    updated_at: Moment
    state: StateOut


class HttpTargetOut(_Stored, HttpTarget):
    """An `http` target as it is shown."""


class TcpTargetOut(_Stored, TcpTarget):
    """A `tcp` target as it is shown."""


class TlsTargetOut(_Stored, TlsTarget):
    """A `tls` target as it is shown."""


class DnsTargetOut(_Stored, DnsTarget):
    """A `dns` target as it is shown."""


AnyTargetOut = Annotated[
    HttpTargetOut | TcpTargetOut | TlsTargetOut | DnsTargetOut, Field(discriminator="kind")
]


class TargetOut(Root[AnyTargetOut]):
    """A target with its present state; secrets are masked."""

    @classmethod
    def of(cls, target: Target, presence: CurrentStatus) -> "TargetOut":
        # Not validated: it was valid when it was stored, whatever the rules are by now.
        described = describe(target)
        shown, expectations = _SHOWN[target.spec.kind]
        given = described["expect"]
        if not described.get("follow_redirects", True):
            given.setdefault("status_codes", ["200-399"])
        if "json" in given:
            given["json"] = [JsonExpectation.model_construct(**one) for one in given["json"]]
        described["expect"] = expectations.model_construct(**given)
        root = shown.model_construct(
            **described,
            id=target.id,
            created_at=target.created_at,
            updated_at=target.updated_at,
            state=StateOut.of(presence),
        )
        return cls.model_construct(root=cast("AnyTargetOut", root))


_SHOWN: Mapping[str, tuple[type[BaseModel], type[BaseModel]]] = {
    "http": (HttpTargetOut, HttpExpectations),
    "tcp": (TcpTargetOut, TcpExpectations),
    "tls": (TlsTargetOut, TlsExpectations),
    "dns": (DnsTargetOut, DnsExpectations),
}


class BatchItem(Model):
    """What became of one target of a batch: the target, or the problem."""

    status: int
    target: TargetOut | None = None
    problem: Problem | None = None


class BatchOut(Model):
    """One answer per item, in the order of the request."""

    items: list[BatchItem]


class TargetsQuery(PageQuery):
    """Filters of the list, all of which must hold, and its order.

    By name and by status it may be behind by a moment; by status the worst comes first, and what
    changes its status meanwhile may come twice or not at all.
    """

    sort: Literal["oldest", "newest", "name", "status"] = "oldest"

    status: StatusName | None = None
    tag: Tag | None = None
    kind: Kind | None = None
    enabled: bool | None = None
    q: Annotated[str, Field(min_length=1, max_length=200)] | None = None


TargetsPage = Page[TargetOut]


class SummaryQuery(Schema):
    """With a tag only the targets that have it count."""

    tag: Tag | None = None


class SummaryOut(Model):
    """How many targets have which status; `down` holds the worst, longest down first.

    `mtta_s` and `mttr_s` are the mean times until the incidents of the last thirty days were
    acknowledged and resolved; null where none was, and where a tag is asked for.
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
    if target.secret_names.send:
        described["send"] = MASK
    if target.secret_names.userinfo:
        described["url"] = with_userinfo(described["url"], MASK)
    return described
