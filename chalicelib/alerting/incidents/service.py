"""Incidents for their owners: lists, one with all that happened, and acknowledging."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from chalicelib.alerting.channel import Event
from chalicelib.alerting.delivery import Delivery, minute_of, read_reference
from chalicelib.alerting.incident import Acknowledgement, Incident, MeanTimes, incident_key, means
from chalicelib.alerting.storage.delivery_repository import Deliveries
from chalicelib.alerting.storage.incident_repository import Incidents
from chalicelib.common.runtime import BaseRuntime
from chalicelib.monitoring.check_history import Range, page_of_checks
from chalicelib.monitoring.result import Verdict
from chalicelib.monitoring.storage.lane_repository import Lanes
from chalicelib.monitoring.storage.target_repository import Targets

_EVENTS = (Event.DOWN, Event.REMINDER, Event.RECOVERED)
_MOST_CHANNELS = 20
"""Channels whose deliveries a story looks for."""
_MEANS_DAYS, _MEANS_MOST = 30, 1_000
_DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class IncidentDetails:
    """One incident with its deliveries; `last_failed_at` is its newest failing check, if kept."""

    incident: Incident
    deliveries: list[Delivery]
    last_failed_at: int | None


def page_of_incidents(
    owner: str, target_id: str | None, after: str | None, limit: int, *, only_open: bool
) -> tuple[list[Incident], str | None]:
    """Up to `limit` incidents, newest first, and the key to go on from."""
    incidents = Incidents(owner)
    if only_open:
        listed: Iterable[Incident] = _open(owner, target_id, after)
    elif target_id:
        listed = incidents.of_target(target_id, after)
    else:
        listed = incidents.newest_first(after)
    found = list(islice(listed, limit))
    return found, found[-1].key if len(found) == limit else None


def incident_details(runtime: BaseRuntime, owner: str, incident_id: str) -> IncidentDetails:
    """All that is known of an incident; raises NotFoundError."""
    incident = Incidents(owner).get(incident_id)
    return IncidentDetails(incident, _deliveries(incident), _last_failed_at(runtime, incident))


def acknowledge(owner: str, incident_id: str, given: Acknowledgement) -> Incident:
    """Keep that somebody looks after it, which stops reminders; the first one stays.

    Raises NotFoundError.
    """
    incidents = Incidents(owner)
    incidents.acknowledge(incidents.get(incident_id), given)
    return incidents.get(incident_id)


def recent_means(runtime: BaseRuntime, owner: str) -> MeanTimes:
    """Mean times to acknowledge and to resolve, of the incidents of the last thirty days."""
    start = runtime.now - _MEANS_DAYS * _DAY_S
    return means(islice(Incidents(owner).newest_first(start=start), _MEANS_MOST))


def _open(owner: str, target_id: str | None, after: str | None) -> Iterator[Incident]:
    """The states know which incidents are open: what has ever been is not read for it."""
    keys = [
        incident_key(seat.target_id, seat.state.opened)
        for lane in Lanes(owner).all()
        for seat in lane.places.values()
        if seat.state.opened is not None and target_id in (None, seat.target_id)
    ]
    wanted = sorted((key for key in keys if after is None or key < after), reverse=True)
    found = Incidents(owner).some(wanted)
    return (found[key] for key in wanted if key in found)


def _deliveries(incident: Incident) -> list[Delivery]:
    """The deliveries of its alerts, oldest first."""
    deliveries, found = Deliveries(incident.owner), []
    minutes = {minute_of(entry.flip.at) for entry in incident.entries}
    for channel_id in (incident.told or ())[:_MOST_CHANNELS]:
        for minute in minutes:
            for event in _EVENTS:
                found += deliveries.of_minute(channel_id, minute, event)
    about = [one for one in found if _is_about(one, incident.key)]
    return sorted(about, key=lambda delivery: (delivery.due_at, delivery.key))


def _is_about(delivery: Delivery, key: str) -> bool:
    told = delivery.about - delivery.dropped
    return any(read_reference(reference)[0] == key for reference in told)


def _last_failed_at(runtime: BaseRuntime, incident: Incident) -> int | None:
    target = Targets(incident.owner).some([incident.target_id]).get(incident.target_id)
    if target is None:
        return None
    end = runtime.now + 1 if incident.closed_at is None else incident.closed_at
    span = Range(incident.first_failed_at, max(end, incident.first_failed_at))
    checks, _ = page_of_checks(runtime, target, span, Verdict.DOWN, None, 1)
    return checks[0].tick if checks else None
