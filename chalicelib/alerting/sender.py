"""One try at one delivery: claim it, say what there is to say, keep what came of it.

A try that dies leaves a lease, which runs out; the message then comes again and the receiver sees
the same id. Only one lease holds at a time, so doubled messages do not double an alert.
"""

import logging
import random

from chalicelib.alerting.alert import MAX_ALERTED_TARGETS, Alert
from chalicelib.alerting.channel import Channel, Event
from chalicelib.alerting.content import AlertContent, alert_content
from chalicelib.alerting.delivery import (
    LASTS_S,
    Attempt,
    Delivery,
    DeliveryStatus,
    next_attempt,
    read_reference,
)
from chalicelib.alerting.delivery_queue import bury, send_deliveries
from chalicelib.alerting.notifiers import outcome as notifiers
from chalicelib.alerting.reminders import remind_later
from chalicelib.alerting.runtime import AlertingRuntime
from chalicelib.alerting.storage.channel_repository import Channels
from chalicelib.alerting.storage.delivery_repository import Deliveries, Outcome
from chalicelib.common.errors import NotFoundError
from chalicelib.common.metrics import metric_fields
from chalicelib.monitoring.alert_messages import DeliverJob

_LOG = logging.getLogger(__name__)
_WAIT_S = 30
"""How long a recovery waits for its outage to have been told."""
_LOOK_AGAIN_S = 300
"""How long a maintenance that was ended early may hold an alert."""
_REST_S = 900
"""How long an alert waits for its owner to be enabled again, before it looks once more."""


class BusyError(Exception):
    """Somebody else is at it, or was when it died: the message has to come again."""


def deliver(runtime: AlertingRuntime, job: DeliverJob) -> None:
    """Do what a message asks for; raises BusyError. Harmless for a delivery that is done."""
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
            bury(runtime, delivery)
        return
    if delivery.status is not DeliveryStatus.WAITING:
        return
    if delivery.next_at > runtime.now:
        send_deliveries(runtime, [delivery])
        return
    claimed = deliveries.claim(job.key, runtime.now)
    if claimed is None:
        raise BusyError(job.key)
    _try(runtime, claimed)


def _try(runtime: AlertingRuntime, delivery: Delivery) -> None:
    outcome = _outcome(runtime, delivery)
    if not Deliveries(delivery.owner).finish(delivery, outcome):
        raise BusyError(delivery.key)
    if outcome.status is DeliveryStatus.FAILED:
        bury(runtime, delivery)
    if outcome.status is DeliveryStatus.WAITING:
        after = Deliveries(delivery.owner).get(delivery.key)
        send_deliveries(runtime, [after] if after else [])
    told = {"owner": delivery.owner, "event": delivery.event, "status": outcome.status}
    counted = metric_fields(
        runtime.settings,
        runtime.clock(),
        AlertsSent=int(outcome.status is DeliveryStatus.SENT),
        AlertsFailed=int(outcome.status is DeliveryStatus.FAILED),
    )
    _LOG.info("delivery", extra={**told, **counted, "tries": delivery.tries})


def _outcome(runtime: AlertingRuntime, delivery: Delivery) -> Outcome:
    try:
        channel = Channels(delivery.owner).get(delivery.channel_id)
    except NotFoundError:
        return Outcome(DeliveryStatus.SKIPPED)
    if channel.rests:
        return _waiting(runtime, delivery, _REST_S)
    told = _telling(runtime, delivery, channel)
    unsent = _not_now(runtime, delivery, told)
    if unsent:
        return unsent
    if told.held:
        apart = Deliveries(delivery.owner).hold_apart(delivery, channel, told.held, runtime.now)
        send_deliveries(runtime, apart)
    sent = runtime.notifiers.send(_alert(delivery, told), channel, runtime.now)
    attempt = Attempt(runtime.now, sent.status_code, sent.reason)
    if sent.is_sent:
        remind_later(runtime, delivery, channel, told.dropped)
        return Outcome(DeliveryStatus.SENT, attempt, dropped=told.dropped)
    return _failed(runtime, delivery, sent, attempt)


def _not_now(runtime: AlertingRuntime, delivery: Delivery, told: AlertContent) -> Outcome | None:
    """What becomes of a delivery that has nothing to tell now; None for one that has."""
    if told.must_wait:
        return _waiting(runtime, delivery, _WAIT_S)
    if told.subjects or delivery.event is Event.TEST:
        return None
    if not told.held:
        return Outcome(DeliveryStatus.SKIPPED, dropped=told.dropped)
    # The maintenance may be made to end sooner: look now and then.
    first = min(told.held.values(), key=lambda held: held.due)
    at = min(first.due, runtime.now + _LOOK_AGAIN_S)
    return Outcome(DeliveryStatus.WAITING, next_at=at, held=first)


def _waiting(runtime: AlertingRuntime, delivery: Delivery, wait_s: int) -> Outcome:
    """Later, untried; and not at all where it has waited for a day."""
    at = runtime.now + wait_s
    if at < delivery.due_at + LASTS_S:
        return Outcome(DeliveryStatus.WAITING, next_at=at)
    return Outcome(DeliveryStatus.SKIPPED)


def _failed(
    runtime: AlertingRuntime, delivery: Delivery, sent: notifiers.Outcome, attempt: Attempt
) -> Outcome:
    chance = random.random()  # noqa: S311 - spreads tries
    at = next_attempt(delivery.tries, delivery.due_at, runtime.now, chance, sent.retry_at)
    if sent.is_permanent or at is None:
        return Outcome(DeliveryStatus.FAILED, attempt)
    return Outcome(DeliveryStatus.WAITING, attempt, next_at=at)


def _telling(runtime: AlertingRuntime, delivery: Delivery, channel: Channel) -> AlertContent:
    if delivery.event is Event.TEST:
        return AlertContent()
    moved = Deliveries(delivery.owner).held_apart(delivery)
    return alert_content(delivery, channel, runtime.now, moved)


def _alert(delivery: Delivery, told: AlertContent) -> Alert:
    outages = delivery.event is Event.DOWN
    if delivery.event is Event.TEST:
        at = delivery.minute
    else:
        at = max(read_reference(one)[2] for one in delivery.about - told.dropped)
    return Alert(
        id=delivery.id,
        event=delivery.event,
        at=at,
        subjects=told.subjects[:MAX_ALERTED_TARGETS],
        count=len(told.subjects),
        late=outages and all(subject.until is not None for subject in told.subjects),
    )
