"""The routes of incidents."""

from chalicelib.access.authentication import Scope
from chalicelib.alerting.incident import Acknowledgement
from chalicelib.alerting.incidents import service
from chalicelib.alerting.incidents.schemas import (
    AcknowledgeIn,
    IncidentOut,
    IncidentsPage,
    IncidentsQuery,
    IncidentStoryOut,
    TargetIncidentsQuery,
)
from chalicelib.api.request import Call, Response
from chalicelib.api.routing import NoQuery, Routes
from chalicelib.monitoring.storage.target_repository import Targets

routes = Routes()


@routes(
    "GET",
    "/v1/incidents",
    scope=Scope.READ,
    query=IncidentsQuery,
    response=IncidentsPage,
    response_headers=["Link"],
)
def list_incidents(call: Call[None, IncidentsQuery]) -> Response:
    """List incidents, newest first."""
    return _page(call, call.query.filter())


@routes(
    "GET",
    "/v1/targets/{target_id}/incidents",
    scope=Scope.READ,
    query=TargetIncidentsQuery,
    response=IncidentsPage,
    response_headers=["Link"],
)
def list_incidents_of_target(call: Call[None, TargetIncidentsQuery]) -> Response:
    """List the incidents of a target, newest first."""
    target = Targets(call.owner).get(call.id("target_id", "target"))
    return _page(call, call.query.filter(target.id))


@routes("GET", "/v1/incidents/{incident_id}", scope=Scope.READ, response=IncidentStoryOut)
def get_incident(call: Call[None, NoQuery]) -> Response:
    """Show an incident with its timeline: flips, alerts, acknowledgement."""
    identifier = call.id("incident_id", "incident")
    details = service.incident_details(call.runtime, call.owner, identifier)
    return Response(IncidentStoryOut.from_details(details, call.runtime.now))


@routes(
    "POST",
    "/v1/incidents/{incident_id}/acknowledge",
    scope=Scope.WRITE,
    body=AcknowledgeIn,
    response=IncidentOut,
)
def acknowledge_incident(call: Call[AcknowledgeIn, NoQuery]) -> Response:
    """Acknowledge an incident, which stops its reminders. The first acknowledgement is kept."""
    caller = call.principal
    acknowledgement = Acknowledgement(
        f"{caller.user_name} ({caller.token_name})", call.runtime.now, call.body.note
    )
    identifier = call.id("incident_id", "incident")
    incident = service.acknowledge(call.owner, identifier, acknowledgement)
    return Response(IncidentOut.of(incident, call.runtime.now))


def _page(
    call: Call[None, IncidentsQuery] | Call[None, TargetIncidentsQuery],
    wanted: service.IncidentFilter,
) -> Response:
    query, cursors = call.query, call.cursors("incidents")
    after = cursors.read(query.cursor)
    found, last = service.page_of_incidents(call.owner, wanted, after, query.limit)
    items = [IncidentOut.of(incident, call.runtime.now) for incident in found]
    return call.page(IncidentsPage, items, cursors.write(last))
