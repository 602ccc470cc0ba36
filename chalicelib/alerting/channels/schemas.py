"""API schemas of channels and deliveries."""

import re
from dataclasses import asdict
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from chalicelib.alerting.alert import AlertedTarget, target_link
from chalicelib.alerting.channel import EVENTS, Channel, ChannelDraft, ChannelKind, Event
from chalicelib.alerting.delivery import Delivery
from chalicelib.alerting.notifiers.apprise_services import scheme_of
from chalicelib.api.schemas import Line, Model, Moment, Name, Page, Root, Schema, Tag, any_partial
from chalicelib.monitoring.secrets import MASK

EventName = Literal["down", "up", "degraded", "recovered", "tls_expiring", "reminder", "stale"]
_ALL: list[EventName] = ["down", "recovered", "degraded", "tls_expiring", "up", "reminder"]
_ADDRESS = re.compile(
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@"
    r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}"
)


def _distinct(values: list[Any]) -> list[Any]:
    return list(dict.fromkeys(values))


def _email_address(value: str) -> str:
    if not _ADDRESS.fullmatch(value):
        raise ValueError("must be an email address such as ops@example.com")
    return value


class _Common(Schema):
    """The fields of every kind."""

    name: Name
    events: Annotated[list[EventName], Field(min_length=1), AfterValidator(_distinct)] = _ALL
    delay_s: Annotated[int, Field(ge=0, le=86_400)] = 0
    repeat_s: Annotated[int, Field(ge=60, le=604_800)] | None = None
    tags: Annotated[list[Tag], Field(max_length=20), AfterValidator(_distinct)] = []


class WebhookChannel(_Common):
    """Sends signed alerts to a URL by POST."""

    kind: Literal["webhook"]
    url: Annotated[Line, Field(min_length=1, max_length=2048)]


class EmailChannel(_Common):
    """Sends alerts to an email address after its owner has confirmed it."""

    kind: Literal["email"]
    address: Annotated[Line, Field(max_length=254), AfterValidator(_email_address)]


class AppriseChannel(_Common):
    """Sends alerts to a chat or paging service, given as an apprise URL."""

    kind: Literal["apprise"]
    url: Annotated[Line, Field(min_length=1, max_length=2048)]


class ChannelIn(
    Root[Annotated[WebhookChannel | EmailChannel | AppriseChannel, Field(discriminator="kind")]]
):
    """A channel to create."""

    def draft(self) -> ChannelDraft:
        given = self.root
        return ChannelDraft(
            name=given.name,
            kind=ChannelKind(given.kind),
            url=None if isinstance(given, EmailChannel) else given.url,
            address=given.address if isinstance(given, EmailChannel) else None,
            events=[Event(event) for event in given.events],
            delay_s=given.delay_s,
            repeat_s=given.repeat_s,
            tags=given.tags,
        )


class ChannelPatch(Root[dict[str, Any]]):
    """The fields to replace, each as a whole; null resets a field to its default."""

    @classmethod
    def __get_pydantic_json_schema__(
        cls, _core: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return any_partial(cls, handler, (WebhookChannel, EmailChannel, AppriseChannel))

    def over(self, channel: Channel) -> dict[str, Any]:
        """Merge these fields over those of the channel. A masked URL keeps the stored one."""
        merged = {**settable_fields(channel), **self.root}
        if merged.get("url") == _masked_url(channel):
            merged["url"] = channel.url
        return {name: value for name, value in merged.items() if value is not None}


class DisabledOut(Model):
    """Since when and why a channel is disabled."""

    at: Moment
    reason: str


class ChannelOut(Model):
    """A channel. Of an apprise URL only the scheme is shown, because the rest contains secrets.

    `disabled` is null unless the receiver responded with 410 (Gone).
    """

    id: str
    name: str
    kind: Literal["webhook", "email", "apprise"]
    url: str | None
    address: str | None
    confirmed: bool | None
    events: list[EventName]
    delay_s: int
    repeat_s: int | None
    tags: list[str]
    disabled: DisabledOut | None
    created_at: Moment
    updated_at: Moment

    @classmethod
    def of(cls, channel: Channel) -> "ChannelOut":
        return cls.model_validate(_fields(channel))


class NewChannelOut(ChannelOut):
    """A channel with its new signing secret, which is shown only once."""

    secret: str | None = None

    @classmethod
    def of(cls, channel: Channel) -> "NewChannelOut":
        return cls.model_validate({**_fields(channel), "secret": channel.secret})


class ChannelsPage(Page[ChannelOut]):
    """All channels of an owner."""


class AttemptOut(Model):
    """One attempt to deliver an alert; of the response only the status code is shown."""

    at: Moment
    status_code: int | None
    reason: str | None


class DeliveryOut(Model):
    """One alert to a channel. `id` is the `webhook-id` that webhooks receive."""

    id: str
    event: str
    status: Literal["waiting", "sent", "failed", "skipped"]
    created_at: Moment
    next_attempt_at: Moment | None
    targets: int
    attempts: list[AttemptOut]

    @classmethod
    def of(cls, delivery: Delivery) -> "DeliveryOut":
        is_waiting, has_targets = delivery.status == "waiting", delivery.event in EVENTS
        return cls(
            id=delivery.id,
            event=delivery.event,
            status=delivery.status.value,
            created_at=delivery.created_at,
            next_attempt_at=delivery.next_at if is_waiting else None,
            targets=len(delivery.about - delivery.dropped) if has_targets else 0,
            attempts=[
                AttemptOut(at=one.at, status_code=one.status_code, reason=one.reason)
                for one in delivery.attempts
            ],
        )


DeliveriesPage = Page[DeliveryOut]


class ReportedTargetOut(Model):
    """A target that an alert reports, as in webhooks; `until` is when its incident ended."""

    target_id: str
    name: str
    url: str
    status: str
    since: Moment
    until: Moment | None
    incident_id: str | None
    link: str | None
    reason: str | None
    error: str | None
    status_code: int | None

    @classmethod
    def of(cls, target: AlertedTarget, public_url: str) -> "ReportedTargetOut":
        return cls(**asdict(target), link=target_link(public_url, target))


ReportedTargetsPage = Page[ReportedTargetOut]


def settable_fields(channel: Channel) -> dict[str, Any]:
    """The fields of a channel that its owner sets, as the API shows them."""
    return {
        "name": channel.name,
        "kind": channel.kind.value,
        "url": _masked_url(channel),
        "address": channel.address,
        "events": [event.value for event in EVENTS if event in channel.events],
        "delay_s": channel.delay_s,
        "repeat_s": channel.repeat_s,
        "tags": list(channel.tags),
    }


def _fields(channel: Channel) -> dict[str, Any]:
    is_email, at = channel.kind is ChannelKind.EMAIL, channel.disabled_at
    disabled = None if at is None else {"at": at, "reason": channel.disabled_reason or ""}
    return {
        **settable_fields(channel),
        "id": channel.id,
        "confirmed": channel.confirmed_at is not None if is_email else None,
        "disabled": disabled,
        "created_at": channel.created_at,
        "updated_at": channel.updated_at,
    }


def _masked_url(channel: Channel) -> str | None:
    if channel.kind is ChannelKind.APPRISE:
        return f"{scheme_of(channel.url or '')}://{MASK}"
    return channel.url
