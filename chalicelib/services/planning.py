"""From flips to incidents and deliveries: who is told of what, and when.

Everything here may happen twice, in part, or in another order: incidents are sets of flips, and a
flip is in one delivery for each channel.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from chalicelib.domain.alerts import line
from chalicelib.domain.channels import Channel, Event, event_of
from chalicelib.domain.deliveries import Delivery, Due, minute_of, reference
from chalicelib.domain.incidents import is_opening
from chalicelib.domain.outbox import Entry, FlipsJob
from chalicelib.domain.targets import Target
from chalicelib.services.hops import send_deliveries
from chalicelib.services.runtime import Runtime
from chalicelib.store.channels import Channels
from chalicelib.store.deliveries import Deliveries
from chalicelib.store.incidents import Incidents
from chalicelib.store.targets import Targets

_Batch = tuple[str, Event, int]


class TooEarlyError(Exception):
    """A flip came before the one that opened its incident: it has to come again."""


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


def plan_alerts(runtime: Runtime, job: FlipsJob) -> None:
    """Record the flips in their incidents and have every channel concerned told.

    Raises TooEarlyError where a flip cannot be told yet, after all others are seen to.
    """
    targets = Targets(job.owner).some({entry.target_id for entry in job.entries})
    channels = {channel.id: channel for channel in Channels(job.owner).all()}
    plan, early = _Plan(), 0
    for entry in sorted(job.entries, key=lambda entry: entry.flip.at):
        told = _record(job.owner, entry, targets.get(entry.target_id), channels.values())
        event = event_of(entry)
        if told is None:
            early += 1
        elif event:
            for channel in [channels[one] for one in told if one in channels]:
                if channel.wants(event):
                    plan.add(channel, event, entry)
    send_deliveries(runtime, _joined(runtime, job.owner, plan, channels))
    if early:
        raise TooEarlyError(f"{early} flips came before the one that opened their incident")


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
    runtime: Runtime, owner: str, plan: _Plan, channels: Mapping[str, Channel]
) -> list[Delivery]:
    joined: list[Delivery] = []
    for batch, about in plan.about.items():
        channel_id, event, minute = batch
        due = Due(minute, len(about), runtime.now, plan.ripe_at[batch])
        joined += Deliveries(owner).join(channels[channel_id], event, frozenset(about), due)
    return joined
