"""Packaged files, and the headers of HTML pages that run only their own inline script."""

import base64
import hashlib
import re
from functools import cache
from importlib import resources


@cache
def read(package: str, name: str) -> str:
    """Return the text of a file that is part of a package."""
    return (resources.files(package) / name).read_text(encoding="utf-8")


def headers(page: str) -> dict[str, str]:
    """Return the headers of an HTML page that has one inline script and one inline style."""
    script, style = (_hash(page, tag) for tag in ("script", "style"))
    return {
        "Content-Type": "text/html; charset=utf-8",
        "Content-Security-Policy": (
            f"default-src 'none'; connect-src 'self'; script-src {script}; style-src {style};"
            " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        ),
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }


def _hash(page: str, tag: str) -> str:
    found = re.search(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
    content = found[1] if found else ""
    digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
    return f"'sha256-{digest}'"
