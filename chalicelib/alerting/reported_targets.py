"""The targets that an alert names: each once, with its latest flip."""

from collections.abc import Iterable

from chalicelib.alerting.alert import AlertedTarget
from chalicelib.alerting.channel import EVENTS, Event, event_of
from chalicelib.alerting.delivery import Delivery, parse_reference
from chalicelib.alerting.incident import Incident
from chalicelib.alerting.storage.incident_repository import Incidents
from chalicelib.common.url_keys import mask_keys
from chalicelib.monitoring.alert_messages import Entry
from chalicelib.monitoring.state import FlipKind

_OUTAGES = frozenset({FlipKind.OPENED, FlipKind.SETTLED, FlipKind.FLAPPING})


def page_of_targets(
    delivery: Delivery, after: str | None, limit: int
) -> tuple[list[AlertedTarget], str | None]:
    """Up to `limit` targets that the delivery reports, and the reference to continue after."""
    references = latest_flips(delivery.about - delivery.dropped) if delivery.event in EVENTS else []
    start = references.index(after) + 1 if after in references else 0
    page = references[start : start + limit]
    incidents = Incidents(delivery.owner).some(parse_reference(one)[0] for one in page)
    targets = [
        alerted_target(delivery.event, one, incident)
        for one in page
        if (incident := incidents.get(parse_reference(one)[0]))
    ]
    return targets, page[-1] if start + limit < len(references) else None


def latest_flips(references: Iterable[str]) -> list[str]:
    """The latest of the flips of each target, in the order of their times."""
    latest: dict[str, str] = {}
    parsed = {one: parse_reference(one) for one in references}
    for reference, (key, _, _) in sorted(parsed.items(), key=lambda one: (one[1][2], one[0])):
        target_id = target_id_of(key)
        latest.pop(target_id, None)
        latest[target_id] = reference
    return list(latest.values())


def target_id_of(key: str) -> str:
    """The id of the target in the key of an incident or notice."""
    return key.rpartition("#")[2]


def alerted_target(
    event: Event, reference: str, incident: Incident, later: FlipKind | None = None
) -> AlertedTarget:
    """What to report of a target; `later` is the flip that the channel was told of meanwhile."""
    _, kind, at = parse_reference(reference)
    entry = next((e for e in incident.entries if (e.flip.kind, e.flip.at) == (kind, at)), None)
    if event in (Event.DOWN, Event.REMINDER):
        outage = [one for one in incident.entries if event_of(one) is Event.DOWN]
        entry = outage[-1] if outage else None
    has_incident = entry is None or entry.flip.opened_at is not None
    return AlertedTarget(
        target_id=incident.target_id,
        name=mask_keys(incident.target_name),
        url=mask_keys(incident.target_url),
        status=_status(entry, event, incident, later),
        since=_since(entry, incident),
        until=incident.closed_at,
        incident_id=incident.id if has_incident else None,
        reason=entry.flip.reason if entry else None,
        error=mask_keys(entry.error) if entry and entry.error else None,
        status_code=entry.status_code if entry else None,
    )


def _since(entry: Entry | None, incident: Incident) -> int:
    """When the outage began; of a flapping target, the one that lasts."""
    if entry and entry.flip.kind is FlipKind.SETTLED and entry.flip.first_failed_at is not None:
        return entry.flip.first_failed_at
    return incident.first_failed_at


def _status(entry: Entry | None, event: Event, incident: Incident, later: FlipKind | None) -> str:
    """The status that a flip led to, how its incident ended, or what the channel knows already."""
    is_end = event is Event.RECOVERED
    kind = entry.flip.kind if entry else None
    if is_end and later in _OUTAGES:
        kind = later
    if kind is FlipKind.FLAPPING:
        return "FLAPPING"
    if entry is None or kind in _OUTAGES:
        return "DOWN"
    if kind is FlipKind.CANCELLED and is_end and incident.ended_as:
        return str(incident.ended_as).upper()
    return str(entry.flip.to_status)
