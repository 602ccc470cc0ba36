"""Disable channels whose receivers respond with 410 (Gone), and tell their owners."""

from dataclasses import replace
from typing import Final

from chalicelib.access.audit import Actor, recorded_as
from chalicelib.alerting.channel import Channel, Event
from chalicelib.alerting.delivery import minute_of
from chalicelib.alerting.delivery_queue import send_deliveries
from chalicelib.alerting.runtime import AlertingRuntime
from chalicelib.alerting.storage.channel_repository import Channels
from chalicelib.alerting.storage.delivery_repository import Deliveries, Slot
from chalicelib.aws.sqs import Message
from chalicelib.common.errors import NotFoundError
from chalicelib.monitoring.alert_messages import DisableJob

_GONE: Final = "the receiver responded with 410 (Gone)"


def request_disabling(runtime: AlertingRuntime, channel: Channel) -> None:
    """Send a message to disable the channel, unless it is changed before it arrives.

    A message, because it survives a crash, and because the function for chat services may not write
    channels.
    """
    job = DisableJob(channel.owner, channel.id, channel.version, _GONE)
    runtime.alerts.send([Message(job.to_json())])


def disable_channel(runtime: AlertingRuntime, job: DisableJob) -> None:
    """Disable the channel and alert the owner's other channels. Idempotent.

    Raises TransactionConflictError if the channel is being changed by somebody else.
    """
    channels = Channels(job.owner)
    try:
        channel = channels.get(job.channel_id)
    except NotFoundError:
        return
    if channel.version == job.version and channel.disabled_at is None:
        channel = _disabled(runtime, channel, job.reason)
    if channel.disabled_at is None or channel.version != job.version + 1:
        return  # somebody has changed it since the response
    others = [one for one in channels.all() if not one.unusable]
    _tell(runtime, channel, channel.disabled_at, others)


def _disabled(runtime: AlertingRuntime, channel: Channel, reason: str) -> Channel:
    after = replace(
        channel,
        disabled_at=runtime.now,
        disabled_reason=reason,
        version=channel.version + 1,
        updated_at=runtime.now,
    )
    with recorded_as(Actor("Monitum", "", "", "", runtime.clock())):
        Channels(channel.owner).change(channel, after, "channel.disabled")
    return after


def _tell(
    runtime: AlertingRuntime, channel: Channel, disabled_at: int, others: list[Channel]
) -> None:
    deliveries, about = Deliveries(channel.owner), frozenset({channel.id})
    minute, now = minute_of(disabled_at), runtime.now
    slots = [Slot(one, Event.CHANNEL_DISABLED, minute, channel.id) for one in others]
    send_deliveries(runtime, [deliveries.put(slot, about, due=now, now=now) for slot in slots])
