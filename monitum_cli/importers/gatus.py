"""Import from Gatus: its configuration file."""

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from monitum_cli.errors import CliError, ExitCode
from monitum_cli.importers import channels, common
from monitum_cli.importers.common import FieldReader, ImportResult
from monitum_cli.importers.gatus_conditions import Conditions
from monitum_cli.manifest.yaml_reader import Source, parse

_IGNORED = frozenset({"ui", "extra-labels"})
_SECTIONS = {"endpoints", "alerting", "metrics", "storage", "web", "ui", "concurrency", "debug"}
"""The top-level keys that are imported or without effect on what is monitored."""
_CHANNEL_BUILDERS: Mapping[str, channels.Builder] = {
    "email": (channels.emails, ("to",)),
    "slack": (channels.slack, ("webhook-url",)),
    "discord": (channels.discord, ("webhook-url",)),
    "telegram": (channels.telegram, ("token", "id")),
    "ntfy": (channels.ntfy, ("url", "topic")),
    "gotify": (channels.gotify, ("server-url", "token")),
    "pagerduty": (channels.pagerduty, ("integration-key",)),
    "pushover": (channels.pushover, ("user-key", "application-token")),
}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|h|m|s)", re.ASCII)
_UNITS_S = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_VARIABLE = re.compile(r"\$(\$|\{[A-Za-z_]\w*\}|[A-Za-z_]\w*)", re.ASCII)
_KINDS = {"http": "http", "https": "http", "tcp": "tcp", "tls": "tls"}
_DEFAULT_FAILURES, _DEFAULT_SUCCESSES = 3, 2
"""Gatus's default thresholds."""


def read(source: Source, raw: bytes) -> ImportResult:
    """Convert a configuration; raises CliError if the file is not one."""
    content = _convert_variables(parse(source, raw).plain())
    endpoints = content.get("endpoints") if isinstance(content, dict) else None
    if not isinstance(endpoints, list) or not all(isinstance(one, dict) for one in endpoints):
        message = f"{source.name} has no endpoints: it is not a configuration of Gatus"
        raise CliError(message, ExitCode.INVALID)
    result = ImportResult()
    alerting = content.get("alerting")
    alerts = _Alerting(result, alerting if isinstance(alerting, dict) else {})
    for endpoint in endpoints:
        with result.item(_label(endpoint)):
            _add_endpoint(result, endpoint, alerts)
    for key in sorted(set(content) - _SECTIONS):
        if not key.startswith("x-"):
            result.skip(key, "not supported")
    return result


def _convert_variables(value: Any) -> Any:
    """Convert `$NAME` to `${NAME}` and `$$` to a literal dollar sign, as manifests have them."""
    if isinstance(value, str):
        return _VARIABLE.sub(_convert_variable, value)
    if isinstance(value, list):
        return [_convert_variables(item) for item in value]
    if isinstance(value, dict):
        return {key: _convert_variables(item) for key, item in value.items()}
    return value


def _convert_variable(match: re.Match[str]) -> str:
    if match[1] == "$":
        # In a manifest, a dollar sign only has to be escaped before a brace.
        return "$$" if match.string[match.end() :].startswith("{") else "$"
    return match[0] if match[1].startswith("{") else f"${{{match[1]}}}"


class _Alerting:
    """The channels and default alerts of each alerting provider."""

    def __init__(self, result: ImportResult, alerting: Mapping[str, Any]) -> None:
        self._result = result
        self._channels: dict[str, list[str]] = {}
        self._defaults: dict[str, dict[str, Any]] = {}
        for kind, config in alerting.items():
            self._add(kind, config if isinstance(config, dict) else {})

    def _add(self, kind: str, config: dict[str, Any]) -> None:
        default = config.get("default-alert")
        self._defaults[kind] = default if isinstance(default, dict) else {}
        built = channels.build(_CHANNEL_BUILDERS, kind, config)
        self._channels[kind] = [self._result.add_channel(kind, channel) for channel in built]
        if not built:
            self._result.skip(f"alerting.{kind}", "not supported")
        if config.get("overrides"):
            self._result.note(f"alerting.{kind}", "overrides are not imported")

    def fields(self, label: str, alerts: list[Any]) -> dict[str, Any]:
        """Return the channels and thresholds of an endpoint's alerts."""
        names: list[str] = []
        failures: set[int] = set()
        successes: set[int] = set()
        for alert in alerts:
            kind = str(alert.get("type"))
            settings = {**self._defaults.get(kind, {}), **alert}
            if settings.get("enabled") is False:
                continue
            names += self._channels.get(kind, [])
            failures.add(int(settings.get("failure-threshold", _DEFAULT_FAILURES)))
            successes.add(int(settings.get("success-threshold", _DEFAULT_SUCCESSES)))
        if not failures:
            return {}
        if len(failures) > 1 or len(successes) > 1:
            self._result.note(label, "the alerts have different thresholds: the lowest are used")
        return {
            "channels": list(dict.fromkeys(names)),
            "failure_threshold": common.threshold(min(failures)),
            "recovery_threshold": common.threshold(min(successes)),
        }


def _label(endpoint: Mapping[str, Any]) -> str:
    group, name = endpoint.get("group"), endpoint.get("name") or "unnamed"
    return f"endpoint {group}/{name}" if group else f"endpoint {name}"


def _add_endpoint(result: ImportResult, endpoint: Mapping[str, Any], alerting: _Alerting) -> None:
    reader, label = FieldReader(endpoint, _IGNORED), _label(endpoint)
    name, group = reader.text("name", "unnamed"), reader.text("group")
    url, dns = reader.text("url"), reader.mapping("dns")
    scheme = url.partition("://")[0]
    kind = "dns" if dns else _KINDS.get(scheme.lower())
    if kind is None:
        raise CliError(f"checks of {scheme!r} are not supported")
    interval_s = common.interval(result, label, _seconds(reader.text("interval", "60s")))
    client = FieldReader(reader.mapping("client"), prefix="client.")
    timeout_s = _seconds(client.text("timeout", "10s"))
    target: dict[str, Any] = {
        "kind": kind,
        "interval_s": interval_s,
        "timeout_s": common.timeout(result, label, timeout_s, interval_s),
        "tags": common.tags([group] if group else []),
        "enabled": None if reader.value("enabled", default=True) else False,
        **alerting.fields(label, reader.sequence("alerts")),
    }
    conditions = Conditions(kind)
    for condition in reader.sequence("conditions"):
        conditions.add(str(condition))
    target |= _dns(url, dns) if kind == "dns" else _connection(kind, url, reader, client)
    target |= {"expect": conditions.expect(), "expected": conditions.records}
    headers = target.get("headers") or {}
    result.secrets += sum("${" not in value for value in headers.values())
    for note in conditions.notes:
        result.note(label, note)
    result.note_unread(label, reader, client)
    is_duplicate = name in result.targets and group
    result.add_target(f"{group} {name}" if is_duplicate else name, target)


def _seconds(text: str) -> float:
    """Parse a duration such as `1m30s`; raises CliError."""
    if not re.fullmatch(rf"(?:{_DURATION.pattern})+", text):
        raise CliError(f"{text!r} is not a duration such as 30s or 1m30s", ExitCode.INVALID)
    return sum(float(number) * _UNITS_S[unit] for number, unit in _DURATION.findall(text))


def _dns(url: str, dns: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "host": str(dns.get("query-name", "")).rstrip("."),
        "record_type": common.record_type(dns.get("query-type")),
        "resolver": url.partition("://")[2] or url,
    }


def _connection(kind: str, url: str, reader: FieldReader, client: FieldReader) -> dict[str, Any]:
    is_insecure = client.value("insecure")
    if kind == "http":
        return {
            **_http(url, reader),
            "follow_redirects": False if client.value("ignore-redirect") else None,
            "verify_tls": False if is_insecure else None,
        }
    address = urlsplit(url)
    if kind == "tls":
        verify_tls = False if is_insecure else None
        return {"host": address.hostname, "port": address.port, "verify_tls": verify_tls}
    if address.port is None:
        raise CliError("the URL has no port")
    return {"host": address.hostname, "port": address.port, "send": reader.value("body")}


def _http(url: str, reader: FieldReader) -> dict[str, Any]:
    body, method = reader.value("body"), reader.text("method", "GET").upper()
    if body and reader.value("graphql"):
        body = json.dumps({"query": str(body)})
    return {
        "url": url,
        "method": None if method == "GET" else method,
        "headers": {name: str(value) for name, value in reader.mapping("headers").items()},
        "body": None if body is None else str(body),
    }
