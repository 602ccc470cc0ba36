"""Create, change, test and delete channels."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import fields, replace
from itertools import islice
from typing import Any

from chalicelib.access.quotas import ATTEMPTS, back_off, raise_if_exceeded
from chalicelib.access.usage import TransactionConflictError, UsageChange, used
from chalicelib.alerting.alert import AlertedTarget
from chalicelib.alerting.channel import (
    EVENTS,
    ROTATION_S,
    Channel,
    ChannelDraft,
    ChannelKind,
    Event,
)
from chalicelib.alerting.delivery import Delivery, minute_of
from chalicelib.alerting.delivery_queue import send_deliveries
from chalicelib.alerting.notifiers.apprise_services import SERVICES, scheme_of
from chalicelib.alerting.reported_targets import page_of_targets
from chalicelib.alerting.resumption import resume_deliveries
from chalicelib.alerting.runtime import AlertingRuntime
from chalicelib.alerting.storage.channel_repository import Channels
from chalicelib.alerting.storage.delivery_repository import Deliveries, Slot
from chalicelib.alerting.storage.stale_repository import list_owner, unlist_owner
from chalicelib.common.errors import ConflictError, Fault, InvalidError, NotFoundError
from chalicelib.common.ids import new_id
from chalicelib.probes.net.urls import BadUrl

_BUSY = "the channel is being changed by other requests; try again"


def create(
    runtime: AlertingRuntime,
    owner: str,
    draft: ChannelDraft,
    channel_id: str | None = None,
    quota: int | None = None,
) -> Channel:
    """Store a new channel. A webhook gets a signing secret.

    `quota` is the owner's limit, by default the stage's. Raises InvalidError for a URL that can
    never be reached, QuotaError beyond the quota.
    """
    _validate_url(runtime, draft)
    channel = Channel(
        **_fields(draft),
        owner=owner,
        id=channel_id or new_id(runtime.clock()),
        secret=_new_secret() if draft.kind is ChannelKind.WEBHOOK else None,
        created_at=runtime.now,
        updated_at=runtime.now,
    )
    return _add(channel, runtime.settings.limits.quota_channels if quota is None else quota)


def _add(channel: Channel, quota: int) -> Channel:
    """Store the channel, or return it if an earlier attempt of the same request stored it."""
    if Event.STALE in channel.events:
        list_owner(channel.owner)
    channels, usage = Channels(channel.owner), UsageChange("channels", 1, quota)
    for attempt in range(ATTEMPTS):
        try:
            channels.add(channel, usage)
        except TransactionConflictError:
            with suppress(NotFoundError):
                return channels.get(channel.id)
            raise_if_exceeded(usage, used(channel.owner))
            back_off(attempt)
            continue
        return channel
    raise ConflictError("too many channels are being created at once; try again")


def remove(owner: str, channel_id: str, check: Callable[[Channel], None]) -> None:
    """Delete the channel unless `check` raises; raises NotFoundError."""
    channels = Channels(owner)
    for attempt in range(ATTEMPTS):
        before = channels.get(channel_id)
        check(before)
        try:
            channels.remove(before, UsageChange("channels", -1))
        except TransactionConflictError:
            back_off(attempt)
            continue
        if Event.STALE in before.events:
            unlist_owner(owner, channels.all())
        return
    raise ConflictError(_BUSY)


def change(
    runtime: AlertingRuntime,
    owner: str,
    channel_id: str,
    redraft: Callable[[Channel], ChannelDraft],
) -> Channel:
    """Change the channel to what `redraft` returns; raises NotFoundError, InvalidError.

    A new address has to be confirmed again, and a new URL enables the channel. If nothing changes,
    neither does the version.
    """

    def apply(before: Channel) -> Channel:
        draft = redraft(before)
        _validate_url(runtime, draft)
        after = replace(before, **_fields(draft))
        if after.url != before.url:
            after = _enabled(after)
        is_same = after.address == before.address
        return replace(after, confirmed_at=before.confirmed_at if is_same else None)

    return _change(runtime, owner, channel_id, apply)


def enable(runtime: AlertingRuntime, owner: str, channel_id: str) -> Channel:
    """Enable a disabled channel and send the alerts that wait; raises NotFoundError."""
    return _change(runtime, owner, channel_id, _enabled, "channel.enabled")


def rotate_secret(runtime: AlertingRuntime, owner: str, channel_id: str) -> Channel:
    """Sign with a new secret, for a day with the old one too; raises NotFoundError, ConflictError.

    Another rotation within that day is refused: receivers may still know only the old secret.
    """

    def apply(before: Channel) -> Channel:
        if before.kind is not ChannelKind.WEBHOOK:
            raise ConflictError(
                "only webhook channels have a secret; this channel has another `kind`"
            )
        if runtime.now < before.old_until:
            raise ConflictError("the secret was rotated within the last day; try again tomorrow")
        until = runtime.now + ROTATION_S
        return replace(before, secret=_new_secret(), old_secret=before.secret, old_until=until)

    return _change(runtime, owner, channel_id, apply, "channel.secret_rotated")


def send_test(runtime: AlertingRuntime, owner: str, channel_id: str) -> Delivery:
    """Send a test alert, at most one a minute; raises NotFoundError."""
    channel = Channels(owner).get(channel_id)
    slot = Slot(channel, Event.TEST, minute_of(runtime.now), "0")
    delivery = Deliveries(owner).put(slot, frozenset({"test"}), due=runtime.now, now=runtime.now)
    send_deliveries(runtime, [delivery])
    return delivery


def page_of_channels(owner: str, after: str | None, limit: int) -> tuple[list[Channel], str | None]:
    """Up to `limit` channels after the id `after`, oldest first, and the id to continue after."""
    left = [one for one in Channels(owner).all() if after is None or one.id > after]
    return left[:limit], left[limit - 1].id if len(left) > limit else None


def page_of_deliveries(
    owner: str, channel_id: str, after: str | None, limit: int
) -> tuple[list[Delivery], str | None]:
    """Up to `limit` deliveries of a channel, newest first, and the key to continue after."""
    found = list(islice(Deliveries(owner).newest_first(channel_id, after), limit))
    return found, found[-1].key if len(found) == limit else None


def page_of_reported_targets(
    owner: str, channel_id: str, delivery_id: str, after: str | None, limit: int
) -> tuple[list[AlertedTarget], str | None]:
    """Up to `limit` targets of an alert, and the position to continue after.

    Raises NotFoundError.
    """
    delivery = Deliveries(owner).find(channel_id, delivery_id)
    return page_of_targets(delivery, after, limit)


def check_channel_ids(owner: str, wanted: Sequence[str], before: Sequence[str] = ()) -> None:
    """Raise InvalidError, naming each channel id in `wanted` that the owner does not have.

    Those in `before`, which the target has already, may belong to channels deleted since.
    """
    if set(wanted) <= set(before):
        return
    known = {channel.id for channel in Channels(owner).all()} | set(before)
    faults = tuple(
        Fault(("body", "channel_ids", index), "the channel does not exist")
        for index, channel_id in enumerate(wanted)
        if channel_id not in known
    )
    if faults:
        raise InvalidError("the body does not fit the schema", faults)


def _change(
    runtime: AlertingRuntime,
    owner: str,
    channel_id: str,
    apply: Callable[[Channel], Channel],
    action: str = "channel.changed",
) -> Channel:
    channels = Channels(owner)
    for attempt in range(ATTEMPTS):
        before = channels.get(channel_id)
        after = apply(before)
        if after == before:
            return before
        after = replace(after, version=before.version + 1, updated_at=runtime.now)
        if Event.STALE in after.events:
            list_owner(owner)
        try:
            channels.change(before, after, action)
        except TransactionConflictError:
            back_off(attempt)
            continue
        if Event.STALE in before.events and Event.STALE not in after.events:
            unlist_owner(owner, channels.all())
        if before.disabled_at is not None and after.disabled_at is None:
            resume_deliveries(runtime, after)
        return after
    raise ConflictError(_BUSY)


def _enabled(channel: Channel) -> Channel:
    return replace(channel, disabled_at=None, disabled_reason=None)


def _fields(draft: ChannelDraft) -> dict[str, Any]:
    values = {field.name: getattr(draft, field.name) for field in fields(ChannelDraft)}
    events = tuple(event for event in EVENTS if event in draft.events)
    return {**values, "events": events, "tags": tuple(draft.tags)}


def _validate_url(runtime: AlertingRuntime, draft: ChannelDraft) -> None:
    """Raise InvalidError, naming the field, for a URL that can never be reached."""
    fault = None
    if draft.kind is ChannelKind.WEBHOOK:
        fault = _webhook_fault(runtime, draft.url or "")
    elif draft.kind is ChannelKind.APPRISE:
        fault = _service_fault(runtime, draft.url or "")
    if fault:
        raise InvalidError("alerts cannot be sent to this URL", (Fault(("body", "url"), fault),))


def _webhook_fault(runtime: AlertingRuntime, url: str) -> str | None:
    try:
        runtime.guard.validate_url(url)
    except BadUrl as error:
        return str(error)
    return None


def _service_fault(runtime: AlertingRuntime, url: str) -> str | None:
    if scheme_of(url) not in SERVICES:
        return f"must begin with one of {', '.join(f'{one}://' for one in SERVICES)}"
    from chalicelib.alerting.notifiers.apprise import first_url  # noqa: PLC0415 - slow to import, rarely needed

    request_url = first_url(url)
    if request_url is None:
        return "is incomplete; see the documentation of the service at appriseit.com/services"
    return _webhook_fault(runtime, request_url)


def _new_secret() -> str:
    from chalicelib.alerting.notifiers.webhook import new_secret  # noqa: PLC0415 - see above

    return new_secret()
