"""Public operations: published status pages, their feeds and badges.

An unpublished page returns the same response as one that does not exist. Browsers and proxies may
cache responses, and each process caches the pages: see `status_pages/runtime.py`.
"""

from collections.abc import Callable

from pydantic import BaseModel

from chalicelib.api import assets
from chalicelib.api.request import Call, Response
from chalicelib.api.routing import HTML, JSON, Routes
from chalicelib.common.errors import NotFoundError
from chalicelib.status_pages import badge, feed, html
from chalicelib.status_pages.runtime import PagesRuntime
from chalicelib.status_pages.schemas import StatusPageOut
from chalicelib.status_pages.view import StatusPage
from chalicelib.status_pages.view_builder import status_page

routes = Routes()


class AnyQuery(BaseModel, extra="ignore", defer_build=True):
    """Ignores all parameters, because sharing a link can add some."""


_CACHED = {"Cache-Control": "public, max-age=30"}
_CORS = {"Access-Control-Allow-Origin": "*", "X-Content-Type-Options": "nosniff"}


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
    """Show a published status page; as JSON if `.json` follows the slug."""
    slug, dot, ending = call.path["slug"].partition(".")
    if dot and ending != "json":
        raise NotFoundError("the status page does not exist")
    page = status_page(call.runtime, slug)
    if dot:
        text = _render(page, "json", lambda: StatusPageOut.model_validate(page).model_dump_json())
        return Response(text, headers={**_CACHED, **_CORS})
    text = _render(page, "html", lambda: html.render(page))
    return Response(text, headers={**assets.headers(text), **_CACHED})


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
    text = _render(page, "feed", lambda: feed.render(page, call.public_url))
    return Response(
        text, headers={"Content-Type": f"{feed.MEDIA}; charset=utf-8", **_CACHED, **_CORS}
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
    """Show the uptime, status or response time of a published page, or of a target on it."""
    slug, dot, target_id = call.path["badge"].partition(".")
    page = status_page(call.runtime, slug)
    image = badge.render(page, target_id if dot else None, call.path["picture"])
    if image is None:
        raise NotFoundError("the badge does not exist")
    return Response(image, headers={"Content-Type": badge.MEDIA, **_CACHED, **_CORS})


def _render(page: StatusPage, kind: str, render: Callable[[], str]) -> str:
    """Render a page once per format, for as long as it is cached."""
    if kind not in page.rendered:
        page.rendered[kind] = render()
    return page.rendered[kind]
