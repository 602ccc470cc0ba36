"""Messages to chat services: text is defused, and recoveries close incidents."""

import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Self
from urllib.parse import urlencode

import pytest
import requests

from chalicelib.alerting.alert import Alert, AlertedTarget
from chalicelib.alerting.channel import Channel, ChannelKind, Event
from chalicelib.alerting.notifiers import apprise

HOSTILE = (
    "<b>x</b> & @everyone @all <!channel> <@U1> [x](http://evil.example)\r\nA: 1\0" + "A" * 9_999
)
SHOP = AlertedTarget(
    target_id="t", name="Shop", url="https://shop.example/", status="DOWN", since=1
)
OUTAGE = Alert(
    id="0190c1de-0000-7000-8000-000000000000",
    event=Event.DOWN,
    at=1_795_000_000,
    targets=[replace(SHOP, incident_id="0190c1de-1111-7000-8000-000000000000")],
)
URLS = {
    "discord": f"discord://{'1' * 18}/{'a' * 60}",
    "gchat": "gchat://space/key/token",
    "mattermost": f"mmost://h.example/{'a' * 24}",
    "ntfy": "ntfys://ntfy.example/x",
    "opsgenie": f"opsgenie://{'a' * 36}",
    "pagerduty": f"pagerduty://{'A' * 20}@{'B' * 20}",
    "pushover": f"pover://{'u' * 30}@{'t' * 30}",
    "signl4": f"signl4://{'a' * 20}",
    "slack": f"slack://T1JJ3T3L2/A1BRTD4JD/{'a' * 24}/#general",
    "teams": "workflows://prod.westus.logic.azure.com:443/abcdefg/sig",
    "telegram": f"tgram://123456789:{'a' * 32}/12315544/",
    "victorops": f"victorops://{'r' * 10}@{'a' * 36}",
    "webex": f"webex://{'a' * 80}",
    "zulip": f"zulip://bot@org/{'a' * 32}/stream",
}


@dataclass
class Session:
    """Fake session that records requests as `(url, payload)`."""

    sent: list[tuple[str, str]] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)
    before: Callable[[], object] = lambda: None

    def session(self) -> Self:
        return self

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Stay open."""

    def request(self, _: str, url: str, **options: Any) -> requests.Response:
        self.before()
        self.waits.append(options["timeout"])
        payload = options.get("data") or options.get("json") or options.get("params") or ""
        payload = payload.decode() if isinstance(payload, bytes) else payload
        params = options.get("params") if payload != options.get("params") else None
        target_url = f"{url}?{urlencode(params)}" if params else url
        self.sent.append((target_url, payload if isinstance(payload, str) else json.dumps(payload)))
        response = requests.Response()
        response.status_code, response._content = 200, b"{}"
        return response


def send(service: str, alert: Alert) -> Session:
    session = Session()
    channel = Channel(
        owner="o",
        id="c",
        name="Chat",
        kind=ChannelKind.APPRISE,
        url=URLS[service],
        created_at=0,
        updated_at=0,
    )
    apprise.send_chat(alert, channel, session, 0)  # type: ignore[arg-type]
    assert session.sent
    return session


@pytest.mark.parametrize("service", URLS)
def test_hostile_text_is_defused_and_cut_to_one_line(service: str) -> None:
    shop = replace(SHOP, name=HOSTILE, error=HOSTILE)
    session = send(service, replace(OUTAGE, targets=[shop]))
    for _, sent in session.sent:
        text = str(json.loads(sent))
        assert not re.search(r"@everyone|@all|<!channel|<@U1|\]\(http", text)
        assert "<b>x" not in text
        assert "A" * 250 not in text
        assert "\0" not in text
        assert "\r\nA: 1" not in text


@pytest.mark.parametrize("service", URLS)
def test_first_url_of_a_service_is_found_without_a_request(service: str) -> None:
    assert (apprise.first_url(URLS[service]) or "").startswith("http")


def test_markup_is_escaped() -> None:
    """Telegram permanently refuses messages that are invalid HTML."""
    session = send("telegram", replace(OUTAGE, targets=[replace(SHOP, name="1 < 2 & 3 > 2")]))
    assert "1 &lt; 2 &amp; 3 &gt; 2 is down" in json.loads(session.sent[0][1])["text"]


PAGING = {
    "opsgenie": ("/close", "identifierType=alias"),
    "pagerduty": ('"event_action": "resolve"',),
    "signl4": ('"X-S4-Status": "resolved"',),
    "victorops": ('"message_type": "RECOVERY"',),
}


@pytest.mark.parametrize("service", PAGING)
def test_recovery_closes_the_incident_of_the_outage(service: str) -> None:
    opened = " ".join(send(service, OUTAGE).sent[0])
    closed = " ".join(send(service, replace(OUTAGE, id="x", event=Event.RECOVERED)).sent[0])
    assert (OUTAGE.targets[0].incident_id or "none") in opened
    assert (OUTAGE.targets[0].incident_id or "none") in closed
    assert all(sign in closed for sign in PAGING[service])
    assert not all(sign in opened for sign in PAGING[service])


@pytest.mark.parametrize("service", PAGING)
def test_up_closes_the_incident_of_degraded(service: str) -> None:
    degraded = replace(OUTAGE, event=Event.DEGRADED, targets=[SHOP])
    assert '"t"' in (opened := " ".join(send(service, degraded).sent[0]))
    closed = " ".join(send(service, replace(degraded, id="x", event=Event.UP)).sent[0])
    assert all(sign in closed for sign in PAGING[service])
    assert opened != closed


def test_requests_of_an_alert_share_one_time_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.monotonic()
    monkeypatch.setattr("chalicelib.alerting.notifiers.apprise.time.monotonic", lambda: now)
    session = Session()

    def slowly() -> None:
        nonlocal now
        now += 6

    session.before = slowly
    with apprise._Outgoing(session) as outgoing:  # type: ignore[arg-type]
        for _ in range(3):
            outgoing.request("post", "https://chat.example/", data="x")
        with pytest.raises(requests.Timeout):
            outgoing.request("post", "https://chat.example/", data="x")
    assert session.waits == pytest.approx([15, 9, 3])
