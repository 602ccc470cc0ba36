"""Reminders: an outage told once is told again until it is over or somebody looks after it."""

from chalicelib.alerting.channel import Channel, Event
from chalicelib.alerting.delivery import Delivery, is_beginning
from chalicelib.alerting.delivery_queue import send_deliveries
from chalicelib.alerting.runtime import AlertingRuntime
from chalicelib.alerting.storage.delivery_repository import Deliveries, Slot

_REPEATED = (Event.DOWN, Event.REMINDER)


def remind_later(
    runtime: AlertingRuntime, delivery: Delivery, channel: Channel, dropped: frozenset[str]
) -> None:
    """Have what was told now told again after the channel's `repeat_s`, if it has one.

    Whether there is still something to tell is seen when the time has come. An incident that begins
    to flap while it is open is told of once more, but reminded of by its beginning alone.
    """
    if delivery.event not in _REPEATED:
        return
    about = frozenset(filter(is_beginning, delivery.about - dropped))
    if not (about and channel.repeat_s and channel.wants(Event.REMINDER)):
        return
    slot = Slot(channel, Event.REMINDER, delivery.minute, _next_serial(delivery))
    due = runtime.now + channel.repeat_s
    reminder = Deliveries(delivery.owner).put(slot, about, due=due, now=runtime.now)
    send_deliveries(runtime, [reminder])


def _next_serial(delivery: Delivery) -> str:
    """The first reminder of delivery 0 is `0.00001`; then `0.00002`."""
    place, _, number = delivery.serial.partition(".")
    return f"{place}.{int(number or 0) + 1:05d}"
