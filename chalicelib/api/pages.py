"""Operations on status pages, for their owners."""

from typing import Any

from chalicelib.api.calls import Answer, Call
from chalicelib.api.idempotency import created_once
from chalicelib.api.reading import validate_body
from chalicelib.api.routing import NoQuery, Routes
from chalicelib.api.schemas.common import PageQuery
from chalicelib.api.schemas.pages import PageIn, PageOut, PagePatch, PagesPage
from chalicelib.api.versions import check_if_match, etag
from chalicelib.domain.pages import Page
from chalicelib.services import pages
from chalicelib.services.callers import Scope
from chalicelib.services.once import Turn
from chalicelib.services.pages import PageDraft

routes = Routes()


@routes(
    "POST",
    "/v1/pages",
    scope=Scope.WRITE,
    body=PageIn,
    answer=PageOut,
    status=201,
    takes=["Idempotency-Key"],
    gives=["Location", "ETag"],
)
def create_page(call: Call[PageIn, NoQuery]) -> Answer:
    """Create a status page; nobody sees it until it is published. A slug that is taken is a 409."""

    def make(turn: Turn | None) -> Page:
        page_id, quota = turn.made if turn else None, call.quota("pages")
        return pages.create(call.runtime, call.owner, call.body.draft(), page_id, quota)

    def find(turn: Turn) -> Page:
        return pages.get(call.owner, turn.made)

    def show(page: Page) -> Answer:
        headers = {"Location": f"pages/{page.id}", "ETag": etag(page.version)}
        return Answer(PageOut.of(page), 201, headers)

    return created_once(call, "create_page", make, show, find)


@routes("GET", "/v1/pages", scope=Scope.READ, query=PageQuery, answer=PagesPage, gives=["Link"])
def list_pages(call: Call[None, PageQuery]) -> Answer:
    """List status pages, oldest first."""
    cursors = call.cursors("pages")
    found, last = pages.page_of_pages(call.owner, cursors.read(call.query.cursor), call.query.limit)
    return call.page(PagesPage, [PageOut.of(page) for page in found], cursors.write(last))


@routes("GET", "/v1/pages/{page_id}", scope=Scope.READ, answer=PageOut, gives=["ETag"])
def get_page(call: Call[None, NoQuery]) -> Answer:
    """Show a status page as its owner sees it; targets deleted since are not on it any more."""
    return _answer(pages.get(call.owner, _id(call)))


@routes(
    "PATCH",
    "/v1/pages/{page_id}",
    scope=Scope.WRITE,
    body=PagePatch,
    answer=PageOut,
    takes=["If-Match"],
    gives=["ETag"],
    problems=[409],
)
def change_page(call: Call[PagePatch, NoQuery]) -> Answer:
    """Replace the fields that are given; null puts a field's default back."""

    def redraft(before: Page) -> PageDraft:
        check_if_match(call, before.version)
        return validate_body(PageIn, call.body.over(before)).draft()

    return _answer(pages.change(call.runtime, call.owner, _id(call), redraft))


@routes(
    "DELETE",
    "/v1/pages/{page_id}",
    scope=Scope.WRITE,
    status=204,
    takes=["If-Match"],
    problems=[409],
)
def delete_page(call: Call[None, NoQuery]) -> Answer:
    """Delete a status page: its slug is free for others."""

    def allow(before: Page) -> None:
        check_if_match(call, before.version)

    pages.remove(call.runtime, call.owner, _id(call), allow)
    return Answer(status=204)


def _answer(page: Page) -> Answer:
    return Answer(PageOut.of(page), headers={"ETag": etag(page.version)})


def _id(call: Call[Any, Any]) -> str:
    return call.id("page_id", "page")
