"""From flips to incidents and deliveries: who is told of what, and when.

Everything here may happen twice, in part, or in another order: incidents are sets of flips, and a
flip is in one delivery for each channel.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from chalicelib.alerting.alert import line
from chalicelib.alerting.channel import Channel, Event, event_of
from chalicelib.alerting.delivery import Delivery, Due, minute_of, reference
from chalicelib.alerting.delivery_queue import send_deliveries
from chalicelib.alerting.incident import is_opening
from chalicelib.alerting.runtime import AlertingRuntime
from chalicelib.alerting.storage.channel_repository import Channels
from chalicelib.alerting.storage.delivery_repository import Deliveries
from chalicelib.alerting.storage.incident_repository import Incidents
from chalicelib.aws.sqs import Message
from chalicelib.monitoring.alert_messages import Entry, FlipsJob
from chalicelib.monitoring.storage.target_repository import Targets
from chalicelib.monitoring.target import Target

_Batch = tuple[str, Event, int]


_DAY_S = 86_400
_SOONEST_S, _LATEST_S = 10, 900


class OrphanError(Exception):
    """Flips of incidents whose opening has not come within a day."""


@dataclass
class _Plan:
    """What is to be delivered: flips by channel, event and minute; `ripe_at` when each batch is."""

    about: dict[_Batch, set[str]] = field(default_factory=lambda: defaultdict(set))
    ripe_at: dict[_Batch, int] = field(default_factory=lambda: defaultdict(int))

    def add(self, channel: Channel, event: Event, entry: Entry) -> None:
        batch = (channel.id, event, minute_of(entry.flip.at))
        self.about[batch].add(reference(entry))
        delay_s = channel.delay_s if is_opening(entry) else 0
        if delay_s:
            self.ripe_at[batch] = max(self.ripe_at[batch], entry.flip.at + delay_s)


def plan_alerts(runtime: AlertingRuntime, job: FlipsJob) -> None:
    """Record the flips in their incidents and have every channel concerned told.

    Flips that came before the one that opened their incident come again, after pauses that grow
    with their age; raises OrphanError where they are a day old, after all others are seen to.
    """
    targets = Targets(job.owner).some({entry.target_id for entry in job.entries})
    channels = {channel.id: channel for channel in Channels(job.owner).all()}
    plan, early = _Plan(), []
    for entry in sorted(job.entries, key=lambda entry: entry.flip.at):
        told = _record(job.owner, entry, targets.get(entry.target_id), channels.values())
        event = event_of(entry)
        if told is None:
            early.append(entry)
        elif event:
            for channel in [channels[one] for one in told if one in channels]:
                if channel.wants(event):
                    plan.add(channel, event, entry)
    send_deliveries(runtime, _joined(runtime, job.owner, plan, channels))
    if early:
        _postpone(runtime, replace(job, entries=early))


def _postpone(runtime: AlertingRuntime, job: FlipsJob) -> None:
    """Have flips come again: soon while they are young, as their opening is on its way too.

    Not left to the queue, which counts to a few and makes dead letters: the opening may wait for
    its lane to be checked again, and that is up to the interval.
    """
    age = runtime.now - min(entry.flip.at for entry in job.entries)
    if age >= _DAY_S:
        raise OrphanError(f"{len(job.entries)} flips of incidents that never opened")
    wait = min(max(age, _SOONEST_S), _LATEST_S)
    runtime.alerts.send([Message(job.to_json(), delay_s=wait)])


def _record(
    owner: str, entry: Entry, target: Target | None, channels: Iterable[Channel]
) -> Sequence[str] | None:
    """Keep the flip; returns the ids of the channels that it goes to, None where that is open."""
    has_incident = entry.flip.opened_at is not None
    event = event_of(entry)
    decided = None
    if event and (is_opening(entry) or not has_incident):
        decided = [one.id for one in channels if one.wants(event) and _covers(one, target)]
    incident = Incidents(owner).record(
        entry,
        name=line(target.name if target else entry.name or entry.target_id),
        is_named=bool(target or entry.name),
        url=line(target.url if target else "", 300),
        told=decided,
        target=target,
    )
    return incident.told if has_incident else decided


def _covers(channel: Channel, target: Target | None) -> bool:
    if target is None:
        return not channel.tags
    return channel.covers(target.tags, target.channel_ids)


def _joined(
    runtime: AlertingRuntime, owner: str, plan: _Plan, channels: Mapping[str, Channel]
) -> list[Delivery]:
    joined: list[Delivery] = []
    for batch, about in plan.about.items():
        channel_id, event, minute = batch
        due = Due(minute, len(about), runtime.now, plan.ripe_at[batch])
        joined += Deliveries(owner).join(channels[channel_id], event, frozenset(about), due)
    return joined
