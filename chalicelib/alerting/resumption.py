"""Send what has waited for a channel that can be used again."""

from itertools import takewhile
from typing import Final

from chalicelib.alerting.channel import Channel, Event
from chalicelib.alerting.delivery import Delivery, DeliveryStatus, parse_reference
from chalicelib.alerting.delivery_queue import send_deliveries
from chalicelib.alerting.runtime import AlertingRuntime
from chalicelib.alerting.storage.delivery_repository import Deliveries
from chalicelib.alerting.storage.incident_repository import Incidents

_LOOK_BACK_S: Final = 7 * 86_400


def resume_deliveries(runtime: AlertingRuntime, channel: Channel) -> None:
    """Attempt the channel's waiting deliveries now, and skipped ones whose outage goes on."""
    deliveries = Deliveries(channel.owner)
    start = runtime.now - _LOOK_BACK_S
    recent = takewhile(lambda one: one.minute >= start, deliveries.newest_first(channel.id))
    wanted = [one for one in recent if _is_wanted(one, runtime.now)]
    reopened = [deliveries.reopen(one, runtime.now) for one in wanted]
    send_deliveries(runtime, filter(None, reopened))


def _is_wanted(delivery: Delivery, now: int) -> bool:
    if delivery.status is DeliveryStatus.WAITING:
        return delivery.due_at <= now
    if delivery.status is not DeliveryStatus.SKIPPED or delivery.event is not Event.DOWN:
        return False
    keys = {parse_reference(one)[0] for one in delivery.about - delivery.dropped}
    incidents = Incidents(delivery.owner).some(keys).values()
    return any(incident.closed_at is None for incident in incidents)
