"""Import from Uptime Kuma: its JSON backup (1.x) or a list of monitors from its API."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from monitum_cli.errors import CliError, ExitCode
from monitum_cli.importers import channels, common
from monitum_cli.importers.common import FieldReader, ImportResult, read_json
from monitum_cli.manifest.yaml_reader import Source

_IGNORED = frozenset(
    {
        # IDs, internal state and display settings:
        "id", "type", "weight", "path", "pathName", "childrenIDs", "parent", "user_id",
        "forceInactive", "maintenance", "screenshot", "includeSensitiveData", "created_date",
        "dns_last_result", "validCert", "certExpiryDaysRemaining", "packetSize",
        # Defaults of other types of monitors, which are set for every type:
        "kafkaProducerSaslOptions", "mqttCheckType", "gamedigGivenPortOnly", "snmpVersion",
        "oauth_auth_method", "ping_count", "ping_numeric", "ping_per_request_timeout",
        # Read from the raw monitor, because they have a value whether or not they have an effect:
        "port", "dns_resolve_server", "dns_resolve_type", "url", "method", "maxredirects",
        "accepted_statuscodes", "authMethod", "jsonPathOperator", "expectedValue", "timeout",
        "retryInterval", "httpBodyEncoding",
    }
)  # fmt: skip
_CHANNEL_BUILDERS: Mapping[str, channels.Builder] = {
    "smtp": (channels.emails, ("smtpTo",)),
    "webhook": (channels.webhook, ("webhookURL",)),
    "slack": (channels.slack, ("slackwebhookURL",)),
    "discord": (channels.discord, ("discordWebhookUrl",)),
    "telegram": (channels.telegram, ("telegramBotToken", "telegramChatID")),
    "ntfy": (channels.ntfy, ("ntfyserverurl", "ntfytopic")),
    "gotify": (channels.gotify, ("gotifyserverurl", "gotifyapplicationToken")),
    "pushover": (channels.pushover, ("pushoveruserkey", "pushoverapptoken")),
    "apprise": (channels.apprise, ("appriseURL",)),
}
_CONTENT_TYPES = {
    "json": "application/json",
    "xml": "text/xml; charset=utf-8",
    "form": "application/x-www-form-urlencoded",
}
_KINDS = {"http": "http", "keyword": "http", "json-query": "http", "port": "tcp", "dns": "dns"}
_PATH = re.compile(r"(?:\$\.?)?((?:[A-Za-z_]\w*)(?:\.[A-Za-z_]\w*|\[\d+\])*)?", re.ASCII)
_EXPIRY_DAYS = 14


@dataclass(frozen=True, slots=True)
class _Monitor:
    """A monitor being imported: `raw` has all of its fields, `reader` tracks the unread ones."""

    result: ImportResult
    label: str
    reader: FieldReader
    raw: Mapping[str, Any]

    def note(self, message: str) -> None:
        self.result.note(self.label, message)


def read(source: Source, raw: bytes) -> ImportResult:
    """Convert a backup; raises CliError if the file is not one."""
    content = read_json(source, raw)
    monitors = content.get("monitorList") if isinstance(content, dict) else content
    if isinstance(monitors, dict):
        monitors = [*monitors.values()]
    if not isinstance(monitors, list) or not all(isinstance(one, dict) for one in monitors):
        message = f"{source.name} has no monitorList: it is not a backup of Uptime Kuma"
        raise CliError(message, ExitCode.INVALID)
    result = ImportResult()
    backup = content if isinstance(content, dict) else {}
    channels_by_id = _channels(result, backup.get("notificationList"))
    groups = {one.get("id"): str(one.get("name")) for one in monitors if one.get("type") == "group"}
    for monitor in monitors:
        if monitor.get("type") != "group":
            with result.item(_label(monitor)):
                _add_monitor(result, monitor, channels_by_id, groups)
    for part in ("proxyList", "statusPageList", "maintenanceList"):
        if backup.get(part):
            result.skip(part, "not supported")
    return result


def _channels(result: ImportResult, notifications: Any) -> dict[str, list[str]]:
    """Add the notifications as channels; returns the names of the channels by notification ID."""
    names: dict[str, list[str]] = {}
    for one in notifications if isinstance(notifications, list) else []:
        with result.item(f"notification {one.get('name') if isinstance(one, dict) else one}"):
            names[str(one.get("id"))] = _add_channels(result, one)
    return names


def _add_channels(result: ImportResult, notification: Mapping[str, Any]) -> list[str]:
    name = str(notification.get("name") or "unnamed")
    config = notification.get("config") or {}
    settings = json.loads(config) if isinstance(config, str) else config
    kind = str(settings.get("type"))
    built = channels.build(_CHANNEL_BUILDERS, kind, settings)
    if not built:
        raise CliError(f"notification type {kind!r} is not supported")
    if notification.get("active") is False:
        raise CliError("it is disabled")
    if kind == "webhook":
        payload = "the webhook receives Monitum's signed alerts, not Kuma's format"
        result.note(f"notification {name}", payload)
    return [result.add_channel(name, channel) for channel in built]


def _add_monitor(
    result: ImportResult,
    monitor: Mapping[str, Any],
    channels_by_id: Mapping[str, list[str]],
    groups: Mapping[Any, str],
) -> None:
    reader, label = FieldReader(monitor, _IGNORED), _label(monitor)
    name, type_ = reader.text("name", "unnamed"), str(monitor.get("type"))
    kind = _KINDS.get(type_)
    if kind is None:
        raise CliError(f"monitor type {type_!r} is not supported")
    if reader.value("upsideDown"):
        raise CliError("upside-down mode is not supported")
    interval_s = common.interval(result, label, float(reader.value("interval", 60)))
    timeout_s = float(monitor.get("timeout") or 10)
    group = groups.get(monitor.get("parent"))
    chosen = reader.mapping("notificationIDList")
    target: dict[str, Any] = {
        "kind": kind,
        "interval_s": interval_s,
        "timeout_s": common.timeout(result, label, timeout_s, interval_s),
        "failure_threshold": common.threshold(int(reader.value("maxretries", 0)) + 1),
        "tags": common.tags([*([group] if group else []), *map(_tag, reader.sequence("tags"))]),
        "channels": [
            channel for key, on in chosen.items() if on for channel in channels_by_id.get(key, [])
        ],
        "enabled": None if reader.value("active", default=True) else False,
    }
    convert = {"http": _http, "tcp": _tcp, "dns": _dns}[kind]
    target |= convert(_Monitor(result, label, reader, monitor))
    if monitor.get("retryInterval") not in {None, 0, monitor.get("interval")}:
        result.note(label, "retryInterval is not imported: failures are confirmed immediately")
    result.note_unread(label, reader)
    result.add_target(name, target)


def _label(monitor: Mapping[str, Any]) -> str:
    return f"monitor {monitor.get('name') or 'unnamed'}"


def _tag(tag: Mapping[str, Any]) -> str:
    value = tag.get("value")
    return f"{tag.get('name')}:{value}" if value else str(tag.get("name"))


def _http(monitor: _Monitor) -> dict[str, Any]:
    raw, reader = monitor.raw, monitor.reader
    url, method = str(raw.get("url") or ""), str(raw.get("method") or "GET").upper()
    if raw.get("authMethod") not in {None, "", "basic"}:
        raise CliError(f"authentication by {raw['authMethod']!r} is not supported")
    user, password = reader.value("basic_auth_user"), reader.value("basic_auth_pass")
    if raw.get("authMethod") == "basic" and user:
        url = common.with_basic_auth(url, user, password)
        monitor.result.secrets += 1
    headers, body = _headers(monitor), reader.value("body") or None
    content_type = _CONTENT_TYPES.get(str(raw.get("httpBodyEncoding") or "json"))
    if body and content_type and "content-type" not in map(str.lower, headers):
        headers["Content-Type"] = content_type
    return {
        "url": url,
        "method": None if method == "GET" else method,
        "headers": headers,
        "body": body,
        "follow_redirects": False if raw.get("maxredirects") == 0 else None,
        "verify_tls": False if reader.value("ignoreTls") else None,
        "expect": _expectations(monitor, url),
    }


def _headers(monitor: _Monitor) -> dict[str, str]:
    """Parse the headers, which Kuma stores as JSON text."""
    value = monitor.reader.value("headers")
    if not value:
        return {}
    try:
        parsed = json.loads(value) if isinstance(value, str) else value
        headers = {str(name): str(content) for name, content in parsed.items()}
    except (ValueError, AttributeError):
        monitor.note("headers are not imported: they are not a JSON object")
        return {}
    monitor.result.secrets += len(headers)
    return headers


def _expectations(monitor: _Monitor, url: str) -> dict[str, Any]:
    reader, type_ = monitor.reader, monitor.raw["type"]
    codes = common.status_codes(monitor.raw.get("accepted_statuscodes") or [])
    expect: dict[str, Any] = {} if codes in ([], ["200-299"]) else {"status_codes": codes}
    if reader.value("expiryNotification") and url.startswith("https:"):
        expect["tls_days_left"] = _EXPIRY_DAYS
    keyword, is_inverted = reader.value("keyword"), reader.value("invertKeyword")
    if keyword and type_ == "keyword":
        expect["body_not_contains" if is_inverted else "body_contains"] = str(keyword)
    path = reader.value("jsonPath")
    if path is not None and type_ == "json-query":
        test = _json_test(monitor, str(path))
        if test:
            expect["json"] = [test]
    return expect


def _json_test(monitor: _Monitor, query: str) -> dict[str, Any] | None:
    """Convert a JSONata query with a comparison, if it is a plain path; note it otherwise."""
    value = monitor.raw.get("expectedValue")
    operator = str(monitor.raw.get("jsonPathOperator") or "==")
    found = _PATH.fullmatch(query.strip())
    comparison = None if value is None else _comparison(operator, value)
    if found is None or comparison is None:
        monitor.note(f"the JSON query {query!r} {operator} {value!r} is not imported")
        return None
    return {"path": f"$.{found[1]}" if found[1] else "$", **comparison}


def _comparison(operator: str, value: Any) -> dict[str, Any] | None:
    if operator == "==":
        # Kuma compares both sides as text, so that "100" equals 100; `matches` does too.
        return {"matches": f"^{re.escape(str(value))}$"}
    try:
        return {{">": "greater", "<": "less"}[operator]: float(value)}
    except (KeyError, ValueError):
        return None


def _tcp(monitor: _Monitor) -> dict[str, Any]:
    return {"host": monitor.reader.text("hostname"), "port": monitor.raw.get("port")}


def _dns(monitor: _Monitor) -> dict[str, Any]:
    raw = monitor.raw
    server, port = raw.get("dns_resolve_server"), raw.get("port")
    return {
        "host": monitor.reader.text("hostname"),
        "record_type": common.record_type(raw.get("dns_resolve_type")),
        "resolver": f"{server}:{port}" if server and port not in {None, 53} else server,
    }
