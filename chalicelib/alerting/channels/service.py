"""What owners do with their channels."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from chalicelib.access.quotas import ATTEMPTS, back_off, raise_if_exceeded
from chalicelib.access.usage import TransactionConflictError, UsageChange, used
from chalicelib.alerting.channel import EVENTS, ROTATION_S, Channel, ChannelKind, Event
from chalicelib.alerting.delivery import Delivery, minute_of
from chalicelib.alerting.delivery_queue import send_deliveries
from chalicelib.alerting.notifiers.apprise_services import SERVICES, scheme_of
from chalicelib.alerting.runtime import AlertingRuntime
from chalicelib.alerting.storage.channel_repository import Channels
from chalicelib.alerting.storage.delivery_repository import Deliveries, Slot
from chalicelib.common.errors import ConflictError, Fault, InvalidError, NotFoundError
from chalicelib.common.ids import new_id
from chalicelib.probes.net.urls import BadUrl

_BUSY = "the channel is being changed by others; try again"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelDraft:
    """A channel as its owner describes it, valid by the schema."""

    name: str
    kind: ChannelKind
    url: str | None = None
    address: str | None = None
    events: Sequence[Event] = EVENTS
    delay_s: int = 0
    repeat_s: int | None = None
    tags: Sequence[str] = ()


def create(
    runtime: AlertingRuntime,
    owner: str,
    draft: ChannelDraft,
    channel_id: str | None = None,
    quota: int | None = None,
) -> Channel:
    """Store a new channel; a webhook gets its signing secret.

    `quota` is how many the owner may have, by default the stage's. Raises InvalidError for what
    could never be reached, QuotaError beyond the quota.
    """
    _admit(runtime, draft)
    now = runtime.now
    channel = _described(
        Channel(
            owner=owner,
            id=channel_id or new_id(runtime.clock()),
            name="",
            kind=draft.kind,
            created_at=now,
            updated_at=now,
        ),
        draft,
    )
    if channel.kind is ChannelKind.WEBHOOK:
        channel = replace(channel, secret=_new_secret())
    return _add(channel, runtime.settings.limits.quota_channels if quota is None else quota)


def _add(channel: Channel, quota: int) -> Channel:
    """Store it, or find it stored by another who was asked for the same."""
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
    raise ConflictError("too many channels are being made at once; try again")


def remove(owner: str, channel_id: str, allow: Callable[[Channel], None]) -> None:
    """Delete the channel, if `allow` does not raise: nothing is sent to it any more.

    Raises NotFoundError.
    """
    channels = Channels(owner)
    for attempt in range(ATTEMPTS):
        before = channels.get(channel_id)
        allow(before)
        try:
            channels.remove(before, UsageChange("channels", -1))
        except TransactionConflictError:
            back_off(attempt)
            continue
        return
    raise ConflictError(_BUSY)


def change(
    runtime: AlertingRuntime,
    owner: str,
    channel_id: str,
    redraft: Callable[[Channel], ChannelDraft],
) -> Channel:
    """Make the channel what `redraft` says of it as it is now; raises NotFoundError, InvalidError.

    A new address has to be confirmed again. Where it is so already, its version stays.
    """

    def changed(before: Channel) -> Channel:
        draft = redraft(before)
        _admit(runtime, draft)
        after = _described(before, draft)
        is_same = after.address == before.address
        return replace(after, confirmed_at=before.confirmed_at if is_same else None)

    return _persistently(runtime, owner, channel_id, changed)


def rotate_secret(runtime: AlertingRuntime, owner: str, channel_id: str) -> Channel:
    """Sign with a new secret, for a day with the old one too; raises NotFoundError, ConflictError.

    Until the day is over the new one is not replaced: receivers may know no other than the old.
    """

    def rotated(before: Channel) -> Channel:
        if before.kind is not ChannelKind.WEBHOOK:
            raise ConflictError("only webhooks are signed")
        if runtime.now < before.old_until:
            raise ConflictError("the secret was changed within the last day")
        until = runtime.now + ROTATION_S
        return replace(before, secret=_new_secret(), old_secret=before.secret, old_until=until)

    return _persistently(runtime, owner, channel_id, rotated, "channel.secret_rotated")


def send_test(runtime: AlertingRuntime, owner: str, channel_id: str) -> Delivery:
    """Have a test alert delivered, at most one a minute; raises NotFoundError."""
    channel = Channels(owner).get(channel_id)
    slot = Slot(channel, Event.TEST, minute_of(runtime.now), "0")
    delivery = Deliveries(owner).put(slot, frozenset({"test"}), due=runtime.now, now=runtime.now)
    send_deliveries(runtime, [delivery])
    return delivery


def page_of_channels(owner: str, after: str | None, limit: int) -> tuple[list[Channel], str | None]:
    """Up to `limit` channels after the id `after`, oldest first, and the id to go on from."""
    left = [one for one in Channels(owner).all() if after is None or one.id > after]
    return left[:limit], left[limit - 1].id if len(left) > limit else None


def page_of_deliveries(
    owner: str, channel_id: str, after: str | None, limit: int
) -> tuple[list[Delivery], str | None]:
    """Up to `limit` deliveries of a channel, newest first, and the key to go on from."""
    found: list[Delivery] = []
    for delivery in Deliveries(owner).newest_first(channel_id, after):
        found.append(delivery)
        if len(found) == limit:
            return found, delivery.key
    return found, None


def admit_channels(owner: str, wanted: Sequence[str], before: Sequence[str] = ()) -> None:
    """Refuse channels that the owner has not; raises InvalidError, naming each.

    One that a target has already may have been deleted since.
    """
    if set(wanted) <= set(before):
        return
    known = {channel.id for channel in Channels(owner).all()} | set(before)
    faults = tuple(
        Fault(("body", "channel_ids", place), "there is no such channel")
        for place, channel_id in enumerate(wanted)
        if channel_id not in known
    )
    if faults:
        raise InvalidError("the body does not fit the schema", faults)


def _persistently(
    runtime: AlertingRuntime,
    owner: str,
    channel_id: str,
    changed: Callable[[Channel], Channel],
    action: str = "channel.changed",
) -> Channel:
    channels = Channels(owner)
    for attempt in range(ATTEMPTS):
        before = channels.get(channel_id)
        described = changed(before)
        if described == before:
            return before
        after = replace(described, version=before.version + 1, updated_at=runtime.now)
        try:
            channels.change(before, after, action)
        except TransactionConflictError:
            back_off(attempt)
            continue
        return after
    raise ConflictError(_BUSY)


def _described(channel: Channel, draft: ChannelDraft) -> Channel:
    return replace(
        channel,
        name=draft.name,
        url=draft.url,
        address=draft.address,
        events=tuple(event for event in EVENTS if event in draft.events),
        delay_s=draft.delay_s,
        repeat_s=draft.repeat_s,
        tags=tuple(draft.tags),
    )


def _admit(runtime: AlertingRuntime, draft: ChannelDraft) -> None:
    """Refuse what could never be reached; raises InvalidError, naming the field."""
    fault = None
    if draft.kind is ChannelKind.WEBHOOK:
        fault = _webhook_fault(runtime, draft.url or "")
    elif draft.kind is ChannelKind.APPRISE:
        fault = _service_fault(runtime, draft.url or "")
    if fault:
        raise InvalidError("alerts can not be sent there", (Fault(("body", "url"), fault),))


def _webhook_fault(runtime: AlertingRuntime, url: str) -> str | None:
    try:
        runtime.guard.validate_url(url)
    except BadUrl as error:
        return str(error)
    return None


def _service_fault(runtime: AlertingRuntime, url: str) -> str | None:
    if scheme_of(url) not in SERVICES:
        return f"the URL must begin with one of {', '.join(f'{one}://' for one in SERVICES)}"
    from chalicelib.alerting.notifiers.apprise import first_url  # noqa: PLC0415 - heavy, and rarely needed

    where = first_url(url)
    if where is None:
        return "the URL lacks something that its service needs"
    return _webhook_fault(runtime, where)


def _new_secret() -> str:
    from chalicelib.alerting.notifiers.webhook import new_secret  # noqa: PLC0415 - see above

    return new_secret()
