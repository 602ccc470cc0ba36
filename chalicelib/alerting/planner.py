"""Turn flips into incidents and deliveries: which channels are notified of what, and when.

Messages may be processed twice, in part or out of order. That is harmless, because incidents are
sets of flips and each flip is in one delivery per channel.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from chalicelib.alerting.alert import one_line
from chalicelib.alerting.channel import Channel, Event, event_of
from chalicelib.alerting.delivery import Delivery, Due, flip_reference, minute_of
from chalicelib.alerting.delivery_queue import send_deliveries
from chalicelib.alerting.incident import is_opening
from chalicelib.alerting.runtime import AlertingRuntime
from chalicelib.alerting.storage.channel_repository import Channels
from chalicelib.alerting.storage.delivery_repository import Deliveries
from chalicelib.alerting.storage.incident_repository import Incidents
from chalicelib.aws.sqs import Message
from chalicelib.common.url_keys import mask_keys
from chalicelib.monitoring.alert_messages import Entry, FlipsJob
from chalicelib.monitoring.storage.target_repository import Targets
from chalicelib.monitoring.target import Target

_Batch = tuple[str, Event, int]
_DAY_S = 86_400
_MIN_DELAY_S, _MAX_DELAY_S = 10, 900


class OrphanError(Exception):
    """Flips of incidents whose opening has not arrived within a day."""


@dataclass
class _Plan:
    """The flip references of each batch (channel id, event, minute), and its earliest time."""

    about: dict[_Batch, set[str]] = field(default_factory=lambda: defaultdict(set))
    not_before: dict[_Batch, int] = field(default_factory=lambda: defaultdict(int))

    def add(self, channel: Channel, event: Event, entry: Entry) -> None:
        batch = (channel.id, event, minute_of(entry.flip.at))
        self.about[batch].add(flip_reference(entry))
        if event is Event.DOWN and entry.flip.opened_at is not None:
            delayed = entry.flip.opened_at + channel.delay_s
            self.not_before[batch] = max(self.not_before[batch], delayed)


def plan_alerts(runtime: AlertingRuntime, job: FlipsJob) -> None:
    """Record the flips in their incidents and send deliveries to the channels they notify.

    Flips that arrive before the opening of their incident are retried later, with pauses that grow
    with their age. Raises OrphanError when they are a day old, after processing all other flips.
    """
    targets = Targets(job.owner).some({entry.target_id for entry in job.entries})
    channels = {channel.id: channel for channel in Channels(job.owner).all()}
    plan, early = _Plan(), []
    for entry in sorted(job.entries, key=lambda entry: entry.flip.at):
        target, event = targets.get(entry.target_id), event_of(entry)
        channel_ids = _record(job.owner, entry, target, channels.values())
        if channel_ids is None:
            early.append(entry)
        elif event:
            for channel in [channels[one] for one in channel_ids if one in channels]:
                if channel.wants(event):
                    plan.add(channel, event, entry)
    deliveries: list[Delivery] = []
    for batch, about in plan.about.items():
        channel_id, event, minute = batch
        due = Due(minute, len(about), runtime.now, plan.not_before[batch])
        deliveries += Deliveries(job.owner).join(channels[channel_id], event, frozenset(about), due)
    send_deliveries(runtime, deliveries)
    if early:
        _postpone(runtime, replace(job, entries=early))


def _postpone(runtime: AlertingRuntime, job: FlipsJob) -> None:
    """Send the flips again: soon while they are young, because their opening is on its way too.

    SQS's own retries would run out and produce dead letters: the opening may wait for the next
    check of its lane, and so for up to the interval.
    """
    age = runtime.now - min(entry.flip.at for entry in job.entries)
    if age >= _DAY_S:
        raise OrphanError(f"{len(job.entries)} flips of incidents that never opened")
    delay_s = min(max(age, _MIN_DELAY_S), _MAX_DELAY_S)
    runtime.alerts.send([Message(job.to_json(), delay_s=delay_s)])


def _record(
    owner: str, entry: Entry, target: Target | None, channels: Iterable[Channel]
) -> Sequence[str] | None:
    """Store the flip; returns the ids of the channels to notify, None while that is undecided."""
    has_incident = entry.flip.opened_at is not None
    event = event_of(entry)
    decided = None
    if event and (is_opening(entry) or not has_incident):
        decided = [one.id for one in channels if one.wants(event) and _covers(one, target)]
    incident = Incidents(owner).record(
        entry,
        name=one_line(target.name if target else entry.name or entry.target_id),
        is_named=bool(target or entry.name),
        url=one_line(mask_keys(target.url) if target else "", 300),
        channel_ids=decided,
        target=target,
    )
    return incident.channel_ids if has_incident else decided


def _covers(channel: Channel, target: Target | None) -> bool:
    if target is None:
        return not channel.tags
    return channel.covers(target.tags, target.channel_ids)
