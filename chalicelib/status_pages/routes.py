"""Operations on status pages for their owners."""

from chalicelib.access.authentication import Scope
from chalicelib.access.idempotency import ClaimedKey
from chalicelib.api.etags import apply_patch, etag, version_check
from chalicelib.api.idempotency import create_idempotently
from chalicelib.api.request import Call, Response
from chalicelib.api.routing import NoQuery, Routes
from chalicelib.api.schemas import PageQuery
from chalicelib.status_pages import service
from chalicelib.status_pages.page import Page, PageDraft
from chalicelib.status_pages.runtime import PagesRuntime
from chalicelib.status_pages.schemas import PageIn, PageOut, PagePatch, PagesPage, describe

routes = Routes()


@routes(
    "POST",
    "/v1/pages",
    scope=Scope.WRITE,
    body=PageIn,
    response=PageOut,
    status=201,
    request_headers=["Idempotency-Key"],
    response_headers=["Location", "ETag"],
)
def create_page(call: Call[PageIn, NoQuery, PagesRuntime]) -> Response:
    """Create a status page. It is public once `published` is true. A slug in use returns 409."""

    def create(claim: ClaimedKey | None) -> Page:
        page_id, quota = claim.resource_id if claim else None, call.quota("pages")
        return service.create(call.runtime, call.owner, call.body.draft(), page_id, quota)

    def find(claim: ClaimedKey) -> Page:
        return service.get(call.owner, claim.resource_id)

    def render(page: Page) -> Response:
        headers = {"Location": f"pages/{page.id}", "ETag": etag(page.version)}
        return Response(PageOut.of(page), 201, headers)

    return create_idempotently(call, "create_page", create, render, find)


@routes(
    "GET",
    "/v1/pages",
    scope=Scope.READ,
    query=PageQuery,
    response=PagesPage,
    response_headers=["Link"],
)
def list_pages(call: Call[None, PageQuery, PagesRuntime]) -> Response:
    """List status pages, oldest first."""
    cursors = call.cursors("pages")
    found, last = service.page_of_pages(
        call.owner, cursors.read(call.query.cursor), call.query.limit
    )
    return call.page(PagesPage, [PageOut.of(page) for page in found], cursors.write(last))


@routes("GET", "/v1/pages/{page_id}", scope=Scope.READ, response=PageOut, response_headers=["ETag"])
def get_page(call: Call[None, NoQuery, PagesRuntime]) -> Response:
    """Show a status page, without targets that have been deleted."""
    return _response(service.get(call.owner, call.id("page_id", "page")))


@routes(
    "PATCH",
    "/v1/pages/{page_id}",
    scope=Scope.WRITE,
    body=PagePatch,
    response=PageOut,
    request_headers=["If-Match"],
    response_headers=["ETag"],
    problems=[409],
)
def change_page(call: Call[PagePatch, NoQuery, PagesRuntime]) -> Response:
    """Replace the given fields; null restores a field's default."""

    def redraft(before: Page) -> PageDraft:
        return apply_patch(call, before.version, describe(before), PageIn).draft()

    page_id = call.id("page_id", "page")
    return _response(service.change(call.runtime, call.owner, page_id, redraft))


@routes(
    "DELETE",
    "/v1/pages/{page_id}",
    scope=Scope.WRITE,
    status=204,
    request_headers=["If-Match"],
    problems=[409],
)
def delete_page(call: Call[None, NoQuery, PagesRuntime]) -> Response:
    """Delete a status page; its slug becomes available."""
    page_id = call.id("page_id", "page")
    service.remove(call.runtime, call.owner, page_id, version_check(call))
    return Response(status=204)


def _response(page: Page) -> Response:
    return Response(PageOut.of(page), headers={"ETag": etag(page.version)})
