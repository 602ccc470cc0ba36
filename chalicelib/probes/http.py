"""The `http` kind: send a request, follow its redirects and return the response."""

import base64
import urllib.parse
from collections.abc import Mapping
from typing import Any, Final, cast

from requests import PreparedRequest, Response
from requests.structures import CaseInsensitiveDict

from chalicelib.monitoring.check_spec import CheckSpec
from chalicelib.monitoring.result import Reason
from chalicelib.probes.assertions.response import Observation
from chalicelib.probes.deadline import Attempt
from chalicelib.probes.errors import Blocked, CheckFailure
from chalicelib.probes.net.content_coding import OFFERED
from chalicelib.probes.net.cookies import CookieJar
from chalicelib.probes.net.dialer import Dialer
from chalicelib.probes.net.http1 import Head
from chalicelib.probes.net.requests_adapter import GuardedAdapter, Raw
from chalicelib.probes.net.urls import BadUrl, Url, parse_url, resolve_location

MAX_REDIRECTS: Final = 20  # as many as browsers follow
SMALL_BODY: Final = 64 * 1024
LARGE_BODY: Final = 1024 * 1024
USER_AGENT: Final = "Monitum/1"
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_KEEPS_METHOD: Final = frozenset({307, 308})
_BODY_EXPECTATIONS: Final = ("body_contains", "body_not_contains", "body_matches", "json")
# Headers that follow a redirect to another host: none of them can be a secret.
_SAFE_HEADERS: Final = frozenset({"accept", "accept-language", "user-agent"})


def check_http(spec: CheckSpec, dialer: Dialer, attempt: Attempt) -> Observation:
    """Check an `http` target; raise CheckFailure.

    `spec.config`: url, method, body, follow_redirects, verify_tls, max_body_bytes.
    """
    config = spec.config
    url = _parse(str(config["url"]))
    request = _request(str(config.get("method") or "GET"), url, spec)
    _admit_host_header(request, dialer)
    adapter = GuardedAdapter(dialer)
    verify = config.get("verify_tls") is not False
    follow = config.get("follow_redirects") is not False
    cookies = CookieJar()
    for _ in range(MAX_REDIRECTS + 1):
        sent = _with_cookies(request, url, cookies)
        with adapter.exchange(sent, url, attempt, verify=verify) as response:
            head = cast("Raw", response.raw).head
            location = _location(head) if follow and head.status in _REDIRECTS else None
            if location is None:
                return _observe(response, _body_limit(spec), attempt)
            cookies.store(url, head.values("set-cookie"))
        attempt.record("body")
        before, url = url, _redirect_target(url, location)
        request = _redirected(request, response.status_code, before, url)
    raise CheckFailure(Reason.REDIRECTS, f"more than {MAX_REDIRECTS} redirects")


def _parse(text: str) -> Url:
    try:
        return parse_url(text)
    except BadUrl as error:
        raise Blocked(str(error)) from None


def _request(method: str, url: Url, spec: CheckSpec) -> PreparedRequest:
    """Return the first request, without `Request.prepare`, which would parse the URL again."""
    headers: CaseInsensitiveDict[str] = CaseInsensitiveDict(
        {
            "Host": url.authority,
            "User-Agent": USER_AGENT,
            "Accept": "*/*",
            "Accept-Encoding": OFFERED,
            "Connection": "close",
        }
    )
    body = spec.config.get("body")
    data = None if body is None else str(body).encode()
    headers.update(_secret_headers(spec.secrets))
    if data is not None or method in {"POST", "PUT", "PATCH"}:
        headers["Content-Length"] = str(len(data or b""))
    return _prepared(method, url, headers, data)


def _admit_host_header(request: PreparedRequest, dialer: Dialer) -> None:
    """Apply the guard to a Host header set by the target, which must not name Monitum either."""
    url = _parse(f"http://{request.headers['Host']}/")
    dialer.guard.admit_name(url.host, url.port)


def _prepared(
    method: str, url: Url, headers: CaseInsensitiveDict[str], body: bytes | None
) -> PreparedRequest:
    request = PreparedRequest()
    request.method, request.url, request.headers, request.body = method, str(url), headers, body
    return request


def _secret_headers(secrets: Mapping[str, Any]) -> dict[str, str]:
    headers = {str(name): str(value) for name, value in (secrets.get("headers") or {}).items()}
    userinfo = secrets.get("userinfo")
    if userinfo and "authorization" not in {name.lower() for name in headers}:
        credentials = urllib.parse.unquote_to_bytes(str(userinfo))
        headers["Authorization"] = f"Basic {base64.b64encode(credentials).decode('ascii')}"
    return headers


def _body_limit(spec: CheckSpec) -> int:
    needs_body = any(spec.expect.get(name) for name in _BODY_EXPECTATIONS)
    limit = spec.config.get("max_body_bytes") or (LARGE_BODY if needs_body else SMALL_BODY)
    return min(max(int(limit), 0), LARGE_BODY)


def _observe(response: Response, limit: int, attempt: Attempt) -> Observation:
    raw = cast("Raw", response.raw)
    body = raw.body.read(limit)
    attempt.record("body")
    return Observation(
        status_code=response.status_code,
        headers=response.headers,
        body=body,
        truncated=not raw.body.complete,
        warnings=(raw.body.warning,) if raw.body.warning else (),
    )


def _with_cookies(request: PreparedRequest, url: Url, cookies: CookieJar) -> PreparedRequest:
    """Return the request with the cookies for `url`; the target's own cookies stay in it."""
    own = request.headers.get("Cookie")
    header = cookies.header(url, own)
    if header is None or header == own:
        return request
    headers = CaseInsensitiveDict({**request.headers, "Cookie": header})
    body = request.body if isinstance(request.body, bytes) else None
    return _prepared(request.method or "GET", url, headers, body)


def _location(head: Head) -> str | None:
    """Return where a redirect leads, None if nowhere; raise CheckFailure if it is ambiguous."""
    locations = set(head.values("location"))
    if len(locations) > 1:
        raise CheckFailure(Reason.PROTOCOL, "the redirect has more than one location", final=True)
    return locations.pop() or None if locations else None


def _redirect_target(url: Url, location: str) -> Url:
    """Return the URL of a redirect; raise Blocked if Monitum does not follow it."""
    # Headers were decoded as Latin-1, but servers send UTF-8 here.
    text = location.encode("latin-1").decode("utf-8", "replace")
    try:
        return resolve_location(url, text)
    except BadUrl as error:
        raise Blocked(f"a redirect was not followed: {error}") from None


def _redirected(request: PreparedRequest, status: int, before: Url, after: Url) -> PreparedRequest:
    """Return the request that follows a redirect, as browsers do (RFC 9110, 15.4)."""
    method, body = request.method or "GET", request.body
    headers = CaseInsensitiveDict(request.headers)
    becomes_get = status == 303 or (method == "POST" and status not in _KEEPS_METHOD)
    if becomes_get and method not in {"GET", "HEAD"}:
        method, body = "GET", None
        for name in ("Content-Length", "Content-Type", "Content-Encoding"):
            headers.pop(name, None)
    if not _keeps_origin(before, after):
        kept = {name: headers[name] for name in _SAFE_HEADERS if name in headers}
        length = {"Content-Length": headers["Content-Length"]} if body is not None else {}
        headers = CaseInsensitiveDict(
            {**kept, **length, "Accept-Encoding": OFFERED, "Connection": "close"}
        )
    if headers.get("Host", before.authority) == before.authority or not _keeps_origin(
        before, after
    ):
        headers["Host"] = after.authority
    return _prepared(method, after, headers, body if isinstance(body, bytes) else None)


def _keeps_origin(before: Url, after: Url) -> bool:
    """Whether a redirect keeps the origin, or only upgrades it from http to https."""
    plain, secure = ("http", before.host.name, 80), ("https", before.host.name, 443)
    return after.origin == before.origin or (before.origin, after.origin) == (plain, secure)
