"""Requests to hosts other than targets, such as webhooks, behind the same SSRF guard."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, cast

import requests
from requests import PreparedRequest
from requests.structures import CaseInsensitiveDict

from chalicelib.monitoring.result import Reason
from chalicelib.probes.deadline import Attempt
from chalicelib.probes.errors import CheckFailure
from chalicelib.probes.net.dialer import Dialer
from chalicelib.probes.net.requests_adapter import GuardedAdapter, Raw
from chalicelib.probes.net.urls import BadUrl, parse_url
from chalicelib.probes.redaction import clean

MAX_RESPONSE: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class OutboundResponse:
    """A response with any status code and at most MAX_RESPONSE bytes of its body.

    `retry_after` is the unparsed Retry-After header.
    """

    status_code: int
    body: bytes
    response_ms: int
    retry_after: str | None = None


class OutboundError(Exception):
    """No response arrived. `reason` is one of the API's; str() is one line without secrets.

    `request_sent` tells whether the server may have received the request nevertheless.
    """

    def __init__(self, reason: Reason, text: str, *, request_sent: bool) -> None:
        super().__init__(text)
        self.reason = reason
        self.request_sent = request_sent


class Outbound:
    """Sends requests through the guard. Safe to share between threads."""

    def __init__(self, dialer: Dialer) -> None:
        self._adapter = GuardedAdapter(dialer)

    def post(
        self, url: str, body: bytes, headers: Mapping[str, str], *, timeout_s: float = 10.0
    ) -> OutboundResponse:
        """POST a body without following redirects; raise OutboundError within `timeout_s`."""
        attempt = Attempt(time.monotonic() + timeout_s)
        try:
            parsed = parse_url(url)
            request = PreparedRequest()
            request.method, request.url, request.body = "POST", str(parsed), body
            request.headers = CaseInsensitiveDict(
                {"User-Agent": "Monitum/1", "Accept": "*/*", "Accept-Encoding": "identity"}
            )
            request.headers.update(headers)
            request.headers["Host"] = parsed.authority
            request.headers["Connection"] = "close"
            request.headers["Content-Length"] = str(len(body))
            with self._adapter.exchange(request, parsed, attempt, verify=True) as response:
                content = cast("Raw", response.raw).body.read(MAX_RESPONSE)
                attempt.record("body")
                return OutboundResponse(
                    response.status_code,
                    content,
                    attempt.stopwatch.timings().total,
                    response.headers.get("Retry-After"),
                )
        except BadUrl as error:
            raise OutboundError(Reason.BLOCKED, clean(str(error), {}), request_sent=False) from None
        except CheckFailure as failure:
            text = clean(failure.text, {"headers": headers}, url)
            raise OutboundError(failure.reason, text, request_sent=attempt.request_sent) from None

    def session(self) -> requests.Session:
        """Return a guarded Session without proxies or netrc, for libraries that need one."""
        session = requests.Session()
        session.trust_env = False
        session.mount("http://", self._adapter)
        session.mount("https://", self._adapter)
        return session
