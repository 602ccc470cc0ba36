"""Fake receivers of alerts that record requests and respond from a script."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from chalicelib.alerting.notifiers import SendResult
from chalicelib.monitoring.result import Reason
from chalicelib.probes.net.outbound import OutboundError, OutboundResponse
from tests.support.permissions import RECORD


@dataclass
class FakeOutbound:
    """Records posted requests. `script` maps URLs to status codes (0: refused); by default
    `choose` returns the code, 204.

    `retry_after` maps URLs to values of that header. `accepted` tells of each request whether its
    status code was 2xx.
    """

    script: dict[str, int] = field(default_factory=dict)
    retry_after: dict[str, str] = field(default_factory=dict)
    posted: list[tuple[str, bytes, dict[str, str]]] = field(default_factory=list)
    accepted: list[bool] = field(default_factory=list)
    choose: Callable[[], int] = lambda: 204

    def post(
        self, url: str, body: bytes, headers: Mapping[str, str], *, timeout_s: float
    ) -> OutboundResponse:
        assert timeout_s
        self.posted.append((url, body, dict(headers)))
        code = self.script[url] if url in self.script else self.choose()
        self.accepted.append(200 <= code < 300)
        if not code:
            raise OutboundError(Reason.REFUSED, "the connection was refused", request_sent=False)
        retry_after = self.retry_after.get(url)
        return OutboundResponse(code, b"secret words of the receiver", 12, retry_after)

    def clear(self) -> None:
        """Forget all requests."""
        self.posted.clear()
        self.accepted.clear()

    def received(self, url: str | None = None) -> list[Any]:
        """The accepted payloads without repeated deliveries."""
        payloads = {
            headers["webhook-id"]: json.loads(body)
            for (at, body, headers), accepted in zip(self.posted, self.accepted, strict=True)
            if accepted and url in (None, at)
        }
        return list(payloads.values())


@dataclass
class FakeMailer:
    """Records emails as (to, subject, text, HTML), and the ids of attempts."""

    sent: list[tuple[str, str, str, str]] = field(default_factory=list)
    ids: list[str | None] = field(default_factory=list)
    result: SendResult = field(default_factory=lambda: SendResult(is_sent=True))

    def send(
        self, to: str, subject: str, text: str, html: str, *, alert_id: str | None = None
    ) -> SendResult:
        self.ids.append(alert_id)
        RECORD.add("ses:SendEmail", "*")
        if self.result.is_sent:
            self.sent.append((to, subject, text, html))
        return self.result
