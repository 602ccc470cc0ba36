"""Operations on status pages, for their owners."""

from typing import Any

from chalicelib.access.authentication import Scope
from chalicelib.access.idempotency import ClaimedKey
from chalicelib.api.etags import check_if_match, etag
from chalicelib.api.idempotency import create_idempotently
from chalicelib.api.parsing import validate_body
from chalicelib.api.request import Call, Response
from chalicelib.api.routing import NoQuery, Routes
from chalicelib.api.schemas import PageQuery
from chalicelib.status_pages import service
from chalicelib.status_pages.page import Page
from chalicelib.status_pages.runtime import PagesRuntime
from chalicelib.status_pages.schemas import PageIn, PageOut, PagePatch, PagesPage
from chalicelib.status_pages.service import PageDraft

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
    """Create a status page; nobody sees it until it is published. A slug that is taken is a 409."""

    def make(turn: ClaimedKey | None) -> Page:
        page_id, quota = turn.resource_id if turn else None, call.quota("pages")
        return service.create(call.runtime, call.owner, call.body.draft(), page_id, quota)

    def find(turn: ClaimedKey) -> Page:
        return service.get(call.owner, turn.resource_id)

    def show(page: Page) -> Response:
        headers = {"Location": f"pages/{page.id}", "ETag": etag(page.version)}
        return Response(PageOut.of(page), 201, headers)

    return create_idempotently(call, "create_page", make, show, find)


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
    """Show a status page as its owner sees it; targets deleted since are not on it any more."""
    return _response(service.get(call.owner, _id(call)))


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
    """Replace the fields that are given; null puts a field's default back."""

    def redraft(before: Page) -> PageDraft:
        check_if_match(call, before.version)
        return validate_body(PageIn, call.body.over(before)).draft()

    return _response(service.change(call.runtime, call.owner, _id(call), redraft))


@routes(
    "DELETE",
    "/v1/pages/{page_id}",
    scope=Scope.WRITE,
    status=204,
    request_headers=["If-Match"],
    problems=[409],
)
def delete_page(call: Call[None, NoQuery, PagesRuntime]) -> Response:
    """Delete a status page: its slug is free for others."""

    def allow(before: Page) -> None:
        check_if_match(call, before.version)

    service.remove(call.runtime, call.owner, _id(call), allow)
    return Response(status=204)


def _response(page: Page) -> Response:
    return Response(PageOut.of(page), headers={"ETag": etag(page.version)})


def _id(call: Call[Any, Any, PagesRuntime]) -> str:
    return call.id("page_id", "page")
