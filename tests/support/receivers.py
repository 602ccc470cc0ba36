"""Receivers of alerts that keep what they get and answer from a script."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from chalicelib.alerting.notifiers.outcome import Outcome
from chalicelib.monitoring.result import Reason
from chalicelib.probes.net.outbound import Answer, NotSent
from tests.support.permissions import RECORD


@dataclass
class FakeOutbound:
    """Takes what is posted, and answers from a script: by URL a status code, or 204.

    `retry_after` are the headers of that name, by URL.
    """

    script: dict[str, int] = field(default_factory=dict)
    retry_after: dict[str, str] = field(default_factory=dict)
    posted: list[tuple[str, bytes, dict[str, str]]] = field(default_factory=list)

    def post(
        self, url: str, body: bytes, headers: Mapping[str, str], *, timeout_s: float
    ) -> Answer:
        assert timeout_s
        self.posted.append((url, body, dict(headers)))
        code = self.script.get(url, 204)
        if not code:
            raise NotSent(Reason.REFUSED, "the connection was refused", request_sent=False)
        return Answer(code, b"secret words of the receiver", 12, self.retry_after.get(url))

    def received(self, url: str | None = None) -> list[Any]:
        """The payloads that were taken, each once, however often they came."""
        taken = {
            headers["webhook-id"]: json.loads(body)
            for at, body, headers in self.posted
            if url in (None, at) and 200 <= self.script.get(at, 204) < 300
        }
        return list(taken.values())


@dataclass
class FakeMailer:
    """Keeps what is mailed: to, subject, text, HTML; and what its attempts are known by."""

    sent: list[tuple[str, str, str, str]] = field(default_factory=list)
    ids: list[str | None] = field(default_factory=list)
    outcome: Outcome = field(default_factory=lambda: Outcome(is_sent=True))

    def send(
        self, to: str, subject: str, text: str, html: str, *, same_as: str | None = None
    ) -> Outcome:
        self.ids.append(same_as)
        RECORD.ask("ses:SendEmail", "*")
        if self.outcome.is_sent:
            self.sent.append((to, subject, text, html))
        return self.outcome
