"""Which requests servers on loopback refuse, because a web page may have sent them.

A page in the user's browser can send requests to any port of the user's machine. The browser only
keeps the page from reading most responses, and not even that if the page's host name resolves to
127.0.0.1 (DNS rebinding). It does tell the server where a request comes from.
"""

import re
from collections.abc import Mapping, Sequence

Headers = Mapping[str, Sequence[str]]
"""The values of each header, by lower-case name."""

PUBLIC_PATH = re.compile(r"/(status/[^/]+(/feed)?|badge/[^/]+/[^/]+)")
"""Status pages, feeds and badges, which other sites may link and embed."""
PUBLIC_JSON = re.compile(r"/status/[^/]+\.json")
"""What the scripts of other sites may read."""


def refusal(method: str, api_path: str | None, headers: Headers, port: int) -> str | None:
    """Why the server on that port refuses a request; None if it accepts it.

    Args:
        api_path: the path in Monitum's API; None for all other requests, of which none may come
            from other origins.
    """
    hosts = [host.lower() for host in headers.get("host", ())]
    if len(hosts) != 1 or hosts[0] not in _own_hosts(port):
        return f"the Host header must be 127.0.0.1:{port} or localhost:{port}"
    if not _is_foreign(f"http://{hosts[0]}", headers):
        return None
    reads = api_path is not None and method in {"GET", "HEAD"}
    if reads and (PUBLIC_PATH.fullmatch(api_path or "") or _follows_a_link(headers)):
        return None
    return "requests of web pages from other origins are refused"


def _own_hosts(port: int) -> set[str]:
    names = ("127.0.0.1", "localhost", "[::1]")
    return {f"{name}:{port}" for name in names} | ({*names} if port == 80 else set())


def _is_foreign(own_origin: str, headers: Headers) -> bool:
    """Whether a page of another origin sent the request, as far as the browser tells.

    A page's own forms have the origin `null` if its policy is to send no referrer.
    """
    sites = headers.get("sec-fetch-site", ())
    origins = [value.lower() for value in headers.get("origin", ())]
    if set(sites) == {"same-origin"} and origins == ["null"]:
        origins = []
    referers = ["/".join(value.lower().split("/")[:3]) for value in headers.get("referer", ())]
    return bool(
        {*sites} - {"same-origin", "none"} or {*origins, *filter(None, referers)} - {own_origin}
    )


def _follows_a_link(headers: Headers) -> bool:
    """Whether the response becomes a page of its own, which the sender cannot read."""
    mode, destination = headers.get("sec-fetch-mode"), headers.get("sec-fetch-dest")
    return list(mode or ()) == ["navigate"] and list(destination or ()) == ["document"]
