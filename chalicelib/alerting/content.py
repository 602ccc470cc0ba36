"""The content of a delivery when it is sent: which of its flips to report, skip or hold."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from chalicelib.alerting.alert import AlertedTarget
from chalicelib.alerting.channel import Channel, Event, event_of
from chalicelib.alerting.delivery import (
    Delivery,
    DeliveryStatus,
    Hold,
    flip_reference,
    minute_of,
    parse_reference,
)
from chalicelib.alerting.incident import ENDS, Incident
from chalicelib.alerting.storage.delivery_repository import Deliveries
from chalicelib.alerting.storage.incident_repository import Incidents
from chalicelib.alerting.suppression import Suppression
from chalicelib.common.url_keys import mask_keys
from chalicelib.monitoring.alert_messages import Entry
from chalicelib.monitoring.state import FlipKind

_WAITING = DeliveryStatus.WAITING
_NOTICES = frozenset({Event.DEGRADED, Event.TLS_EXPIRING, Event.UP})


class _Decision(Enum):
    SEND = "send"
    DROP = "drop"
    WAIT = "wait"


@dataclass(frozen=True, slots=True)
class AlertContent:
    """The targets that a delivery reports and the flip references that it drops.

    `waits_until`: nothing can be sent before the outages' alert, which is attempted at that time.
    `held` are the dropped references whose targets are in maintenance.
    """

    targets: list[AlertedTarget] = field(default_factory=list)
    dropped: frozenset[str] = frozenset()
    waits_until: int | None = None
    held: Mapping[str, Hold] = field(default_factory=dict)


def alert_content(
    delivery: Delivery, channel: Channel, now: int, moved: frozenset[str]
) -> AlertContent:
    """Decide what to send now; `moved` are references that another delivery has taken over.

    Reads the incidents and maintenance windows and, for recoveries, the deliveries of the outage.
    """
    about = delivery.about - delivery.dropped - moved
    keys = {reference: parse_reference(reference)[0] for reference in about}
    incidents = Incidents(delivery.owner).some(keys.values())
    flip_filter = _FlipFilter(delivery, channel, now)
    targets: dict[str, AlertedTarget] = {}
    held: dict[str, Hold] = {}
    for reference, key in sorted(keys.items()):
        incident = incidents.get(key)
        decision = flip_filter.decide(incident, reference)
        if isinstance(decision, Hold):
            held[reference] = decision
        elif decision is _Decision.WAIT:
            return AlertContent(waits_until=flip_filter.waits_until)
        elif decision is _Decision.SEND and incident:
            targets[reference] = _alerted_target(delivery.event, reference, incident)
    return AlertContent(list(targets.values()), delivery.about - set(targets), held=held)


class _FlipFilter:
    """Decides for one delivery which of its flips are reported."""

    def __init__(self, delivery: Delivery, channel: Channel, now: int) -> None:
        self._delivery = delivery
        self._channel = channel
        self._outages: dict[int, list[Delivery]] = {}
        self._suppression = Suppression(delivery.owner, now)
        self.waits_until = now

    def decide(self, incident: Incident | None, reference: str) -> "_Decision | Hold":
        """Decide about one flip. Maintenance holds it, but drops outages that ended within it."""
        if incident is None:
            return _Decision.DROP
        decision = self._without_maintenance(incident, reference)
        if decision is _Decision.DROP:
            return decision
        event, held_until = self._delivery.event, self._delivery.held_until
        if event is Event.DOWN and self._suppression.is_within(incident, held_until):
            return _Decision.DROP
        if hold := self._suppression.hold(incident):
            return hold
        if held_until and event in _NOTICES and self._suppression.is_outdated(incident):
            return _Decision.DROP
        return decision

    def _without_maintenance(self, incident: Incident, reference: str) -> _Decision:
        if self._delivery.event is Event.DOWN:
            return _Decision.DROP if _was_short(incident, self._channel) else _Decision.SEND
        if self._delivery.event is Event.REMINDER:
            is_over = incident.closed_at is not None or incident.acknowledgement is not None
            return _Decision.DROP if is_over else _Decision.SEND
        if self._delivery.event is Event.RECOVERED:
            is_repeated = self._is_repeated_end(incident, reference)
            return _Decision.DROP if is_repeated else self._follow_outage(incident)
        return _Decision.SEND

    def _is_repeated_end(self, incident: Incident, reference: str) -> bool:
        """Whether the channel is notified of another end of the incident.

        An incident ends twice if a pause and a recovery coincide, or if a restored lane is older
        than the incident.
        """
        at = parse_reference(reference)[2]
        others = [
            (entry, other)
            for entry in incident.entries
            if entry.flip.kind in ENDS and (other := flip_reference(entry)) != reference
        ]
        return any(
            self._notifies_of_end(entry, other, is_first=entry.flip.at < at)
            for entry, other in others
        )

    def _notifies_of_end(self, end: Entry, reference: str, *, is_first: bool) -> bool:
        """Whether this end was sent to the channel, or will be because it is the first one."""
        deliveries = Deliveries(self._delivery.owner)
        minute = minute_of(end.flip.at)
        return any(
            reference in one.about - one.dropped
            and (one.status is DeliveryStatus.SENT or (is_first and one.status is _WAITING))
            for one in deliveries.of_minute(self._channel.id, minute, Event.RECOVERED)
        )

    def _follow_outage(self, incident: Incident) -> _Decision:
        """Send a recovery only where its outage was sent, and only after all alerts of it."""
        flips = [entry.flip.at for entry in incident.entries if event_of(entry) is Event.DOWN]
        minutes = sorted({minute_of(at) for at in (incident.opened_at, *flips)})
        outages = [outage for minute in minutes for outage in self._outages_of(minute)]
        found = [self._follow(outage, incident) for outage in outages]
        for decision in (_Decision.WAIT, _Decision.SEND, _Decision.DROP):
            if decision in found:
                return decision
        return _Decision.WAIT

    def _follow(self, outage: Delivery, incident: Incident) -> _Decision | None:
        """What an alert of the outage means for the recovery; None if it does not report it."""
        found = [one for one in outage.about if parse_reference(one)[0] == incident.key]
        if not found:
            return None
        if outage.dropped.issuperset(found):
            # Maintenance may have held it; then another delivery reports it.
            return _Decision.DROP
        if outage.status is not _WAITING:
            return _Decision.SEND if outage.status is DeliveryStatus.SENT else _Decision.DROP
        untried = not outage.tries and not outage.attempts
        if untried and _was_short(incident, self._channel):
            return _Decision.DROP
        self.waits_until = max(self.waits_until, outage.next_at)
        return _Decision.WAIT

    def _outages_of(self, minute: int) -> list[Delivery]:
        if minute not in self._outages:
            deliveries = Deliveries(self._delivery.owner)
            self._outages[minute] = deliveries.of_minute(self._channel.id, minute, Event.DOWN)
        return self._outages[minute]


def _was_short(incident: Incident, channel: Channel) -> bool:
    """Whether the incident closed within the channel's delay."""
    closed_at = incident.closed_at
    return closed_at is not None and closed_at < incident.opened_at + channel.delay_s


def _alerted_target(event: Event, reference: str, incident: Incident) -> AlertedTarget:
    _, kind, at = parse_reference(reference)
    flip = next((e for e in incident.entries if (e.flip.kind, e.flip.at) == (kind, at)), None)
    entry = incident.opening if event is Event.REMINDER else flip
    if entry is None:
        status = "DOWN"
    elif entry.flip.kind is FlipKind.FLAPPING:
        status = "FLAPPING"
    elif entry.flip.kind is FlipKind.CANCELLED and event is Event.RECOVERED and incident.ended_as:
        status = str(incident.ended_as).upper()
    else:
        status = str(entry.flip.to_status)
    has_incident = entry is None or entry.flip.opened_at is not None
    return AlertedTarget(
        target_id=incident.target_id,
        name=mask_keys(incident.target_name),
        url=mask_keys(incident.target_url),
        status=status,
        since=incident.first_failed_at,
        until=incident.closed_at,
        incident_id=incident.id if has_incident else None,
        reason=entry.flip.reason if entry else None,
        error=mask_keys(entry.error) if entry and entry.error else None,
        status_code=entry.status_code if entry else None,
    )
