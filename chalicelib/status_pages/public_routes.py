"""What everybody may see: status pages that are published, their feeds and badges.

A page that is not published is answered like one that never was. Answers may be kept for a while by
whoever passes them on, and are kept here for some seconds: see `status_pages/cache.py`.
"""

from collections.abc import Callable

from pydantic import BaseModel

from chalicelib.api import assets
from chalicelib.api.request import Call, Response
from chalicelib.api.routing import HTML, JSON, Routes
from chalicelib.common.errors import NotFoundError
from chalicelib.status_pages import badge, feed, html
from chalicelib.status_pages.public_schemas import StatusPageOut
from chalicelib.status_pages.runtime import PagesRuntime
from chalicelib.status_pages.view import StatusPage
from chalicelib.status_pages.view_builder import status_page

routes = Routes()


class AnyQuery(BaseModel, extra="ignore", defer_build=True):
    """Links get parameters where they are shared; they change nothing."""


_KEPT = {"Cache-Control": "public, max-age=30"}
_OPEN = {"Access-Control-Allow-Origin": "*", "X-Content-Type-Options": "nosniff"}


@routes(
    "GET",
    "/status/{slug}",
    scope=None,
    query=AnyQuery,
    response=StatusPageOut,
    media_types=[HTML, JSON],
    response_headers=["Cache-Control"],
    problems=[503],
)
def get_status_page(call: Call[None, AnyQuery, PagesRuntime]) -> Response:
    """Show a published status page; with `.json` behind its slug as JSON."""
    slug, dot, ending = call.path["slug"].partition(".")
    if dot and ending != "json":
        raise NotFoundError("there is no such status page")
    page = status_page(call.runtime, slug)
    if dot:
        text = _text(page, "json", lambda: StatusPageOut.of(page).model_dump_json())
        return Response(text, headers={**_KEPT, **_OPEN})
    text = _text(page, "html", lambda: html.render(page))
    return Response(text, headers={**assets.headers(text), **_KEPT})


@routes(
    "GET",
    "/status/{slug}/feed",
    scope=None,
    query=AnyQuery,
    media_types=[feed.MEDIA],
    response_headers=["Cache-Control"],
    problems=[503],
)
def get_status_feed(call: Call[None, AnyQuery, PagesRuntime]) -> Response:
    """Show a status page's incidents and maintenance as an Atom feed."""
    page = status_page(call.runtime, call.path["slug"])
    address = call.runtime.settings.public_url
    text = _text(page, "feed", lambda: feed.render(page, address))
    return Response(
        text, headers={"Content-Type": f"{feed.MEDIA}; charset=utf-8", **_KEPT, **_OPEN}
    )


@routes(
    "GET",
    "/badge/{badge}/{picture}",
    scope=None,
    query=AnyQuery,
    media_types=[badge.MEDIA],
    response_headers=["Cache-Control"],
    problems=[503],
)
def get_badge(call: Call[None, AnyQuery, PagesRuntime]) -> Response:
    """Draw a published page, or a target on one, as a badge: uptime, status or response time."""
    slug, dot, target_id = call.path["badge"].partition(".")
    page = status_page(call.runtime, slug)
    drawn = badge.render(page, target_id if dot else None, call.path["picture"])
    if drawn is None:
        raise NotFoundError("there is no such badge")
    return Response(drawn, headers={"Content-Type": badge.MEDIA, **_KEPT, **_OPEN})


def _text(page: StatusPage, form: str, render: Callable[[], str]) -> str:
    """The page in a form, rendered once for as long as it is shown."""
    if form not in page.texts:
        page.texts[form] = render()
    return page.texts[form]
