"""From Gatus: its configuration file."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from monitum_cli.errors import Exit, Failure
from monitum_cli.importers import common, services
from monitum_cli.importers.common import Given, Imported
from monitum_cli.importers.gatus_conditions import Conditions
from monitum_cli.manifest.variables import shown
from monitum_cli.manifest.yamltext import Source, parse

_HARMLESS = frozenset({"ui", "extra-labels"})
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|h|m|s)", re.ASCII)
_UNITS_S = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_VARIABLE = re.compile(r"\$(\$|\{[A-Za-z_]\w*\}|[A-Za-z_]\w*)", re.ASCII)
_KINDS = {"http": "http", "https": "http", "tcp": "tcp", "tls": "tls"}
_RECORDS = {"A", "AAAA", "CNAME", "MX", "TXT", "NS", "SOA", "CAA"}
_FAILURES, _SUCCESSES = 3, 2
"""How many in a row Gatus wants before it tells of something, where nothing is said."""
_TAKEN = {"endpoints", "alerting", "metrics", "storage", "web", "ui", "concurrency", "debug"}


def read(name: str, raw: bytes) -> Imported:
    """What of a configuration can be taken over; raises Failure where it is none."""
    top = parse(Source(name), raw)
    content = _with_our_variables(shown(top))
    endpoints = content.get("endpoints") if isinstance(content, dict) else None
    if not isinstance(endpoints, list) or not all(isinstance(one, dict) for one in endpoints):
        raise Failure(f"{name} has no endpoints: is it a configuration of Gatus?", Exit.INVALID)
    imported = Imported()
    alerting = content.get("alerting")
    channels, defaults = _channels(imported, alerting if isinstance(alerting, dict) else {})
    for endpoint in endpoints:
        about = f"endpoint {endpoint.get('name')}"
        with imported.item(about):
            _endpoint(imported, endpoint, channels, defaults)
    for part in sorted(set(content) - _TAKEN):
        if part.startswith("x-"):
            continue
        imported.leave_out(part, "there is nothing like it in a file")
    return imported


def _with_our_variables(value: Any) -> Any:
    """`$NAME` as `${NAME}`, and `$$` as a dollar sign that stays one."""
    if isinstance(value, str):
        return _VARIABLE.sub(_variable, value)
    if isinstance(value, list):
        return [_with_our_variables(one) for one in value]
    if isinstance(value, dict):
        return {name: _with_our_variables(one) for name, one in value.items()}
    return value


def _variable(found: re.Match[str]) -> str:
    if found[1] == "$":
        # Before a brace it would begin a variable of ours.
        return "$$" if found.string[found.end() :].startswith("{") else "$"
    return found[0] if found[1].startswith("{") else f"${{{found[1]}}}"


def _channels(
    imported: Imported, alerting: Mapping[str, Any]
) -> tuple[dict[str, list[str]], dict[str, dict[str, Any]]]:
    """The names of the channels by kind of alert, and what is said of alerts that say nothing."""
    channels: dict[str, list[str]] = {}
    defaults: dict[str, dict[str, Any]] = {}
    for kind, config in alerting.items():
        given = config if isinstance(config, dict) else {}
        default = given.get("default-alert")
        defaults[kind] = default if isinstance(default, dict) else {}
        made = _made_channels(kind, {key: str(value) for key, value in given.items()})
        channels[kind] = [imported.add_channel(kind, one) for one in made]
        imported.secrets += sum(one["kind"] == "apprise" for one in made)
        if not made:
            imported.leave_out(f"alerting.{kind}", "it cannot be told from here as it is there")
        if given.get("overrides"):
            imported.note(f"alerting.{kind}", "overrides are not taken over")
    return channels, defaults


def _made_channels(kind: str, given: Mapping[str, str]) -> list[dict[str, Any]]:
    def field(name: str) -> str:
        return given.get(name, "")

    if kind == "email":
        return services.emails(field("to"))
    makers: Mapping[str, Callable[[], str | None]] = {
        "slack": lambda: services.slack(field("webhook-url")),
        "discord": lambda: services.discord(field("webhook-url")),
        "telegram": lambda: services.telegram(field("token"), field("id")),
        "ntfy": lambda: services.ntfy(field("url"), field("topic")),
        "gotify": lambda: services.gotify(field("server-url"), field("token")),
        "pagerduty": lambda: services.pagerduty(field("integration-key")),
        "pushover": lambda: services.pushover(field("user-key"), field("application-token")),
    }
    made = services.chat(makers[kind]()) if kind in makers else None
    return [made] if made else []


def _endpoint(
    imported: Imported,
    endpoint: Mapping[str, Any],
    channels: Mapping[str, list[str]],
    defaults: Mapping[str, Mapping[str, Any]],
) -> None:
    given = Given(endpoint, _HARMLESS)
    name, group = given.text("name", "unnamed"), given.text("group")
    about = f"endpoint {f'{group}/' if group else ''}{name}"
    url, dns = given.text("url"), given.map("dns")
    kind = "dns" if dns else _KINDS.get(url.partition("://")[0].lower())
    if kind is None:
        imported.leave_out(about, f"checks of {url.partition('://')[0]!r} do not exist here")
        return
    interval_s = common.interval(imported, about, seconds(given.text("interval", "60s")))
    client = Given(given.map("client"))
    wait = seconds(str(client.take("timeout", "10s")))
    target: dict[str, Any] = {
        "kind": kind,
        "interval_s": interval_s,
        "timeout_s": common.timeout(imported, about, wait, interval_s),
        "tags": common.tags([group] if group else []),
        "enabled": None if given.take("enabled", default=True) else False,
        **_alerts(imported, about, given.list("alerts"), channels, defaults),
    }
    conditions = Conditions(kind)
    for condition in given.list("conditions"):
        conditions.add(str(condition))
    problem = _fill(kind, target, url, dns, given, client)
    if problem:
        imported.leave_out(about, problem)
        return
    target["expect"] = conditions.expect()
    target["expected"] = conditions.records
    given_headers = target.get("headers") or {}
    imported.secrets += sum("${" not in value for value in given_headers.values())
    for note in conditions.notes:
        imported.note(about, note)
    for field, _ in [*given.rest(), *((f"client.{one}", two) for one, two in client.rest())]:
        imported.note(about, f"{field} is not taken over")
    is_taken = name in imported.targets and group
    imported.add_target(f"{group} {name}" if is_taken else name, target)


def seconds(text: str) -> float:
    """Seconds of a duration such as `1m30s`; raises Failure where it is none."""
    if not re.fullmatch(rf"(?:{_DURATION.pattern})+", text):
        raise Failure(f"{text!r} is no duration such as 30s or 1m30s", Exit.INVALID)
    return sum(float(number) * _UNITS_S[unit] for number, unit in _DURATION.findall(text))


def _alerts(
    imported: Imported,
    about: str,
    alerts: list[Any],
    channels: Mapping[str, list[str]],
    defaults: Mapping[str, Mapping[str, Any]],
) -> dict[str, Any]:
    """Whom to tell, and after how many failures and successes in a row."""
    told: list[str] = []
    failures: set[int] = set()
    successes: set[int] = set()
    for alert in alerts:
        kind = str(alert.get("type"))
        given = {**defaults.get(kind, {}), **alert}
        if given.get("enabled") is False:
            continue
        told += channels.get(kind, [])
        failures.add(int(given.get("failure-threshold", _FAILURES)))
        successes.add(int(given.get("success-threshold", _SUCCESSES)))
    if not failures:
        return {}
    if len(failures) > 1 or len(successes) > 1:
        imported.note(about, "its alerts have different thresholds: the smallest are taken")
    return {
        "channels": list(dict.fromkeys(told)),
        "failure_threshold": common.failures(min(failures)),
        "recovery_threshold": common.failures(min(successes)),
    }


def _fill(
    kind: str,
    target: dict[str, Any],
    url: str,
    dns: Mapping[str, Any],
    given: Given,
    client: Given,
) -> str | None:
    """What the kind has of its own; answers why it cannot be, or None."""
    insecure = client.take("insecure")
    if kind == "dns":
        record = str(dns.get("query-type") or "A")
        if record not in _RECORDS:
            return f"records of the type {record} are not looked at here"
        host = str(dns.get("query-name", "")).rstrip(".")
        target |= {"host": host, "record_type": record, "resolver": url.partition("://")[2] or url}
        return None
    if kind == "http":
        body = given.take("body")
        if body and given.take("graphql"):
            body = json.dumps({"query": str(body)})
        method = given.text("method", "GET").upper()
        target |= {
            "url": url,
            "method": None if method == "GET" else method,
            "headers": {one: str(value) for one, value in given.map("headers").items()},
            "body": None if body is None else str(body),
            "follow_redirects": False if client.take("ignore-redirect") else None,
            "verify_tls": False if insecure else None,
        }
        return None
    place = urlsplit(url)
    if place.port is None and kind == "tcp":
        return "its address has no port"
    target |= {"host": place.hostname, "port": place.port}
    target |= {"send": given.take("body")} if kind == "tcp" else {}
    target |= {"verify_tls": False} if insecure and kind == "tls" else {}
    return None
