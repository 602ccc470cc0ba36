"""Pages for people, and the document that describes the API."""

import base64
import hashlib
import re
from functools import cache
from importlib import resources

from chalicelib.api.calls import Answer, Call
from chalicelib.api.routing import HTML, JSON, NoQuery, Routes

routes = Routes()


@routes("GET", "/", scope=None, media=[HTML])
def get_dashboard(_call: Call[None, NoQuery]) -> Answer:
    """Show the dashboard; the page asks for a token and then calls this API."""
    return _page("dashboard.html")


@routes("GET", "/docs", scope=None, media=[HTML])
def get_docs(_call: Call[None, NoQuery]) -> Answer:
    """Show what this API can do: the page reads `/v1/openapi.json`."""
    return _page("docs.html")


@routes("GET", "/v1/openapi.json", scope=None, media=[JSON])
def get_openapi(_call: Call[None, NoQuery]) -> Answer:
    """Describe this API as OpenAPI 3.1."""
    # It was made when the code was, by chalicelib/ops/openapi.py: no request waits for it.
    return Answer(_file("openapi.json"), headers={"Cache-Control": "public, max-age=300"})


def _page(name: str) -> Answer:
    page, policy = _with_policy(name)
    return Answer(
        page,
        headers={
            "Content-Type": "text/html; charset=utf-8",
            "Content-Security-Policy": policy,
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
        },
    )


@cache
def _with_policy(name: str) -> tuple[str, str]:
    """A page, and a policy that lets run what is in it and nothing else."""
    page = _file(name)
    script, style = (_hash(page, tag) for tag in ("script", "style"))
    return page, (
        f"default-src 'none'; connect-src 'self'; script-src {script}; style-src {style};"
        " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


@cache
def _file(name: str) -> str:
    return (resources.files("chalicelib.web") / name).read_text(encoding="utf-8")


def _hash(page: str, tag: str) -> str:
    found = re.search(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
    content = found[1] if found else ""
    digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
    return f"'sha256-{digest}'"
