"""Finds deliveries whose time has passed, and sends messages for them.

A delivery lives by its message in SQS. After a restore, or if the queue loses one, nothing else
would attempt it again, and the recovery that waits for it would wait for ever.
"""

from typing import Final

from chalicelib.alerting.channel import ChannelKind
from chalicelib.alerting.storage.delivery_repository import waiting_deliveries
from chalicelib.aws.runtime import AwsRuntime
from chalicelib.aws.sqs import Message
from chalicelib.aws.tenancy import acting_as_system
from chalicelib.monitoring.alert_messages import DeliverJob

_GRACE_S: Final = 1_200
"""A message may be hidden for 900 s before an attempt, and wait for a function after that."""
_END_OF_TIME: Final = 2**40


def send_overdue(runtime: AwsRuntime) -> int:
    """Send a message for each delivery that is overdue; returns their number.

    A message too many does no harm: a delivery is claimed by one attempt at a time.
    """
    return _send(runtime, runtime.now - _GRACE_S)


def send_all_waiting(runtime: AwsRuntime) -> int:
    """Send a message for each delivery that waits, due or not: those of a restored stage."""
    return _send(runtime, _END_OF_TIME)


def _send(runtime: AwsRuntime, due_before: int) -> int:
    with acting_as_system():
        found = list(waiting_deliveries(due_before))
    jobs = [
        DeliverJob(one.owner, one.key, is_chat=one.kind is ChannelKind.APPRISE) for one in found
    ]
    runtime.alerts.send(Message(job.to_json()) for job in jobs)
    return len(jobs)
