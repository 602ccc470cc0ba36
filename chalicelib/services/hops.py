"""Messages for deliveries: SQS keeps one hidden for 15 minutes, so longer waits take several."""

from collections.abc import Iterable

from chalicelib.domain.channels import ChannelKind
from chalicelib.domain.deliveries import Delivery
from chalicelib.domain.outbox import DeliverJob
from chalicelib.services.runtime import Runtime
from chalicelib.store.queues import Message, Queue

_LONGEST_S = 900


def send_deliveries(runtime: Runtime, deliveries: Iterable[Delivery]) -> None:
    """Have each delivery looked at when it is due, or as late as a message can wait."""
    for delivery in deliveries:
        job = DeliverJob(delivery.owner, delivery.key)
        wait = min(max(delivery.next_at - runtime.now, 0), _LONGEST_S)
        _queue(runtime, delivery.kind).send([Message(job.to_json(), delay_s=wait)])


def bury(runtime: Runtime, delivery: Delivery) -> None:
    """Put a delivery that is given up among the dead letters; from there it can be tried anew."""
    job = DeliverJob(delivery.owner, delivery.key, again=True)
    dead = runtime.notices_dead if _is_chat(delivery.kind) else runtime.alerts_dead
    dead.send([Message(job.to_json())])


def _queue(runtime: Runtime, kind: ChannelKind) -> Queue:
    return runtime.notices if _is_chat(kind) else runtime.alerts


def _is_chat(kind: ChannelKind) -> bool:
    return kind is ChannelKind.APPRISE
