"""List, show and acknowledge incidents."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from chalicelib.alerting.channel import Event
from chalicelib.alerting.delivery import Delivery, minute_of, parse_reference
from chalicelib.alerting.incident import (
    Acknowledgement,
    Incident,
    MeanTimes,
    incident_key,
    mean_times,
)
from chalicelib.alerting.storage.delivery_repository import Deliveries
from chalicelib.alerting.storage.incident_repository import Incidents
from chalicelib.common.runtime import BaseRuntime
from chalicelib.monitoring.check_history import Range, page_of_checks
from chalicelib.monitoring.result import Verdict
from chalicelib.monitoring.storage.lane_repository import Lanes
from chalicelib.monitoring.storage.target_repository import Targets

_EVENTS = (Event.DOWN, Event.REMINDER, Event.RECOVERED)
_MAX_CHANNELS = 20
"""How many channels are searched for deliveries of one incident."""
_MAX_READ = 2_000
"""How many incidents are searched for one page."""
_MEANS_DAYS, _MEANS_MAX_INCIDENTS = 30, 1_000
_DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class IncidentDetails:
    """One incident with its deliveries. `last_failed_at` is its newest stored failing check."""

    incident: Incident
    deliveries: list[Delivery]
    last_failed_at: int | None


@dataclass(frozen=True, slots=True)
class IncidentFilter:
    """Which incidents to list; None stands for any."""

    is_open: bool | None = None
    target_id: str | None = None
    tag: str | None = None

    def matches(self, incident: Incident) -> bool:
        return (
            self.is_open in (None, incident.ending is None)
            and self.target_id in (None, incident.target_id)
            and (self.tag is None or self.tag in incident.tags)
        )


def page_of_incidents(
    owner: str, wanted: IncidentFilter, after: str | None, limit: int
) -> tuple[list[Incident], str | None]:
    """Up to `limit` incidents, newest first, and the key to continue after.

    There may be fewer although others follow, because the number of incidents read is limited.
    """
    incidents = Incidents(owner)
    if wanted.is_open:
        listed: Iterable[Incident] = _open_incidents(owner, wanted.target_id, after)
    elif wanted.target_id:
        listed = incidents.of_target(wanted.target_id, after)
    else:
        listed = incidents.newest_first(after)
    found: list[Incident] = []
    for number, incident in enumerate(listed, 1):
        if wanted.matches(incident):
            if len(found) == limit:
                return found, found[-1].key
            found.append(incident)
        if number == _MAX_READ:
            return found, incident.key
    return found, None


def incident_details(runtime: BaseRuntime, owner: str, incident_id: str) -> IncidentDetails:
    """An incident with its deliveries; raises NotFoundError."""
    incident = Incidents(owner).get(incident_id)
    return IncidentDetails(incident, _deliveries(incident), _last_failed_at(runtime, incident))


def acknowledge(owner: str, incident_id: str, given: Acknowledgement) -> Incident:
    """Acknowledge an incident unless it is acknowledged already; raises NotFoundError."""
    incidents = Incidents(owner)
    incidents.acknowledge(incidents.get(incident_id), given)
    return incidents.get(incident_id)


def recent_means(runtime: BaseRuntime, owner: str) -> MeanTimes:
    """Mean times to acknowledge and to resolve the incidents of the last thirty days."""
    start = runtime.now - _MEANS_DAYS * _DAY_S
    recent = Incidents(owner).newest_first(start=start)
    return mean_times(islice(recent, _MEANS_MAX_INCIDENTS))


def _open_incidents(owner: str, target_id: str | None, after: str | None) -> Iterator[Incident]:
    """Find open incidents by the states of the targets, so that closed ones are not read."""
    keys = [
        incident_key(place.target_id, place.state.opened)
        for lane in Lanes(owner).all()
        for place in lane.places.values()
        if place.state.opened is not None and target_id in (None, place.target_id)
    ]
    wanted = sorted((key for key in keys if after is None or key < after), reverse=True)
    found = Incidents(owner).some(wanted)
    return (found[key] for key in wanted if key in found)


def _deliveries(incident: Incident) -> list[Delivery]:
    """The deliveries that report an incident, oldest first."""
    deliveries, found = Deliveries(incident.owner), []
    minutes = {minute_of(entry.flip.at) for entry in incident.entries}
    for channel_id in (incident.channel_ids or ())[:_MAX_CHANNELS]:
        for minute in minutes:
            for event in _EVENTS:
                found += deliveries.of_minute(channel_id, minute, event)
    reporting = [one for one in found if _reports(one, incident.key)]
    return sorted(reporting, key=lambda delivery: (delivery.due_at, delivery.key))


def _reports(delivery: Delivery, key: str) -> bool:
    references = delivery.about - delivery.dropped
    return any(parse_reference(reference)[0] == key for reference in references)


def _last_failed_at(runtime: BaseRuntime, incident: Incident) -> int | None:
    target = Targets(incident.owner).some([incident.target_id]).get(incident.target_id)
    if target is None:
        return None
    end = runtime.now + 1 if incident.closed_at is None else incident.closed_at
    period = Range(incident.first_failed_at, max(end, incident.first_failed_at))
    checks, _ = page_of_checks(runtime, target, period, Verdict.DOWN, None, 1)
    return checks[0].tick if checks else None
