"""Pages for people."""

import base64
import hashlib
import re
from functools import cache
from pathlib import Path

from chalicelib import web
from chalicelib.api.calls import Answer, Call
from chalicelib.api.routing import NoQuery, Routes

routes = Routes()


@routes("GET", "/", scope=None)
def get_dashboard(_call: Call[None, NoQuery]) -> Answer:
    """Show the dashboard; the page asks for a token and then calls this API."""
    page, policy = _dashboard()
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
def _dashboard() -> tuple[str, str]:
    """The page, and a policy that lets run what is in it and nothing else."""
    page = (Path(web.__path__[0]) / "dashboard.html").read_text(encoding="utf-8")
    script, style = (_hash(page, tag) for tag in ("script", "style"))
    return page, (
        f"default-src 'none'; connect-src 'self'; script-src {script}; style-src {style};"
        " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


def _hash(page: str, tag: str) -> str:
    found = re.search(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
    content = found[1] if found else ""
    digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
    return f"'sha256-{digest}'"
