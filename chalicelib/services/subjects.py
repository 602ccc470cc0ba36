"""What an alert still has to tell when its time has come: of whom, of whom not, or not yet."""

from dataclasses import dataclass, field
from enum import Enum

from chalicelib.domain.alerts import Subject
from chalicelib.domain.channels import Channel, Event
from chalicelib.domain.deliveries import (
    Delivery,
    DeliveryStatus,
    minute_of,
    read_reference,
)
from chalicelib.domain.incidents import Incident
from chalicelib.domain.outbox import Entry
from chalicelib.domain.status import FlipKind
from chalicelib.store.deliveries import Deliveries
from chalicelib.store.incidents import Incidents


class _Fate(Enum):
    TELL = "tell"
    DROP = "drop"
    WAIT = "wait"


@dataclass(frozen=True, slots=True)
class Telling:
    """What a delivery comes to: the subjects, the references left out; or that it has to wait."""

    subjects: list[Subject] = field(default_factory=list)
    dropped: frozenset[str] = frozenset()
    must_wait: bool = False


def telling(delivery: Delivery, channel: Channel, now: int) -> Telling:
    """What there is to tell now. Reads the incidents, and for recoveries how the outage went."""
    keys = {reference: read_reference(reference)[0] for reference in delivery.about}
    incidents = Incidents(delivery.owner).some(keys.values())
    judge = _Judge(delivery, channel, now)
    subjects: list[Subject] = []
    dropped: set[str] = set()
    for reference, key in sorted(keys.items()):
        incident = incidents.get(key)
        fate = judge.fate(incident)
        if fate is _Fate.WAIT:
            return Telling(must_wait=True)
        if fate is _Fate.DROP or incident is None:
            dropped.add(reference)
        else:
            subjects.append(_subject(delivery.event, reference, incident))
    return Telling(subjects, frozenset(dropped))


class _Judge:
    """Decides for one delivery which of its flips are told."""

    def __init__(self, delivery: Delivery, channel: Channel, now: int) -> None:
        self._delivery = delivery
        self._channel = channel
        self._now = now
        self._outages: dict[int, list[Delivery]] = {}

    def fate(self, incident: Incident | None) -> _Fate:
        if incident is None:
            return _Fate.DROP
        if self._delivery.event is Event.DOWN:
            return _Fate.DROP if _was_short(incident, self._channel) else _Fate.TELL
        if self._delivery.event is Event.REMINDER:
            is_over = incident.closed_at is not None or incident.acknowledgement is not None
            return _Fate.DROP if is_over else _Fate.TELL
        if self._delivery.event is Event.RECOVERED:
            return self._fate_of_outage(incident)
        return _Fate.TELL

    def _fate_of_outage(self, incident: Incident) -> _Fate:
        """The recovery goes where the outage went, and after it."""
        for outage in self._told_at(minute_of(incident.opened_at)):
            found = [one for one in outage.about if read_reference(one)[0] == incident.key]
            if not found:
                continue
            if outage.dropped.issuperset(found):
                return _Fate.DROP
            if outage.status is DeliveryStatus.SENT:
                return _Fate.TELL
            if outage.status is not DeliveryStatus.WAITING:
                return _Fate.DROP
            untried = not outage.tries and not outage.attempts
            return _Fate.DROP if untried and _was_short(incident, self._channel) else _Fate.WAIT
        return _Fate.WAIT

    def _told_at(self, minute: int) -> list[Delivery]:
        if minute not in self._outages:
            deliveries = Deliveries(self._delivery.owner)
            self._outages[minute] = deliveries.of_minute(self._channel.id, minute, Event.DOWN)
        return self._outages[minute]


def _was_short(incident: Incident, channel: Channel) -> bool:
    """Whether it was over before the channel's delay was."""
    closed_at = incident.closed_at
    return closed_at is not None and closed_at < incident.opened_at + channel.delay_s


def _subject(event: Event, reference: str, incident: Incident) -> Subject:
    _, kind, at = read_reference(reference)
    flip = next((e for e in incident.entries if (e.flip.kind, e.flip.at) == (kind, at)), None)
    told = incident.opening if event is Event.REMINDER else flip
    has_incident = told is None or told.flip.opened_at is not None
    return Subject(
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
