"""Alerts to chat and paging services, through apprise's plugins behind the SSRF guard.

Only the plugin of the channel's service is loaded. Plugins call the module `requests`, which is
replaced in them by a stand-in that sends through guarded sessions: their addresses are restricted
like those of a check, and redirects are not followed.
"""

import importlib
import logging
import re
import sys
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, Final, Self

import requests

from chalicelib.alerting.alert import Alert
from chalicelib.alerting.channel import Channel, Event
from chalicelib.alerting.notifiers import SendResult
from chalicelib.alerting.notifiers.apprise_services import SERVICES, scheme_of
from chalicelib.common.times import retry_at
from chalicelib.probes.net.outbound import Outbound

_NOTIFY_TYPES: Final = {
    Event.DOWN: "failure",
    Event.REMINDER: "failure",
    Event.STALE: "warning",
    Event.RECOVERED: "success",
    Event.UP: "success",
    Event.TEST: "info",
}
_TIME_LIMIT_S: Final = 15.0
"""Limit for all requests of one alert together: some services need several."""
# Parameters with which a recovery closes the alert of its outage. The URL may override them.
_CLOSE_PARAMETERS: Final[Mapping[str, Mapping[str, str]]] = {
    "opsgenie": {"action": "map", "alias": "{}"},
    "pagerduty": {"action": "map", "dedup": "{}"},
    "signl4": {"action": "map", "external_id": "{}"},
    "splunk": {"action": "map", "entity_id": "{}"},
}
_MARKUP: Final = re.compile(r"(?<=[@<\]])(?=\S)")
_METHODS: Final = frozenset({"get", "post", "put", "patch", "delete", "head", "options"})
# apprise logs URLs, which contain secrets.
logging.getLogger("apprise").setLevel(logging.CRITICAL)


def send_chat(alert: Alert, channel: Channel, outbound: Outbound, now: int) -> SendResult:
    """Send the alert to the service of the channel's URL."""
    plugin = _plugin(channel.url or "", _dedup_key(alert))
    if plugin is None:
        reason = "the URL is not that of a supported service"
        return SendResult(is_sent=False, reason=reason)
    _guard_plugins()
    with _Outgoing(outbound) as outgoing:
        is_sent = plugin.notify(
            title=_defuse(alert.title),
            body="\n".join(map(_defuse, alert.lines)),
            body_format="text",  # escapes whatever the service would read as markup
            notify_type=_NOTIFY_TYPES.get(alert.event, "warning"),
        )
    code = outgoing.status_code
    if is_sent and code and _is_success(code):
        return SendResult(is_sent=True, status_code=code)
    reason = f"responded with {code}" if code else "the service could not be reached"
    if code and _is_success(code):
        reason = "the service refused the alert"
    return SendResult(
        is_sent=False,
        # One of several recipients may be gone without the others.
        is_gone=code == 410 and len(plugin) == 1,
        status_code=code,
        reason=reason,
        retry_at=retry_at(outgoing.retry_after, now),
    )


def first_url(url: str) -> str | None:
    """The first URL that the plugin for `url` would request; None if `url` is incomplete.

    Many services run on their users' hosts, so only the plugin knows the host. Nothing is sent.
    """
    plugin = _plugin(url)
    if plugin is None:
        return None
    _guard_plugins()
    with _DryRun() as dry_run:
        plugin.notify(title="test", body="test", body_format="text", notify_type="failure")
    return dry_run.url


def _is_success(status_code: int) -> bool:
    return 200 <= status_code < 300


def _defuse(text: str) -> str:
    """Disable mentions and links, because the text contains responses and names of targets.

    Services interpret `@everyone`, `<!channel>` and `[x](http://…)` even in escaped text.
    """
    return _MARKUP.sub("\N{ZERO WIDTH SPACE}", text)


def _dedup_key(alert: Alert) -> str:
    """The key by which paging services match a recovery to its outage, for a single target."""
    if alert.count != 1:
        return alert.id
    return alert.targets[0].incident_id or alert.targets[0].target_id


def _plugin(url: str, dedup_key: str = "") -> Any | None:
    """Create apprise's plugin for a URL; None if the URL is invalid."""
    service = SERVICES.get(scheme_of(url))
    if service is None:
        return None
    module, name = service
    plugin_class = getattr(importlib.import_module(f"apprise.plugins.{module}"), name)
    try:
        arguments = plugin_class.parse_url(url)
        if not arguments:
            return None
        given = {name: value for name, value in arguments.items() if value}
        closing = _CLOSE_PARAMETERS.get(module, {})
        closing = {name: value.format(dedup_key) for name, value in closing.items()}
        # Certificates are always verified, even if the URL disables that.
        plugin = plugin_class(**{**arguments, **closing, **given, "verify": True})
    except (TypeError, ValueError):
        return None
    if module == "opsgenie":
        vars(plugin)["_NotifyBase__store"] = _OpenAlert(dedup_key)
    return plugin


class _OpenAlert:
    """Replaces the store in which the plugin looks up the alerts to close.

    A Lambda function has no lasting files, but the key of the open alert is known.
    """

    def __init__(self, dedup_key: str) -> None:
        self._dedup_key = dedup_key

    def get(self, *_: object) -> list[str]:
        return [self._dedup_key]

    def set(self, *_: object, **__: object) -> None: ...


class _Transport(ABC):
    """A context in which `request` handles the requests of this thread's plugins."""

    def __enter__(self) -> Self:
        _LOCAL.transport = self
        return self

    def __exit__(self, *_: object) -> None:
        _LOCAL.transport = None

    @abstractmethod
    def request(self, method: str, url: str, **options: Any) -> requests.Response:
        """Replaces `requests.request`."""


class _DryRun(_Transport):
    """Records the first URL and sends nothing."""

    url: str | None = None

    def request(self, method: str, url: str, **options: Any) -> requests.Response:  # noqa: ARG002
        self.url = self.url or url
        raise requests.ConnectionError("nothing is sent")


class _Outgoing(_Transport):
    """Sends requests through `outbound` and records the last response, or the last failed one."""

    def __init__(self, outbound: Outbound) -> None:
        self.outbound = outbound
        self.deadline = time.monotonic() + _TIME_LIMIT_S
        self.status_code: int | None = None
        self.retry_after: str | None = None

    def request(self, method: str, url: str, **options: Any) -> requests.Response:
        if (params := options.get("params")) and params.get("identifierType") == "id":
            # The key in _OpenAlert is an alias, not Opsgenie's own id of the alert.
            params["identifierType"] = "alias"
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise requests.Timeout("the service takes too long")
        # A followed redirect turns POST into GET, whose response says nothing about the alert.
        fixed = {"verify": True, "stream": False, "timeout": left, "allow_redirects": False}
        with self.outbound.session() as session:
            response = session.request(method, url, **{**options, **fixed})
        if self.status_code is None or not _is_success(response.status_code):
            self.status_code = response.status_code
            self.retry_after = response.headers.get("Retry-After")
        return response


class _GuardedRequests:
    """Stand-in for the module `requests`: its functions are guarded, all else is the original."""

    def __getattr__(self, name: str) -> Any:
        if name in _METHODS:
            return lambda url, *args, **options: self.request(name, url, *args, **options)
        if name in {"Session", "session", "sessions", "api", "adapters"}:
            raise AttributeError(f"requests.{name} would bypass the guard")
        return getattr(requests, name)

    def request(self, method: str, url: str, *args: Any, **options: Any) -> requests.Response:
        transport: _Transport | None = getattr(_LOCAL, "transport", None)
        if transport is None:
            raise requests.ConnectionError("only alerts may send requests")
        if args:
            options["data" if method.lower() != "get" else "params"] = args[0]
        return transport.request(method, url, **options)


_LOCAL = threading.local()
_GUARDED_REQUESTS: Final = _GuardedRequests()


def _guard_plugins() -> None:
    """Replace `requests` in every module of apprise that has been loaded."""
    for name, module in list(sys.modules.items()):
        if name.startswith("apprise.") and getattr(module, "requests", None) is requests:
            module.requests = _GUARDED_REQUESTS  # type: ignore[attr-defined]
