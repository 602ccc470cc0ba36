"""The content of a delivery when it is sent: which of its flips to report, skip or hold.

A delivery may be sent long after its flips, and not in their order. Therefore it names each target
once and reports what holds when it is sent.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from typing import NamedTuple

from chalicelib.alerting.alert import AlertedTarget
from chalicelib.alerting.channel import EVENTS, Channel, Event, event_of
from chalicelib.alerting.delivery import (
    LEASE_S,
    Delivery,
    DeliveryStatus,
    Hold,
    flip_reference,
    minute_of,
    parse_reference,
    refers_to_opening,
)
from chalicelib.alerting.incident import ENDS, Incident
from chalicelib.alerting.reported_targets import alerted_target, latest_flips, target_id_of
from chalicelib.alerting.storage.delivery_repository import Deliveries
from chalicelib.alerting.storage.incident_repository import Incidents
from chalicelib.alerting.suppression import Suppression
from chalicelib.monitoring.alert_messages import Entry
from chalicelib.monitoring.state import FlipKind

_WAITING = DeliveryStatus.WAITING
_NOTICES = frozenset({Event.DEGRADED, Event.TLS_EXPIRING, Event.UP})


_SOON_S = 30
"""Longer than an attempt takes."""


class _Told(NamedTuple):
    """A flip in a delivery."""

    at: int
    is_end: bool
    kind: str


class _Decision(Enum):
    SEND = "send"
    DROP = "drop"
    WAIT = "wait"


@dataclass(frozen=True, slots=True)
class AlertContent:
    """The targets that a delivery reports and the flip references that it drops.

    Of the dropped references, `held` are those whose targets are in maintenance, and `waiting`
    those that cannot be sent before `waits_until`, when another alert is attempted.
    """

    targets: list[AlertedTarget] = field(default_factory=list)
    dropped: frozenset[str] = frozenset()
    held: Mapping[str, Hold] = field(default_factory=dict)
    waiting: frozenset[str] = frozenset()
    waits_until: int = 0


def alert_content(
    delivery: Delivery, channel: Channel, now: int, moved: frozenset[str]
) -> AlertContent:
    """Decide what to send now; `moved` are references that another delivery has taken over.

    Reads the incidents, the maintenance windows and other deliveries of the channel.
    """
    about = delivery.about - delivery.dropped - moved
    keys = {reference: parse_reference(reference)[0] for reference in about}
    incidents = Incidents(delivery.owner).some(keys.values())
    flip_filter = _FlipFilter(delivery, channel, now)
    reported: dict[str, Incident] = {}
    held: dict[str, Hold] = {}
    waiting: set[str] = set()
    for reference, key in keys.items():
        incident = incidents.get(key)
        decision = flip_filter.decide(incident, reference)
        if isinstance(decision, Hold):
            held[reference] = decision
        elif decision is _Decision.WAIT:
            waiting.add(reference)
        elif decision is _Decision.SEND and incident:
            reported[reference] = incident
    latest = latest_flips(reported)
    if delivery.event is Event.DOWN:
        # An outage that the target's next one hides is over, and so its end is not reported either.
        shown = {keys[one] for one in latest}
        reported = {one: incident for one, incident in reported.items() if keys[one] in shown}
    targets = [
        alerted_target(delivery.event, one, reported[one], flip_filter.told_later(one))
        for one in latest
    ]
    dropped = delivery.about - set(reported)
    return AlertContent(targets, dropped, held, frozenset(waiting), flip_filter.waits_until)


class _FlipFilter:
    """Decides for one delivery which of its flips are reported."""

    def __init__(self, delivery: Delivery, channel: Channel, now: int) -> None:
        self._delivery = delivery
        self._channel = channel
        self._now = now
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

    def told_later(self, reference: str) -> FlipKind | None:
        """The latest flip that the channel was notified of, if it is later than this one."""
        key, _, at = parse_reference(reference)
        latest = self._latest_told.get(target_id_of(key))
        return FlipKind(latest.kind) if latest and latest.at > at else None

    def _is_overtaken(self, reference: str) -> bool:
        """Whether a later flip of the target is just being told, or will be in a moment."""
        key, _, at = parse_reference(reference)
        latest = self._soon_told.get(target_id_of(key))
        return latest is not None and latest.at > at

    @cached_property
    def _others(self) -> list[Delivery]:
        """The channel's deliveries about flips since the minute of this one."""
        found = Deliveries(self._delivery.owner).since(self._channel.id, self._delivery.minute)
        reported = set(EVENTS) - {Event.REMINDER}
        return [one for one in found if one.event in reported and one.key != self._delivery.key]

    @cached_property
    def _latest_told(self) -> Mapping[str, _Told]:
        """The latest flip that was told of each target."""
        return _latest_in(filter(_is_sent, self._others))

    @cached_property
    def _soon_told(self) -> Mapping[str, _Told]:
        """The latest flip that is about to be told of each target."""
        soon = self._now + _SOON_S
        return _latest_in(
            one for one in self._others if one.status is _WAITING and one.next_at <= soon
        )

    def _without_maintenance(self, incident: Incident, reference: str) -> _Decision:
        if self._delivery.event is Event.DOWN:
            return self._about_outage(incident, reference)
        if self._delivery.event is Event.REMINDER:
            is_over = incident.closed_at is not None or incident.acknowledgement is not None
            return _Decision.DROP if is_over else _Decision.SEND
        if self._delivery.event is Event.RECOVERED:
            is_repeated = self._is_repeated_end(incident, reference)
            return _Decision.DROP if is_repeated else self._about_end(incident, reference)
        # A notice is only news if nothing later is known.
        is_old = self.told_later(reference) or self._is_overtaken(reference)
        return _Decision.DROP if is_old else _Decision.SEND

    def _about_outage(self, incident: Incident, reference: str) -> _Decision:
        """Report a later flip of an outage too, unless the alert of its beginning does that."""
        if _was_short(incident, self._channel):
            return _Decision.DROP
        if refers_to_opening(reference):
            return _Decision.SEND
        openings = [
            outage
            for outage in self._outages_of(minute_of(incident.opened_at))
            if outage.key != self._delivery.key and _reports_opening(outage, incident)
        ]
        is_over = incident.closed_at is not None and any(map(_is_sent, openings))
        is_told = any(_is_composed_after(one, self._delivery.created_at) for one in openings)
        return _Decision.DROP if is_over or is_told else _Decision.SEND

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

    def _about_end(self, incident: Incident, reference: str) -> _Decision:
        """Let an alert of the target's next outage pass, so that this one can mention it."""
        decision = self._follow_outage(incident)
        if decision is _Decision.SEND and self._is_overtaken(reference):
            return _Decision.WAIT
        return decision

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
        if _is_untried(outage) and _was_short(incident, self._channel):
            return _Decision.DROP
        self.waits_until = max(self.waits_until, outage.next_at)
        return _Decision.WAIT

    def _outages_of(self, minute: int) -> list[Delivery]:
        if minute not in self._outages:
            deliveries = Deliveries(self._delivery.owner)
            self._outages[minute] = deliveries.of_minute(self._channel.id, minute, Event.DOWN)
        return self._outages[minute]


def _latest_in(deliveries: Iterable[Delivery]) -> dict[str, _Told]:
    """The latest reported flip of each target. Of two at the same time it is the incident's end."""
    latest: dict[str, _Told] = {}
    for delivery in deliveries:
        for key, kind, at in map(parse_reference, delivery.about - delivery.dropped):
            flip = _Told(at, kind in ENDS, kind)
            latest[target_id_of(key)] = max(flip, latest.get(target_id_of(key), flip))
    return latest


def _is_sent(delivery: Delivery) -> bool:
    return delivery.status is DeliveryStatus.SENT


def _is_untried(delivery: Delivery) -> bool:
    return delivery.status is _WAITING and not delivery.tries and not delivery.attempts


def _is_composed_after(delivery: Delivery, at: int) -> bool:
    """Whether an alert, sent or about to be sent, knows what was recorded by then."""
    if _is_sent(delivery):
        return delivery.attempts[-1].at > at
    return _is_untried(delivery) or delivery.leased_until - LEASE_S > at


def _reports_opening(outage: Delivery, incident: Incident) -> bool:
    return any(
        parse_reference(one)[0] == incident.key and refers_to_opening(one)
        for one in outage.about - outage.dropped
    )


def _was_short(incident: Incident, channel: Channel) -> bool:
    """Whether the incident closed within the channel's delay."""
    closed_at = incident.closed_at
    return closed_at is not None and closed_at < incident.opened_at + channel.delay_s
