"""Routes of targets, their checks, the summary and the Prometheus metrics."""

from dataclasses import replace
from typing import Any

from chalicelib.access.authentication import Scope
from chalicelib.access.idempotency import ClaimedKey
from chalicelib.alerting.incident import MeanTimes
from chalicelib.alerting.incidents.service import recent_means
from chalicelib.api.etags import apply_patch, etag, version_check
from chalicelib.api.idempotency import create_idempotently
from chalicelib.api.request import Call, Response
from chalicelib.api.routing import NoQuery, Routes
from chalicelib.common.errors import BadRequestError, Fault
from chalicelib.monitoring.check_history import Range, page_of_checks
from chalicelib.monitoring.result import Verdict
from chalicelib.monitoring.staleness import ReportedStatus
from chalicelib.monitoring.storage.target_repository import Targets
from chalicelib.monitoring.target import Target
from chalicelib.targets import service
from chalicelib.targets.current_status import current_statuses
from chalicelib.targets.listing import Filters, Sort, page_of_targets, summary
from chalicelib.targets.prometheus import CONTENT_TYPE, exposition
from chalicelib.targets.runtime import TargetsRuntime
from chalicelib.targets.schemas import (
    CheckOut,
    ChecksPage,
    ChecksQuery,
    SummaryOut,
    SummaryQuery,
    TargetIn,
    TargetOut,
    TargetPatch,
    TargetsPage,
    TargetsQuery,
    describe,
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
    """Create a target and check it immediately."""
    # Validate first, so that an invalid target does not use up the idempotency key.
    draft = service.prepare(call.runtime, call.body.draft())

    def create(claim: ClaimedKey | None) -> Target:
        target_id, quota = claim.resource_id if claim else None, call.quota("targets")
        return service.create(call.runtime, call.owner, draft, target_id, quota=quota)

    def find(claim: ClaimedKey) -> Target:
        return Targets(call.owner).get(claim.resource_id)

    def show(target: Target) -> Response:
        response = _response(call, target)
        headers = {**response.headers, "Location": f"targets/{target.id}"}
        return replace(response, status=201, headers=headers)

    return create_idempotently(call, "create_target", create, show, find)


@routes(
    "GET",
    "/v1/targets",
    scope=Scope.READ,
    query=TargetsQuery,
    response=TargetsPage,
    response_headers=["Link"],
)
def list_targets(call: Call[None, TargetsQuery, TargetsRuntime]) -> Response:
    """List targets with their current states, by default oldest first."""
    query, cursors = call.query, call.cursors("targets")
    filters = Filters(
        status=None if query.status is None else ReportedStatus(query.status),
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
    items = [TargetOut.of(target, current) for target, current in found]
    return call.page(TargetsPage, items, cursors.write(last))


@routes(
    "GET",
    "/v1/targets/{target_id}",
    scope=Scope.READ,
    response=TargetOut,
    response_headers=["ETag"],
)
def get_target(call: Call[None, NoQuery, TargetsRuntime]) -> Response:
    """Show a target with its current state."""
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
    """Replace the given fields; null restores a field's default."""

    def redraft(before: Target) -> Draft:
        return apply_patch(call, before.version, describe(before), TargetIn).draft()

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
    """Delete a target and its history."""
    target_id = call.id("target_id", "target")
    service.remove(call.runtime, call.owner, target_id, version_check(call))
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
    """Stop checking a target. Idempotent."""
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
    """Resume a paused target and check it immediately. Idempotent."""
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
    """Check a target now and return the result."""
    return Response(CheckOut.of(service.check_now(call.runtime, _target(call))), status=201)


@routes(
    "GET",
    "/v1/targets/{target_id}/checks",
    scope=Scope.READ,
    query=ChecksQuery,
    response=ChecksPage,
    response_headers=["Link"],
)
def list_checks(call: Call[None, ChecksQuery, TargetsRuntime]) -> Response:
    """List the checks of a target, newest first."""
    query, cursors = call.query, call.cursors("checks")
    target = _target(call)
    start = query.from_ or 0
    end = call.runtime.now + 1 if query.to is None else query.to
    if start > end:
        fault = Fault(("query", "from"), "must not be later than `to`, by default the present")
        raise BadRequestError("the range ends before it begins", (fault,))
    checks, last = page_of_checks(
        call.runtime,
        target,
        Range(start, end),
        None if query.verdict is None else Verdict(query.verdict),
        cursors.read(query.cursor),
        query.limit,
    )
    items = [CheckOut.of(check) for check in checks]
    return call.page(ChecksPage, items, cursors.write(last))


@routes("GET", "/v1/summary", scope=Scope.READ, query=SummaryQuery, response=SummaryOut)
def get_summary(call: Call[None, SummaryQuery, TargetsRuntime]) -> Response:
    """Count targets by status, in total and per tag, and list those down, longest first."""
    tag = call.query.tag
    times = MeanTimes(None, None) if tag else recent_means(call.runtime, call.owner)
    return Response(SummaryOut.of(summary(call.runtime, call.owner, tag), times))


@routes("GET", "/v1/metrics", scope=Scope.READ, media_types=["text/plain"])
def get_metrics(call: Call[None, NoQuery, TargetsRuntime]) -> Response:
    """Show all targets in Prometheus' text format."""
    return Response(exposition(call.runtime, call.owner), headers={"Content-Type": CONTENT_TYPE})


def _target(call: Call[Any, Any, TargetsRuntime]) -> Target:
    return Targets(call.owner).get(call.id("target_id", "target"))


def _switch(call: Call[None, NoQuery, TargetsRuntime], *, enabled: bool) -> Response:
    target_id = call.id("target_id", "target")
    return _response(call, service.switch(call.runtime, call.owner, target_id, enabled=enabled))


def _response(call: Call[Any, Any, TargetsRuntime], target: Target) -> Response:
    current = current_statuses(call.runtime, call.owner, [target])[target.id]
    return Response(TargetOut.of(target, current), headers={"ETag": etag(target.version)})
