"""Pages for people, and the document that describes the API."""

from functools import cache

from chalicelib.api import assets
from chalicelib.api.request import Call, Response
from chalicelib.api.routing import HTML, JSON, NoQuery, Routes

_STATIC = "chalicelib.api.static"
routes = Routes()


@routes("GET", "/", scope=None, media_types=[HTML])
def get_dashboard(_call: Call[None, NoQuery]) -> Response:
    """Show the dashboard; the page asks for a token and then calls this API."""
    return _page("dashboard.html")


@routes("GET", "/docs", scope=None, media_types=[HTML])
def get_docs(_call: Call[None, NoQuery]) -> Response:
    """Show what this API can do: the page reads `/v1/openapi.json`."""
    return _page("docs.html")


@routes("GET", "/v1/openapi.json", scope=None, media_types=[JSON])
def get_openapi(_call: Call[None, NoQuery]) -> Response:
    """Describe this API as OpenAPI 3.1."""
    # It was made when the code was, by ops/openapi/document.py: no request waits for it.
    return Response(
        assets.read(_STATIC, "openapi.json"), headers={"Cache-Control": "public, max-age=300"}
    )


@cache
def _page(name: str) -> Response:
    page = assets.read(_STATIC, name)
    return Response(page, headers=assets.headers(page))
