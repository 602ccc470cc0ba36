"""What an alert still has to tell when its time has come: of whom, of whom not, or not yet."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from chalicelib.alerting.alert import AlertedTarget
from chalicelib.alerting.channel import Channel, Event
from chalicelib.alerting.delivery import Delivery, DeliveryStatus, Hold, minute_of, read_reference
from chalicelib.alerting.incident import ENDS, Incident
from chalicelib.alerting.storage.delivery_repository import Deliveries
from chalicelib.alerting.storage.incident_repository import Incidents
from chalicelib.alerting.suppression import Suppression
from chalicelib.monitoring.alert_messages import Entry
from chalicelib.monitoring.state import Flip, FlipKind

_WAITING = DeliveryStatus.WAITING
_NOTICES = frozenset({Event.DEGRADED, Event.TLS_EXPIRING, Event.UP})


class _Fate(Enum):
    TELL = "tell"
    DROP = "drop"
    WAIT = "wait"


@dataclass(frozen=True, slots=True)
class AlertContent:
    """What a delivery comes to: the subjects, the references left out; or that it has to wait.

    `held` are references of targets in maintenance; they are among what is `dropped`.
    """

    subjects: list[AlertedTarget] = field(default_factory=list)
    dropped: frozenset[str] = frozenset()
    must_wait: bool = False
    held: Mapping[str, Hold] = field(default_factory=dict)


def alert_content(
    delivery: Delivery, channel: Channel, now: int, moved: frozenset[str]
) -> AlertContent:
    """What there is to tell now, but for what was `moved` to another delivery.

    Reads the incidents and windows, and for recoveries how the outage went.
    """
    about = delivery.about - delivery.dropped - moved
    keys = {reference: read_reference(reference)[0] for reference in about}
    incidents = Incidents(delivery.owner).some(keys.values())
    judge = _Judge(delivery, channel, now)
    subjects: dict[str, AlertedTarget] = {}
    held: dict[str, Hold] = {}
    for reference, key in sorted(keys.items()):
        incident = incidents.get(key)
        fate = judge.fate(incident, reference)
        if isinstance(fate, Hold):
            held[reference] = fate
        elif fate is _Fate.WAIT:
            return AlertContent(must_wait=True)
        elif fate is _Fate.TELL and incident:
            subjects[reference] = _subject(delivery.event, reference, incident)
    return AlertContent(list(subjects.values()), delivery.about - set(subjects), held=held)


class _Judge:
    """Decides for one delivery which of its flips are told."""

    def __init__(self, delivery: Delivery, channel: Channel, now: int) -> None:
        self._delivery = delivery
        self._channel = channel
        self._outages: dict[int, list[Delivery]] = {}
        self._quiet = Suppression(delivery.owner, now)

    def fate(self, incident: Incident | None, reference: str) -> "_Fate | Hold":
        """What becomes of a flip; in maintenance it is held, but for outages that are over."""
        fate = self._fate_if_not_quiet(incident, reference)
        if fate is _Fate.DROP or incident is None:
            return _Fate.DROP
        is_down, held_until = self._delivery.event is Event.DOWN, self._delivery.held_until
        if is_down and self._quiet.is_within(incident, held_until):
            return _Fate.DROP
        if hold := self._quiet.hold(incident):
            return hold
        if held_until and self._delivery.event in _NOTICES and self._quiet.is_outdated(incident):
            return _Fate.DROP
        return fate

    def _fate_if_not_quiet(self, incident: Incident | None, reference: str) -> _Fate:
        if incident is None:
            return _Fate.DROP
        if self._delivery.event is Event.DOWN:
            return _Fate.DROP if _was_short(incident, self._channel) else _Fate.TELL
        if self._delivery.event is Event.REMINDER:
            is_over = incident.closed_at is not None or incident.acknowledgement is not None
            return _Fate.DROP if is_over else _Fate.TELL
        if self._delivery.event is Event.RECOVERED:
            is_repeated = self._is_repeated_end(incident, reference)
            return _Fate.DROP if is_repeated else self._fate_of_outage(incident)
        return _Fate.TELL

    def _is_repeated_end(self, incident: Incident, reference: str) -> bool:
        """Whether another alert of this channel tells that the incident ended, before this one.

        An incident ends twice where a pause meets a recovery, or a restored lane is older than it.
        """
        _, kind, at = read_reference(reference)
        others = [
            entry.flip
            for entry in incident.entries
            if entry.flip.kind in ENDS and (entry.flip.kind, entry.flip.at) != (kind, at)
        ]
        return any(self._tells_end(incident, other, is_first=other.at < at) for other in others)

    def _tells_end(self, incident: Incident, end: Flip, *, is_first: bool) -> bool:
        """Whether the channel was told of this end, or will be where that is the first one."""
        name = f"{incident.key}|{end.kind}|{end.at}"
        deliveries = Deliveries(self._delivery.owner)
        return any(
            name in one.about - one.dropped
            and (one.status is DeliveryStatus.SENT or (is_first and one.status is _WAITING))
            for one in deliveries.of_minute(self._channel.id, minute_of(end.at), Event.RECOVERED)
        )

    def _fate_of_outage(self, incident: Incident) -> _Fate:
        """The recovery goes where the outage went, and after it."""
        is_dropped = False
        for outage in self._told_at(minute_of(incident.opened_at)):
            found = [one for one in outage.about if read_reference(one)[0] == incident.key]
            if not found:
                continue
            if outage.dropped.issuperset(found):
                # It may have been held, and then be in another one.
                is_dropped = True
                continue
            if outage.status is DeliveryStatus.SENT:
                return _Fate.TELL
            if outage.status is not DeliveryStatus.WAITING:
                return _Fate.DROP
            untried = not outage.tries and not outage.attempts
            return _Fate.DROP if untried and _was_short(incident, self._channel) else _Fate.WAIT
        return _Fate.DROP if is_dropped else _Fate.WAIT

    def _told_at(self, minute: int) -> list[Delivery]:
        if minute not in self._outages:
            deliveries = Deliveries(self._delivery.owner)
            self._outages[minute] = deliveries.of_minute(self._channel.id, minute, Event.DOWN)
        return self._outages[minute]


def _was_short(incident: Incident, channel: Channel) -> bool:
    """Whether it was over before the channel's delay was."""
    closed_at = incident.closed_at
    return closed_at is not None and closed_at < incident.opened_at + channel.delay_s


def _subject(event: Event, reference: str, incident: Incident) -> AlertedTarget:
    _, kind, at = read_reference(reference)
    flip = next((e for e in incident.entries if (e.flip.kind, e.flip.at) == (kind, at)), None)
    told = incident.opening if event is Event.REMINDER else flip
    has_incident = told is None or told.flip.opened_at is not None
    return AlertedTarget(
        target_id=incident.target_id,
        name=incident.target_name,
        url=incident.target_url,
        status=_status(event, told, incident),
        since=incident.opened_at,
        until=incident.closed_at,
        incident_id=incident.id if has_incident else None,
        reason=told.flip.reason if told else None,
        error=told.error if told else None,
        status_code=told.status_code if told else None,
    )


def _status(event: Event, told: Entry | None, incident: Incident) -> str:
    if told is None:
        return "DOWN"
    if told.flip.kind is FlipKind.FLAPPING:
        return "FLAPPING"
    if event is Event.RECOVERED and incident.ended_as and told.flip.kind is FlipKind.CANCELLED:
        return str(incident.ended_as).upper()
    return str(told.flip.to_status)
