"""Chat and paging services through apprise's plugins, each loaded alone and put behind the guard.

A plugin calls `requests` as a module. What it finds under that name is replaced by a stand-in that
sends through guarded sessions, so that addresses and redirects are judged like those of a check.
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
from chalicelib.alerting.delivery import is_permanent
from chalicelib.alerting.notifiers.apprise_services import SERVICES, scheme_of
from chalicelib.alerting.notifiers.outcome import Outcome
from chalicelib.common.times import retry_at
from chalicelib.probes.net.outbound import Outbound

_KINDS: Final = {
    Event.DOWN: "failure",
    Event.REMINDER: "failure",
    Event.RECOVERED: "success",
    Event.UP: "success",
    Event.TEST: "info",
}
_MOST_REDIRECTS: Final = 3
_WITHIN_S: Final = 15.0
"""How long all requests of one alert may take: some services ask for several."""
# What has a paging service close what it opened; the URL may say otherwise.
_CLOSING: Final[Mapping[str, Mapping[str, str]]] = {
    "opsgenie": {"action": "map", "alias": "{}"},
    "pagerduty": {"action": "map", "dedup": "{}"},
    "signl4": {"action": "map", "external_id": "{}"},
    "splunk": {"action": "map", "entity_id": "{}"},
}
_LIVE: Final = re.compile(r"(?<=[@<\]])(?=\S)")
_METHODS: Final = frozenset({"get", "post", "put", "patch", "delete", "head", "options"})
# apprise would log URLs, and with them the keys that they carry.
logging.getLogger("apprise").setLevel(logging.CRITICAL)


def send_chat(alert: Alert, channel: Channel, outbound: Outbound, now: int) -> Outcome:
    """Have the service that the channel's URL names take the alert."""
    plugin = _plugin(channel.url or "", _thread(alert))
    if plugin is None:
        reason = "the URL is not one of a known service"
        return Outcome(is_sent=False, is_permanent=True, reason=reason)
    _guard_plugins()
    with _Sending(outbound) as sending:
        is_sent = plugin.notify(
            title=_inert(alert.title),
            body="\n".join(map(_inert, alert.lines)),
            # So that what a service takes for markup is escaped.
            body_format="text",
            notify_type=_KINDS.get(alert.event, "warning"),
        )
    if is_sent and sending.status_code:
        return Outcome(is_sent=True, status_code=sending.status_code)
    code = sending.status_code
    reason = f"answered {code}" if code else "the service could not be reached"
    return Outcome(
        is_sent=False,
        is_permanent=code is not None and is_permanent(code),
        status_code=code,
        reason=reason,
        retry_at=retry_at(sending.retry_after, now),
    )


def first_url(url: str) -> str | None:
    """Where the service that the URL names would be asked first; None where it lacks something.

    Nothing is sent: the plugin is let run up to there. Many services are at hosts of their owners.
    """
    plugin = _plugin(url)
    if plugin is None:
        return None
    _guard_plugins()
    with _Asking() as asking:
        plugin.notify(title="test", body="test", body_format="text", notify_type="failure")
    return asking.url


def _inert(text: str) -> str:
    """Text that calls nobody and links nowhere: what targets say of themselves is in it too.

    Services read `@everyone`, `<!channel>` and `[x](http://…)` in what was escaped as well.
    """
    return _LIVE.sub("\N{ZERO WIDTH SPACE}", text)


def _thread(alert: Alert) -> str:
    """What paging services know an outage by, so that its end closes it: one of one target."""
    if alert.count != 1:
        return alert.id
    return alert.subjects[0].incident_id or alert.subjects[0].target_id


def _plugin(url: str, thread: str = "") -> Any | None:
    """Apprise's plugin for a URL; None where it cannot be read."""
    found = SERVICES.get(scheme_of(url))
    if found is None:
        return None
    module, name = found
    kind = getattr(importlib.import_module(f"apprise.plugins.{module}"), name)
    try:
        arguments = kind.parse_url(url)
        if not arguments:
            return None
        own = {name: value for name, value in arguments.items() if value}
        closing = {key: value.format(thread) for key, value in _CLOSING.get(module, {}).items()}
        # Certificates are checked, whatever the URL says.
        plugin = kind(**{**arguments, **closing, **own, "verify": True})
    except (TypeError, ValueError):
        return None
    if module == "opsgenie":
        vars(plugin)["_NotifyBase__store"] = _Opened(thread)
    return plugin


class _Opened:
    """Stands for what a plugin keeps of its earlier alerts, in a process that has no memory."""

    def __init__(self, thread: str) -> None:
        self._thread = thread

    def get(self, *_: object) -> list[str]:
        return [self._thread]

    def set(self, *_: object, **__: object) -> None: ...


class _Replacing(ABC):
    """While it lasts, this thread's requests are made by `request`."""

    def __enter__(self) -> Self:
        _THREAD.replacing = self
        return self

    def __exit__(self, *_: object) -> None:
        _THREAD.replacing = None

    @abstractmethod
    def request(self, method: str, url: str, **options: Any) -> requests.Response:
        """Answer what `requests.request` was asked."""


class _Asking(_Replacing):
    """Keeps the first URL that is asked for, and answers nothing."""

    url: str | None = None

    def request(self, method: str, url: str, **options: Any) -> requests.Response:  # noqa: ARG002
        self.url = self.url or url
        raise requests.ConnectionError("nothing is sent")


class _Sending(_Replacing):
    """Has requests go through `outbound`; keeps what was answered last."""

    def __init__(self, outbound: Outbound) -> None:
        self.outbound = outbound
        self.deadline = time.monotonic() + _WITHIN_S
        self.status_code: int | None = None
        self.retry_after: str | None = None

    def request(self, method: str, url: str, **options: Any) -> requests.Response:
        if (params := options.get("params")) and params.get("identifierType") == "id":
            # Opsgenie's own id of an alert is not known any more, ours is.
            params["identifierType"] = "alias"
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise requests.Timeout("the service takes too long")
        fixed = {"verify": True, "stream": False, "timeout": left / (_MOST_REDIRECTS + 1)}
        with self.outbound.session() as session:
            session.max_redirects = _MOST_REDIRECTS
            response = session.request(method, url, **{**options, **fixed})
        self.status_code = response.status_code
        self.retry_after = response.headers.get("Retry-After")
        return response


class _Guarded:
    """Stands for the module `requests`: its functions are guarded, its names are its own."""

    def __getattr__(self, name: str) -> Any:
        if name in _METHODS:
            return lambda url, *args, **options: self.request(name, url, *args, **options)
        if name in {"Session", "session", "sessions", "api", "adapters"}:
            raise AttributeError(f"requests.{name} would go round the guard")
        return getattr(requests, name)

    def request(self, method: str, url: str, *args: Any, **options: Any) -> requests.Response:
        replacing: _Replacing | None = getattr(_THREAD, "replacing", None)
        if replacing is None:
            raise requests.ConnectionError("no request outside of an alert")
        if args:
            options["data" if method.lower() != "get" else "params"] = args[0]
        return replacing.request(method, url, **options)


_THREAD = threading.local()
_GUARDED: Final = _Guarded()


def _guard_plugins() -> None:
    """Put the stand-in into every module of apprise that has been loaded."""
    for name, module in list(sys.modules.items()):
        if name.startswith("apprise.") and getattr(module, "requests", None) is requests:
            module.requests = _GUARDED  # type: ignore[attr-defined]
