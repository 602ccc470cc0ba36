"""Find overdue deliveries and send messages for them.

A delivery is attempted when its message in SQS arrives. If the message is lost, or the tables were
restored, nothing else would attempt it, and the recovery that waits for it would never be sent.
"""

from typing import Final

from chalicelib.alerting.channel import ChannelKind
from chalicelib.alerting.storage.delivery_repository import waiting_deliveries
from chalicelib.aws.runtime import AwsRuntime
from chalicelib.aws.sqs import Message
from chalicelib.aws.tenancy import acting_as_system
from chalicelib.monitoring.alert_messages import DeliverJob

_GRACE_S: Final = 1_200
"""SQS may delay a message by 900 s, and it may have to wait for a function after that."""
_END_OF_TIME: Final = 2**40


def send_overdue(runtime: AwsRuntime) -> int:
    """Send a message for each delivery that is overdue; returns their number.

    Duplicate messages are harmless, because only one attempt at a time can claim a delivery.
    """
    return _send(runtime, runtime.now - _GRACE_S)


def send_all_waiting(runtime: AwsRuntime) -> int:
    """Send a message for every waiting delivery, due or not, after a stage was restored."""
    return _send(runtime, _END_OF_TIME)


def _send(runtime: AwsRuntime, due_before: int) -> int:
    with acting_as_system():
        found = list(waiting_deliveries(due_before))
    jobs = [
        DeliverJob(one.owner, one.key, is_chat=one.kind is ChannelKind.APPRISE) for one in found
    ]
    runtime.alerts.send(Message(job.to_json()) for job in jobs)
    return len(jobs)
