"""The supported chat services, behind the guard of all outgoing requests."""

import importlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
import requests

from chalicelib.alerting.alert import Alert, AlertedTarget
from chalicelib.alerting.channel import Channel, ChannelKind, Event
from chalicelib.alerting.notifiers import apprise
from chalicelib.alerting.notifiers.apprise_services import SERVICES
from chalicelib.probes.net.dialer import Dialer
from chalicelib.probes.net.outbound import Outbound
from chalicelib.probes.net.ssrf_guard import Guard

NOW = 1_795_000_100
ALERT = Alert(
    id="0190c1de-0000-7000-8000-000000000000",
    event=Event.DOWN,
    at=1_795_000_000,
    targets=[
        AlertedTarget(
            target_id="t", name="Shop", url="https://shop.example/", status="DOWN", since=1
        )
    ],
)


class Gotify(BaseHTTPRequestHandler):
    """A server that accepts messages like Gotify, or responds as scripted by the test."""

    got: list[dict[str, Any]]
    script: list[tuple[int, dict[str, str]]]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.got.append(json.loads(body))
        status, headers = self.script.pop(0) if self.script else (200, {})
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def gotify() -> Iterator[type[Gotify]]:
    handler = type("Handler", (Gotify,), {"got": [], "script": []})
    with HTTPServer(("127.0.0.1", 0), handler) as server:
        handler.port = server.server_address[1]  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield handler
        server.shutdown()
        thread.join()


def channel(port: int) -> Channel:
    return Channel(
        owner="o",
        id="c",
        name="Chat",
        kind=ChannelKind.APPRISE,
        url=f"gotify://127.0.0.1:{port}/Abcdefghijklmno",
        created_at=0,
        updated_at=0,
    )


def outbound(*, private: bool = True) -> Outbound:
    return Outbound(Dialer(Guard(allow_private=private)))


def test_alert_is_sent(gotify: Any) -> None:
    sent = apprise.send_chat(ALERT, channel(gotify.port), outbound(), NOW)
    assert sent.is_sent
    (received,) = gotify.got
    assert received["title"] == "Shop is down"
    assert "https://shop.example/" in received["message"]


def test_private_address_is_blocked(gotify: Any) -> None:
    sent = apprise.send_chat(ALERT, channel(gotify.port), outbound(private=False), NOW)
    assert (sent.is_sent, sent.status_code) == (False, None)
    assert gotify.got == []


@pytest.mark.parametrize("status", [401, 404, 410, 429, 500])
def test_refusal_is_reported_by_its_status_code(gotify: Any, status: int) -> None:
    gotify.script.append((status, {}))
    sent = apprise.send_chat(ALERT, channel(gotify.port), outbound(), NOW)
    assert (sent.is_sent, sent.status_code) == (False, status)
    assert (sent.reason, sent.is_gone) == (f"responded with {status}", status == 410)


def test_retry_after_of_a_service_is_used(gotify: Any) -> None:
    gotify.script.append((429, {"Retry-After": "120"}))
    assert apprise.send_chat(ALERT, channel(gotify.port), outbound(), NOW).retry_at == NOW + 120


@pytest.mark.parametrize("status", [301, 302, 307])
def test_redirect_is_a_failure_and_not_followed(gotify: Any, status: int) -> None:
    gotify.script.append((status, {"Location": f"http://127.0.0.1:{gotify.port}/login"}))
    sent = apprise.send_chat(ALERT, channel(gotify.port), outbound(), NOW)
    assert (sent.is_sent, sent.status_code) == (False, status)
    assert len(gotify.got) == 1


@pytest.mark.parametrize("scheme", sorted(SERVICES))
def test_every_listed_service_exists_and_is_guarded(scheme: str) -> None:
    module, name = SERVICES[scheme]
    loaded = importlib.import_module(f"apprise.plugins.{module}")
    kind = getattr(loaded, name)
    protocols = [kind.protocol, kind.secure_protocol]
    assert scheme in str(protocols)
    apprise._guard_plugins()
    assert importlib.import_module(kind.__module__).requests is not requests


def test_guard_cannot_be_bypassed() -> None:
    for name in ("Session", "session", "sessions", "adapters", "api"):
        with pytest.raises(AttributeError):
            getattr(apprise._GUARDED_REQUESTS, name)
    with pytest.raises(requests.ConnectionError):
        apprise._GUARDED_REQUESTS.get("http://127.0.0.1/")
    assert apprise._GUARDED_REQUESTS.RequestException is requests.RequestException


@pytest.mark.parametrize("url", ["", "slack://", "mailto://a:b@c.example", "file:///etc/passwd"])
def test_unsupported_or_incomplete_url_is_rejected(url: str) -> None:
    assert apprise.first_url(url) is None
