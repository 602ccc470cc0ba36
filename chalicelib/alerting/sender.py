"""One attempt at one delivery: claim it, compose the alert, send it, store the outcome.

A crashed attempt leaves a lease that expires; the message is then received again, and the receiver
sees the same alert id. Only one attempt holds the lease, so duplicate messages do not send an alert
twice.
"""

import logging
import random
from collections import defaultdict
from dataclasses import replace

from chalicelib.alerting.alert import Alert, DisabledChannel
from chalicelib.alerting.channel import EVENTS, Channel, Event
from chalicelib.alerting.content import AlertContent, alert_content
from chalicelib.alerting.delivery import (
    RETRY_FOR_S,
    Attempt,
    Delivery,
    DeliveryStatus,
    Hold,
    flip_reference,
    minute_of,
    next_attempt,
    parse_reference,
    refers_to_opening,
)
from chalicelib.alerting.delivery_queue import send_deliveries, send_to_dead_letters
from chalicelib.alerting.disabling import request_disabling
from chalicelib.alerting.notifiers import SendResult
from chalicelib.alerting.runtime import AlertingRuntime
from chalicelib.alerting.stale import stale_content
from chalicelib.alerting.storage.channel_repository import Channels
from chalicelib.alerting.storage.delivery_repository import Deliveries, Outcome, Slot
from chalicelib.alerting.storage.incident_repository import Incidents
from chalicelib.common.errors import NotFoundError
from chalicelib.common.metrics import metric_fields
from chalicelib.monitoring.alert_messages import DeliverJob

_LOG = logging.getLogger(__name__)
_OUTAGE_RECHECK_S = 30
"""How long a recovery waits before it checks again whether its outage was sent."""
_MAINTENANCE_RECHECK_S = 300
"""How long an alert may still be held after a maintenance that was ended early."""
_UNUSABLE_RECHECK_S = 900
"""How long an alert of an unusable channel waits before it checks the channel again."""
_SETTLE_S = 5
"""How long after an attempt for an outage its recovery looks for the result."""


class BusyError(Exception):
    """Another attempt holds the lease, or crashed with it: the message has to be retried."""


def deliver(runtime: AlertingRuntime, job: DeliverJob) -> None:
    """Attempt a delivery; raises BusyError. Does nothing if it was sent already."""
    deliveries = Deliveries(job.owner)
    delivery = deliveries.get(job.key)
    if delivery is None:
        _LOG.warning("no such delivery", extra={"owner": job.owner})
        return
    if delivery.status is DeliveryStatus.FAILED:
        if job.again:
            deliveries.reopen(delivery, runtime.now)
            deliver(runtime, DeliverJob(job.owner, job.key))
        else:
            _give_up(runtime, delivery)
        return
    if delivery.status is not DeliveryStatus.WAITING:
        return
    if delivery.next_at > runtime.now:
        send_deliveries(runtime, [delivery])
        return
    claimed = deliveries.claim(job.key, runtime.now)
    if claimed is None:
        raise BusyError(job.key)
    _attempt(runtime, claimed)


def _attempt(runtime: AlertingRuntime, delivery: Delivery) -> None:
    outcome = _outcome(runtime, delivery)
    if not Deliveries(delivery.owner).finish(delivery, outcome):
        raise BusyError(delivery.key)
    if outcome.status is DeliveryStatus.FAILED:
        _give_up(runtime, delivery)
    if outcome.status is DeliveryStatus.WAITING:
        after = Deliveries(delivery.owner).get(delivery.key)
        send_deliveries(runtime, [after] if after else [])
    fields = {"owner": delivery.owner, "event": delivery.event, "status": outcome.status}
    metrics = metric_fields(
        runtime.settings,
        runtime.clock(),
        AlertsSent=int(outcome.status is DeliveryStatus.SENT),
        AlertsFailed=int(outcome.status is DeliveryStatus.FAILED),
    )
    _LOG.info("delivery", extra={**fields, **metrics, "tries": delivery.tries})


def _give_up(runtime: AlertingRuntime, delivery: Delivery) -> None:
    if delivery.event is not Event.TEST:
        send_to_dead_letters(runtime, delivery)


def _outcome(runtime: AlertingRuntime, delivery: Delivery) -> Outcome:
    deliveries = Deliveries(delivery.owner)
    try:
        channel = Channels(delivery.owner).get(delivery.channel_id)
    except NotFoundError:
        return Outcome(DeliveryStatus.SKIPPED)
    if channel.unusable:
        return _unusable(runtime, delivery, channel.unusable)
    content = AlertContent()
    if delivery.event is Event.STALE:
        content = stale_content(delivery, runtime.now)
    elif delivery.event in EVENTS:
        moved = deliveries.moved_flips(delivery)
        content = alert_content(delivery, channel, runtime.now, moved)
    unsent = _unsent(runtime, delivery, content)
    if unsent:
        return unsent
    held = deliveries.split_held(delivery, channel, content.held, runtime.now)
    later = Hold(0, _recheck_at(runtime, content))
    held += deliveries.split_waiting(
        delivery, channel, dict.fromkeys(content.waiting, later), runtime.now
    )
    send_deliveries(runtime, held)
    return _send(runtime, delivery, channel, content)


def _send(
    runtime: AlertingRuntime, delivery: Delivery, channel: Channel, content: AlertContent
) -> Outcome:
    alert = _alert(delivery, content, runtime.settings.public_url)
    if alert is None:
        return Outcome(DeliveryStatus.SKIPPED)
    result = runtime.notifiers.send(alert, channel, runtime.now)
    attempt = Attempt(runtime.now, result.status_code, result.reason)
    if result.is_sent:
        _schedule_recoveries(runtime, delivery, channel, content)
        _schedule_reminder(runtime, delivery, channel, content.dropped)
        return Outcome(DeliveryStatus.SENT, attempt, dropped=content.dropped)
    if result.is_gone:
        request_disabling(runtime, channel)
    failed = _failed(runtime, delivery, result, attempt)
    # Stored, because the flips that were moved out may not be sent from here as well.
    return replace(failed, dropped=frozenset(content.held) | content.waiting)


def _unsent(runtime: AlertingRuntime, delivery: Delivery, content: AlertContent) -> Outcome | None:
    """The outcome of a delivery that has nothing to send now; None if it has."""
    if content.targets or delivery.event not in EVENTS:
        return None
    if content.waiting:
        wait_s = _recheck_at(runtime, content) - runtime.now
        return _postponed(runtime, delivery, wait_s, Outcome(DeliveryStatus.SKIPPED))
    if not content.held:
        return Outcome(DeliveryStatus.SKIPPED, dropped=content.dropped)
    # The maintenance may be changed to end sooner, so check from time to time.
    first = min(content.held.values(), key=lambda held: held.due)
    at = min(first.due, runtime.now + _MAINTENANCE_RECHECK_S)
    return Outcome(DeliveryStatus.WAITING, next_at=at, held=first)


def _recheck_at(runtime: AlertingRuntime, content: AlertContent) -> int:
    return max(runtime.now + _OUTAGE_RECHECK_S, content.waits_until + _SETTLE_S)


def _unusable(runtime: AlertingRuntime, delivery: Delivery, reason: str) -> Outcome:
    """Wait until the channel can be used, which may be up to its owner; a test does not wait."""
    skipped = Outcome(DeliveryStatus.SKIPPED, Attempt(runtime.now, reason=reason))
    if delivery.event is Event.TEST:
        return skipped
    return _postponed(runtime, delivery, _UNUSABLE_RECHECK_S, skipped)


def _postponed(
    runtime: AlertingRuntime, delivery: Delivery, wait_s: int, skipped: Outcome
) -> Outcome:
    """Wait without an attempt; skip the delivery after a day."""
    at = runtime.now + wait_s
    if at < delivery.due_at + RETRY_FOR_S:
        return Outcome(DeliveryStatus.WAITING, next_at=at)
    return skipped


def _failed(
    runtime: AlertingRuntime, delivery: Delivery, result: SendResult, attempt: Attempt
) -> Outcome:
    chance = random.random()  # noqa: S311 - jitter
    at = next_attempt(delivery.tries, delivery.due_at, runtime.now, chance, result.retry_at)
    if at is None:
        return Outcome(DeliveryStatus.FAILED, attempt)
    return Outcome(DeliveryStatus.WAITING, attempt, next_at=at)


def _alert(delivery: Delivery, content: AlertContent, public_url: str) -> Alert | None:
    """The alert to send; None if it reports a channel that has been enabled since."""
    at, disabled = delivery.minute, None
    if delivery.event is Event.CHANNEL_DISABLED:
        disabled = _disabled_channel(delivery)
        if disabled is None:
            return None
    elif delivery.event is not Event.TEST:
        at = max(parse_reference(one)[2] for one in delivery.about - content.dropped)
    is_outage = delivery.event is Event.DOWN
    return Alert(
        id=delivery.id,
        event=delivery.event,
        at=at,
        targets=content.targets,
        late=is_outage and all(target.until is not None for target in content.targets),
        disabled=disabled,
        public_url=public_url,
    )


def _disabled_channel(delivery: Delivery) -> DisabledChannel | None:
    (channel_id,) = delivery.about
    try:
        channel = Channels(delivery.owner).get(channel_id)
    except NotFoundError:
        return None
    if channel.disabled_at is None:
        return None
    return DisabledChannel(channel.id, channel.name, channel.disabled_reason or "")


def _schedule_recoveries(
    runtime: AlertingRuntime, delivery: Delivery, channel: Channel, content: AlertContent
) -> None:
    """Report also the ends of the outages just sent, if they were dropped.

    The end of an outage usually waits for this alert. It was dropped if the alert had been given up
    and is now retried by an operator or for a channel that can be used again.
    """
    is_late = any(target.until is not None for target in content.targets)
    if delivery.event is not Event.DOWN or not is_late or not channel.wants(Event.RECOVERED):
        return
    keys = {parse_reference(one)[0] for one in delivery.about - content.dropped}
    incidents = Incidents(delivery.owner).some(keys).values()
    ends: dict[int, set[str]] = defaultdict(set)
    for end in [incident.ending for incident in incidents if incident.ending]:
        ends[minute_of(end.flip.at)].add(flip_reference(end))
    for minute, about in ends.items():
        slot = Slot(channel, Event.RECOVERED, minute, "r")
        renewed = Deliveries(delivery.owner).renew(slot, frozenset(about), runtime.now)
        send_deliveries(runtime, renewed)


def _schedule_reminder(
    runtime: AlertingRuntime, delivery: Delivery, channel: Channel, dropped: frozenset[str]
) -> None:
    """Schedule a reminder of the outages just sent, after the channel's `repeat_s` if it has one.

    Whether they are still open is checked when the reminder is due. A flip to flapping within an
    incident is alerted on, but only the opening of the incident is reminded of.
    """
    if delivery.event not in (Event.DOWN, Event.REMINDER):
        return
    about = frozenset(filter(refers_to_opening, delivery.about - dropped))
    if not (about and channel.repeat_s and channel.wants(Event.REMINDER)):
        return
    # The first reminder of delivery 0 is `0.00001`, the next one `0.00002`.
    number, _, reminders = delivery.serial.partition(".")
    serial = f"{number}.{int(reminders or 0) + 1:05d}"
    slot = Slot(channel, Event.REMINDER, delivery.minute, serial)
    due = runtime.now + channel.repeat_s
    reminder = Deliveries(delivery.owner).put(slot, about, due=due, now=runtime.now)
    send_deliveries(runtime, [reminder])
