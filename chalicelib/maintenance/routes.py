"""Routes of maintenance windows."""

from typing import Any

from chalicelib.access.authentication import Scope
from chalicelib.access.idempotency import ClaimedKey
from chalicelib.api.etags import apply_patch, etag, version_check
from chalicelib.api.idempotency import create_idempotently
from chalicelib.api.request import Call, Response
from chalicelib.api.routing import NoQuery, Routes
from chalicelib.api.schemas import PageQuery
from chalicelib.aws.runtime import AwsRuntime
from chalicelib.maintenance import service
from chalicelib.maintenance.repository import Windows
from chalicelib.maintenance.schemas import WindowIn, WindowOut, WindowPatch, WindowsPage
from chalicelib.maintenance.window import Window, WindowDraft

routes = Routes()


@routes(
    "POST",
    "/v1/maintenance",
    scope=Scope.WRITE,
    body=WindowIn,
    response=WindowOut,
    status=201,
    request_headers=["Idempotency-Key"],
    response_headers=["Location", "ETag"],
)
def create_window(call: Call[WindowIn, NoQuery, AwsRuntime]) -> Response:
    """Create a maintenance window. It applies from now on at the earliest."""

    def create(claim: ClaimedKey | None) -> Window:
        window_id = claim.resource_id if claim else None
        return service.create(call.runtime, call.owner, call.body.draft(), window_id)

    def find(claim: ClaimedKey) -> Window:
        return Windows(call.owner).get(claim.resource_id)

    def render(window: Window) -> Response:
        return _response(call, window, 201, {"Location": f"maintenance/{window.id}"})

    return create_idempotently(call, "create_window", create, render, find)


@routes(
    "GET",
    "/v1/maintenance",
    scope=Scope.READ,
    query=PageQuery,
    response=WindowsPage,
    response_headers=["Link"],
)
def list_windows(call: Call[None, PageQuery, AwsRuntime]) -> Response:
    """List maintenance windows, oldest first, including those that are over."""
    cursors = call.cursors("maintenance")
    after = cursors.read(call.query.cursor)
    windows, last = service.page_of_windows(call.owner, after, call.query.limit)
    items = [WindowOut.of(window, call.runtime.now) for window in windows]
    return call.page(WindowsPage, items, cursors.write(last))


@routes(
    "GET",
    "/v1/maintenance/{window_id}",
    scope=Scope.READ,
    response=WindowOut,
    response_headers=["ETag"],
)
def get_window(call: Call[None, NoQuery, AwsRuntime]) -> Response:
    """Show a maintenance window."""
    return _response(call, Windows(call.owner).get(_id(call)))


@routes(
    "PATCH",
    "/v1/maintenance/{window_id}",
    scope=Scope.WRITE,
    body=WindowPatch,
    response=WindowOut,
    request_headers=["If-Match"],
    response_headers=["ETag"],
    problems=[409],
)
def change_window(call: Call[WindowPatch, NoQuery, AwsRuntime]) -> Response:
    """Replace the given fields, from now on; null restores a field's default."""

    def redraft(before: Window) -> WindowDraft:
        described = WindowOut.of(before, call.runtime.now).model_dump(mode="json")
        current = {name: described[name] for name in WindowIn.model_fields}
        return apply_patch(call, before.version, current, WindowIn).draft()

    return _response(call, service.change(call.runtime, call.owner, _id(call), redraft))


@routes(
    "DELETE",
    "/v1/maintenance/{window_id}",
    scope=Scope.WRITE,
    status=204,
    request_headers=["If-Match"],
    problems=[409],
)
def delete_window(call: Call[None, NoQuery, AwsRuntime]) -> Response:
    """Delete a maintenance window. It ends now; past statistics still exclude its time."""
    service.remove(call.runtime, call.owner, _id(call), version_check(call))
    return Response(status=204)


def _id(call: Call[Any, Any, AwsRuntime]) -> str:
    return call.id("window_id", "maintenance window")


def _response(
    call: Call[Any, Any, AwsRuntime],
    window: Window,
    status: int = 200,
    headers: dict[str, str] | None = None,
) -> Response:
    body = WindowOut.of(window, call.runtime.now)
    return Response(body, status, {"ETag": etag(window.version), **(headers or {})})
