"""API schemas of incidents and acknowledgements."""

from dataclasses import replace
from typing import Annotated, Literal

from pydantic import Field

from chalicelib.alerting.incident import Incident
from chalicelib.alerting.incidents.service import IncidentDetails, IncidentFilter
from chalicelib.api.schemas import Line, Model, Moment, Page, PageQuery, Schema, Tag


class AcknowledgementOut(Model):
    """Who acknowledged an incident, and when."""

    by: str
    at: Moment
    note: str | None


class IncidentOut(Model):
    """One incident; `duration_s` grows while it is open.

    It opens when a failing target becomes DOWN. `duration_s` and `acknowledged_after_s` count from
    `first_failed_at`, the first failing check.
    """

    id: str
    target_id: str
    target_name: str
    status: Literal["open", "closed"]
    ended_as: Literal["recovered", "paused", "deleted"] | None
    opened_at: Moment
    closed_at: Moment | None
    first_failed_at: Moment
    duration_s: int
    flapping: bool
    reason: str | None
    error: str | None
    status_code: int | None
    acknowledgement: AcknowledgementOut | None
    acknowledged_after_s: int | None

    @classmethod
    def of(cls, incident: Incident, now: int) -> "IncidentOut":
        opening, acknowledgement = incident.opening, incident.acknowledgement
        return cls(
            id=incident.id,
            target_id=incident.target_id,
            target_name=incident.target_name,
            status="open" if incident.ending is None else "closed",
            ended_as=incident.ended_as.value if incident.ended_as else None,
            opened_at=incident.opened_at,
            closed_at=incident.closed_at,
            first_failed_at=incident.first_failed_at,
            duration_s=incident.duration_s(now),
            flapping=incident.flapped,
            reason=incident.cause,
            error=opening.error if opening else None,
            status_code=opening.status_code if opening else None,
            acknowledgement=AcknowledgementOut(
                by=acknowledgement.by, at=acknowledgement.at, note=acknowledgement.note
            )
            if acknowledgement
            else None,
            acknowledged_after_s=incident.acknowledged_after_s,
        )


class MomentOfIncident(Model):
    """One event of an incident: a failing check, a flip, an alert or the acknowledgement."""

    at: Moment
    what: str
    reason: str | None = None
    error: str | None = None
    status_code: int | None = None
    channel_id: str | None = None
    delivery_id: str | None = None
    delivery_status: str | None = None
    by: str | None = None
    note: str | None = None


class IncidentStoryOut(IncidentOut):
    """One incident with its timeline, oldest first."""

    last_failed_at: Moment | None
    timeline: list[MomentOfIncident]

    @classmethod
    def from_details(cls, details: IncidentDetails, now: int) -> "IncidentStoryOut":
        fields = vars(IncidentOut.of(details.incident, now))
        return cls(**fields, last_failed_at=details.last_failed_at, timeline=_timeline(details))


class AcknowledgeIn(Schema):
    """An acknowledgement."""

    note: Annotated[Line, Field(min_length=1, max_length=500)] | None = None


class TargetIncidentsQuery(PageQuery):
    """`open=true` is short for `status=open`."""

    open: Literal["true"] | None = None
    status: Literal["open", "closed"] | None = None

    def filter(self, target_id: str | None = None) -> IncidentFilter:
        status = "open" if self.open else self.status
        return IncidentFilter(None if status is None else status == "open", target_id)


class IncidentsQuery(TargetIncidentsQuery):
    """Filters, all of which must match. `open=true` is short for `status=open`.

    `tag` selects by the tags that the target had at the last flip of the incident. A page may have
    fewer incidents than `limit`, although others follow.
    """

    target_id: Annotated[str, Field(max_length=100)] | None = None
    tag: Tag | None = None

    def filter(self, target_id: str | None = None) -> IncidentFilter:
        return replace(super().filter(target_id or self.target_id), tag=self.tag)


IncidentsPage = Page[IncidentOut]


def _timeline(details: IncidentDetails) -> list[MomentOfIncident]:
    incident = details.incident
    moments = [MomentOfIncident(at=incident.first_failed_at, what="first_failed")]
    moments += [
        MomentOfIncident(
            at=entry.flip.at,
            what=entry.flip.kind,
            reason=entry.flip.reason,
            error=entry.error,
            status_code=entry.status_code,
        )
        for entry in incident.entries
    ]
    moments += [
        MomentOfIncident(
            at=delivery.attempts[-1].at if delivery.attempts else delivery.due_at,
            what=f"alert_{delivery.event}",
            channel_id=delivery.channel_id,
            delivery_id=delivery.id,
            delivery_status=delivery.status,
        )
        for delivery in details.deliveries
    ]
    if given := incident.acknowledgement:
        moments.append(
            MomentOfIncident(at=given.at, what="acknowledged", by=given.by, note=given.note)
        )
    return sorted(moments, key=lambda moment: moment.at)
