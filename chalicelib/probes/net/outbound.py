"""What Monitum sends to others than targets, such as webhooks: through the guard of the checks."""

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

MAX_ANSWER: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class Answer:
    """What the other side said, whatever it said; at most MAX_ANSWER bytes of its body.

    `retry_after` is the header of that name, as it came.
    """

    status_code: int
    body: bytes
    response_ms: int
    retry_after: str | None = None


class NotSent(Exception):
    """No answer came. `reason` is one of the API's; str() is one printable line without secrets.

    `request_sent` says that the other side may have the request nevertheless.
    """

    def __init__(self, reason: Reason, text: str, *, request_sent: bool) -> None:
        super().__init__(text)
        self.reason = reason
        self.request_sent = request_sent


class Outbound:
    """Sends requests to addresses that the guard admits. Safe to share between threads."""

    def __init__(self, dialer: Dialer) -> None:
        self._adapter = GuardedAdapter(dialer)

    def post(
        self, url: str, body: bytes, headers: Mapping[str, str], *, timeout_s: float = 10.0
    ) -> Answer:
        """POST a body, following no redirect; raise NotSent within `timeout_s`."""
        attempt = Attempt(time.monotonic() + timeout_s)
        try:
            parsed = parse_url(url)
            request = PreparedRequest()
            request.method, request.url, request.body = "POST", str(parsed), body
            request.headers = CaseInsensitiveDict(
                {"User-Agent": "Monitum/1", "Accept": "*/*", "Accept-Encoding": "identity"}
            )
            request.headers.update(headers)
            request.headers.update(
                {
                    "Host": parsed.authority,
                    "Connection": "close",
                    "Content-Length": str(len(body)),
                }
            )
            with self._adapter.exchange(request, parsed, attempt, verify=True) as response:
                answer = cast("Raw", response.raw).body.read(MAX_ANSWER)
                attempt.book("body")
                total = attempt.watch.timings().total
                after = response.headers.get("Retry-After")
                return Answer(response.status_code, answer, total, after)
        except BadUrl as error:
            raise NotSent(Reason.BLOCKED, clean(str(error), {}), request_sent=False) from None
        except CheckFailure as failure:
            text = clean(failure.text, {"headers": headers})
            raise NotSent(failure.reason, text, request_sent=attempt.request_sent) from None

    def session(self) -> requests.Session:
        """Return a Session for libraries that want one: guarded, without proxies or netrc."""
        session = requests.Session()
        session.trust_env = False
        session.mount("http://", self._adapter)
        session.mount("https://", self._adapter)
        return session
