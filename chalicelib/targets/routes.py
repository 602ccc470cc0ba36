"""Operations on targets."""

from typing import Any

from chalicelib.access.authentication import Scope
from chalicelib.access.idempotency import ClaimedKey
from chalicelib.alerting.incident import MeanTimes
from chalicelib.alerting.incidents.service import recent_means
from chalicelib.api.etags import check_if_match, etag
from chalicelib.api.idempotency import create_idempotently
from chalicelib.api.parsing import validate_body
from chalicelib.api.request import Call, Response
from chalicelib.api.routing import NoQuery, Routes
from chalicelib.common.errors import Fault, InvalidError
from chalicelib.monitoring.state_machine import Status
from chalicelib.monitoring.storage.target_repository import Targets
from chalicelib.monitoring.target import Target
from chalicelib.targets import service
from chalicelib.targets.check_schemas import CheckOut
from chalicelib.targets.current_status import current_statuses
from chalicelib.targets.listing import Filters, Sort, page_of_targets, summary
from chalicelib.targets.runtime import TargetsRuntime
from chalicelib.targets.schemas import (
    SummaryOut,
    SummaryQuery,
    TargetIn,
    TargetOut,
    TargetPatch,
    TargetsPage,
    TargetsQuery,
)
from chalicelib.targets.validation import Draft

routes = Routes()


@routes(
    "POST",
    "/v1/targets",
    scope=Scope.WRITE,
    body=TargetIn,
    response=TargetOut,
    status=201,
    request_headers=["Idempotency-Key"],
    response_headers=["Location", "ETag"],
)
def create_target(call: Call[TargetIn, NoQuery, TargetsRuntime]) -> Response:
    """Create a target; it is checked at once."""
    # What cannot be stored uses no key up.
    draft = service.prepared(call.runtime, call.body.draft())

    def make(turn: ClaimedKey | None) -> Target:
        target_id, quota = turn.resource_id if turn else None, call.quota("targets")
        return service.create(call.runtime, call.owner, draft, target_id, quota=quota)

    def find(turn: ClaimedKey) -> Target:
        return Targets(call.owner).get(turn.resource_id)

    def show(target: Target) -> Response:
        return _response(call, target, status=201, location=True)

    return create_idempotently(call, "create_target", make, show, find)


@routes(
    "GET",
    "/v1/targets",
    scope=Scope.READ,
    query=TargetsQuery,
    response=TargetsPage,
    response_headers=["Link"],
)
def list_targets(call: Call[None, TargetsQuery, TargetsRuntime]) -> Response:
    """List targets with their present states, oldest first unless `sort` says otherwise."""
    query, cursors = call.query, call.cursors("targets")
    filters = Filters(
        status=None if query.status is None else Status(query.status),
        tag=query.tag,
        kind=query.kind,
        enabled=query.enabled,
        q=query.q,
    )
    found, last = page_of_targets(
        call.runtime,
        call.owner,
        filters,
        cursors.read(query.cursor),
        query.limit,
        Sort(query.sort),
    )
    items = [TargetOut.of(target, presence) for target, presence in found]
    return call.page(TargetsPage, items, cursors.write(last))


@routes(
    "GET",
    "/v1/targets/{target_id}",
    scope=Scope.READ,
    response=TargetOut,
    response_headers=["ETag"],
)
def get_target(call: Call[None, NoQuery, TargetsRuntime]) -> Response:
    """Show a target with its present state."""
    return _response(call, _target(call))


@routes(
    "PATCH",
    "/v1/targets/{target_id}",
    scope=Scope.WRITE,
    body=TargetPatch,
    response=TargetOut,
    request_headers=["If-Match"],
    response_headers=["ETag"],
    problems=[409],
)
def change_target(call: Call[TargetPatch, NoQuery, TargetsRuntime]) -> Response:
    """Replace the fields that are given; null puts a field's default back."""

    def redraft(before: Target) -> Draft:
        check_if_match(call, before.version)
        kind = call.body.root.get("kind", before.spec.kind)
        if kind != before.spec.kind:
            fault = Fault(("body", "kind"), "the kind of a target does not change")
            raise InvalidError("the body does not fit the schema", (fault,))
        return validate_body(TargetIn, call.body.over(before)).draft()

    target_id = call.id("target_id", "target")
    return _response(call, service.change(call.runtime, call.owner, target_id, redraft))


@routes(
    "DELETE",
    "/v1/targets/{target_id}",
    scope=Scope.WRITE,
    status=204,
    request_headers=["If-Match"],
    problems=[409],
)
def delete_target(call: Call[None, NoQuery, TargetsRuntime]) -> Response:
    """Delete a target; its history goes with it."""

    def allow(before: Target) -> None:
        check_if_match(call, before.version)

    service.remove(call.runtime, call.owner, call.id("target_id", "target"), allow)
    return Response(status=204)


@routes(
    "POST",
    "/v1/targets/{target_id}/pause",
    scope=Scope.WRITE,
    response=TargetOut,
    response_headers=["ETag"],
    problems=[409],
)
def pause_target(call: Call[None, NoQuery, TargetsRuntime]) -> Response:
    """Stop checking a target; repeating is harmless."""
    return _switch(call, enabled=False)


@routes(
    "POST",
    "/v1/targets/{target_id}/resume",
    scope=Scope.WRITE,
    response=TargetOut,
    response_headers=["ETag"],
    problems=[409],
)
def resume_target(call: Call[None, NoQuery, TargetsRuntime]) -> Response:
    """Check a paused target again, at once; repeating is harmless."""
    return _switch(call, enabled=True)


@routes(
    "POST",
    "/v1/targets/{target_id}/check",
    scope=Scope.WRITE,
    response=CheckOut,
    status=201,
    bucket="checks",
    problems=[409],
)
def check_target(call: Call[None, NoQuery, TargetsRuntime]) -> Response:
    """Check a target now and answer with what was found."""
    return Response(CheckOut.of(service.check_now(call.runtime, _target(call))), status=201)


@routes("GET", "/v1/summary", scope=Scope.READ, query=SummaryQuery, response=SummaryOut)
def get_summary(call: Call[None, SummaryQuery, TargetsRuntime]) -> Response:
    """Count targets by status, in all and by tag, and list what is down, longest first."""
    tag = call.query.tag
    times = MeanTimes(None, None) if tag else recent_means(call.runtime, call.owner)
    return Response(SummaryOut.of(summary(call.runtime, call.owner, tag), times))


def _target(call: Call[Any, Any, TargetsRuntime]) -> Target:
    return Targets(call.owner).get(call.id("target_id", "target"))


def _switch(call: Call[None, NoQuery, TargetsRuntime], *, enabled: bool) -> Response:
    target_id = call.id("target_id", "target")
    return _response(call, service.switch(call.runtime, call.owner, target_id, enabled=enabled))


def _response(
    call: Call[Any, Any, TargetsRuntime],
    target: Target,
    *,
    status: int = 200,
    location: bool = False,
) -> Response:
    presence = current_statuses(call.runtime, call.owner, [target])[target.id]
    headers = {"ETag": etag(target.version)}
    if location:
        headers["Location"] = f"targets/{target.id}"
    return Response(TargetOut.of(target, presence), status, headers)
