"""Messages for deliveries: SQS keeps one hidden for 15 minutes, so longer waits take several."""

from collections.abc import Iterable

from chalicelib.alerting.channel import ChannelKind
from chalicelib.alerting.delivery import Delivery
from chalicelib.alerting.runtime import AlertingRuntime
from chalicelib.aws.sqs import Message
from chalicelib.monitoring.alert_messages import DeliverJob

_LONGEST_S = 900


def send_deliveries(runtime: AlertingRuntime, deliveries: Iterable[Delivery]) -> None:
    """Have each delivery looked at when it is due, or as late as a message can wait."""
    for delivery in deliveries:
        wait = min(max(delivery.next_at - runtime.now, 0), _LONGEST_S)
        runtime.alerts.send([Message(_job(delivery).to_json(), delay_s=wait)])


def bury(runtime: AlertingRuntime, delivery: Delivery) -> None:
    """Put a delivery that is given up among the dead letters; from there it can be tried anew."""
    runtime.alerts_dead.send([Message(_job(delivery, again=True).to_json())])


def _job(delivery: Delivery, *, again: bool = False) -> DeliverJob:
    is_chat = delivery.kind is ChannelKind.APPRISE
    return DeliverJob(delivery.owner, delivery.key, again=again, is_chat=is_chat)
