"""The cookies of one check, kept in memory until it ends (RFC 6265).

Sites that test whether the client keeps cookies redirect it until it does. A cookie is sent only to
the host that set it, also if its `Domain` would allow more.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

from chalicelib.probes.net.urls import Url

MAX_COOKIES: Final = 50
MAX_BYTES: Final = 16 * 1024  # of all cookies together
_CONTROL: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class _Key:
    """What identifies a cookie: setting another one with the same key replaces it."""

    host: str
    path: str
    name: str


class CookieJar:
    """The cookies that servers set, up to MAX_COOKIES and MAX_BYTES; others are ignored."""

    def __init__(self) -> None:
        self._cookies: dict[_Key, tuple[str, bool]] = {}  # text to send, only by HTTPS

    def store(self, url: Url, headers: Iterable[str]) -> None:
        """Store the cookies of a response's Set-Cookie headers."""
        for header in headers:
            self._store(url, header)

    def header(self, url: Url, own: str | None = None) -> str | None:
        """Return the Cookie header of a request: `own` cookies of the target, then stored ones.

        A stored cookie replaces one of the target with the same name.
        """
        path = url.target.partition("?")[0]
        stored = {
            key.name: text
            for key, (text, secure) in self._cookies.items()
            if key.host == url.host.name
            and _path_matches(path, key.path)
            and (not secure or url.scheme == "https")
        }
        kept = [part.strip() for part in (own or "").split(";") if part.strip()]
        kept = [part for part in kept if part.partition("=")[0] not in stored]
        return "; ".join([*kept, *stored.values()]) or None

    def _store(self, url: Url, header: str) -> None:
        pair, *rest = header.split(";")
        name, equals, value = (part.strip() for part in pair.partition("="))
        if not equals:
            name, value = "", name
        attributes = dict(_attribute(part) for part in rest)
        if _CONTROL.search(pair) or not (name or value) or not _may_set(url, attributes):
            return
        path = attributes.get("path", "")
        key = _Key(url.host.name, path if path.startswith("/") else _default_path(url), name)
        self._cookies.pop(key, None)
        text = f"{name}={value}" if equals and name else value
        if not _expired(attributes) and self._has_room(text):
            self._cookies[key] = (text, "secure" in attributes)

    def _has_room(self, text: str) -> bool:
        size = sum(len(one) for one, _ in self._cookies.values())
        return len(self._cookies) < MAX_COOKIES and size + len(text) <= MAX_BYTES


def _attribute(part: str) -> tuple[str, str]:
    name, _, value = part.partition("=")
    return name.strip().lower(), value.strip()


def _may_set(url: Url, attributes: dict[str, str]) -> bool:
    """Whether the host may set a cookie with these attributes."""
    domain = attributes.get("domain", "").lower().removeprefix(".")
    host = url.host.name
    if domain and domain != host and (url.host.address or not host.endswith("." + domain)):
        return False
    return "secure" not in attributes or url.scheme == "https"


def _expired(attributes: dict[str, str]) -> bool:
    age = attributes.get("max-age", "")
    if age.removeprefix("-").isdecimal():
        return age.startswith("-") or not age.strip("0")
    try:
        expires = parsedate_to_datetime(attributes.get("expires", ""))
    except (ValueError, TypeError, IndexError, OverflowError):
        return False
    return expires.replace(tzinfo=expires.tzinfo or UTC) <= datetime.now(UTC)


def _default_path(url: Url) -> str:
    return url.target.partition("?")[0].rpartition("/")[0] or "/"


def _path_matches(path: str, prefix: str) -> bool:
    return path == prefix or path.startswith(prefix if prefix.endswith("/") else prefix + "/")
