"""Messages for deliveries. SQS delays one by at most 15 minutes; longer waits take several."""

from collections.abc import Iterable

from chalicelib.alerting.channel import ChannelKind
from chalicelib.alerting.delivery import Delivery
from chalicelib.alerting.runtime import AlertingRuntime
from chalicelib.aws.sqs import Message
from chalicelib.monitoring.alert_messages import DeliverJob

_MAX_DELAY_S = 900


def send_deliveries(runtime: AlertingRuntime, deliveries: Iterable[Delivery]) -> None:
    """Send a message for each delivery that arrives when it is due, or after the longest delay."""
    for delivery in deliveries:
        delay_s = min(max(delivery.next_at - runtime.now, 0), _MAX_DELAY_S)
        runtime.alerts.send([Message(_job(delivery).to_json(), delay_s=delay_s)])


def send_to_dead_letters(runtime: AlertingRuntime, delivery: Delivery) -> None:
    """Send a failed delivery to the dead letters, from where an operator can retry it."""
    runtime.alerts_dead.send([Message(_job(delivery, again=True).to_json())])


def _job(delivery: Delivery, *, again: bool = False) -> DeliverJob:
    is_chat = delivery.kind is ChannelKind.APPRISE
    return DeliverJob(delivery.owner, delivery.key, again=again, is_chat=is_chat)
